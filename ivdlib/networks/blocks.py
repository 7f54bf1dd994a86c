"""Groups of convolutions: the Xception module, the spatial pyramid, the output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from keras import layers

from ivdlib.networks.convolution import ConvNorm, Relu, SeparableConv
from ivdlib.networks.resize import LAST

Shortcut = Literal["conv", "sum", "none"]
Kind = Literal["separable", "standard"]


@dataclass(frozen=True)
class Convolutions:
    """How a network makes its convolutions; each method applies one, with its normalisation.

    Attributes
    ----------
    kind : {"separable", "standard"}
        Of the 3x3 convolutions.
    norm_between : bool
        Batch normalisation within separable convolutions too.
    norm : dict
        Arguments of the batch normalisations.
    """

    kind: Kind = "separable"
    norm_between: bool = True
    norm: Mapping[str, Any] = field(default_factory=dict)

    def one(self, x: Any, filters: int, name: str, **how: Any) -> Any:
        """1x1 convolution; `how` goes to `ConvNorm`."""
        return ConvNorm(filters, norm=self.norm, name=name, **how)(x)

    def three(
        self,
        x: Any,
        filters: int,
        name: str,
        *,
        relu: Relu,
        kind: Kind | None = None,
        depth_multiplier: int = 1,
        **how: Any,
    ) -> Any:
        """3x3 convolution of `kind`, by default the network's; `how` has `rate` and `stride`."""
        if (kind or self.kind) == "standard":
            relu = "after" if relu == "inside" else relu
            return ConvNorm(filters, 3, relu, norm=self.norm, name=name, **how)(x)
        return SeparableConv(
            filters,
            relu,
            depth_multiplier,
            self.norm_between,
            norm=self.norm,
            name=name,
            **how,
        )(x)


def xception_block(
    x: Any,
    widths: Sequence[int],
    name: str,
    convolutions: Convolutions,
    *,
    rates: Sequence[int],
    strides: Sequence[int],
    shortcut: Shortcut,
    relu: Relu = "before",
) -> list[Any]:
    """3x3 convolutions one after the other, and a way around them (an Xception module).

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    widths, rates, strides : sequences of int, equally long
        Channels, dilation rate and stride of each convolution.
    name : str
        Prefix of the layers' names.
    convolutions : Convolutions
    shortcut : {"conv", "sum", "none"}
        Added to the result: a 1x1 convolution with BN of `x`; `x` itself; nothing.
    relu : str
        Where the ReLU of each convolution stands, see `SeparableConv`.

    Returns
    -------
    list of tensors
        The output of each convolution; the last one is the block's output, the shortcut added.
    """
    outputs = [x]
    for i, (width, rate, stride) in enumerate(zip(widths, rates, strides, strict=True), 1):
        unit = convolutions.three(
            outputs[-1], width, f"{name}_sep{i}", rate=rate, stride=stride, relu=relu
        )
        outputs.append(unit)
    if shortcut == "none":
        return outputs[1:]
    around = x
    if shortcut == "conv":
        stride = math.prod(strides)
        around = convolutions.one(x, widths[-1], f"{name}_shortcut", stride=stride, relu="none")
    outputs[-1] = layers.Add(name=f"{name}_add")([outputs[-1], around])
    return outputs[1:]


def aspp(
    x: Any,
    width: int,
    convolutions: Convolutions,
    *,
    rates: Sequence[int],
    pointwise: bool = True,
    image_pooling: bool = True,
    dropout: float = 0.1,
) -> Any:
    """Atrous spatial pyramid pooling with dilated separable convolutions (paper, Sect. 2.2).

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    width : int
        Channels of every branch and of the output.
    convolutions : Convolutions
    rates : sequence of int
        One 3x3 branch for each dilation rate.
    pointwise, image_pooling : bool
        With the 1x1 branch; with the mean over the image as a branch.
    dropout : float
        Share of the output that is dropped in training.

    Returns
    -------
    tensor, (batch, h, w, width)
        Without any branch: no pyramid, but the 1x1 convolution behind it.
    """
    branches = []
    if pointwise:
        branches.append(convolutions.one(x, width, "aspp_1x1"))
    branches += [
        convolutions.three(x, width, f"aspp_sep{i}", rate=rate, relu="inside")
        for i, rate in enumerate(rates, 1)
    ]
    if image_pooling:
        pooled = layers.GlobalAveragePooling2D(LAST, keepdims=True, name="aspp_mean")(x)
        pooled = convolutions.one(pooled, width, "aspp_pool")
        # Bilinear enlargement of one pixel is that pixel everywhere.
        branches.append(layers.UpSampling2D(x.shape[1:3], LAST, name="aspp_pool_spread")(pooled))
    if len(branches) > 1:
        x = layers.Concatenate(name="aspp_concat")(branches)
    elif branches:
        x = branches[0]
    x = convolutions.one(x, width, "aspp_project")
    return layers.Dropout(dropout, name="aspp_dropout")(x)


def probabilities(logits: Any) -> Any:
    """Sigmoid of one channel, softmax over several; float32 under mixed precision too."""
    kind = "sigmoid" if logits.shape[-1] == 1 else "softmax"
    return layers.Activation(kind, dtype="float32", name="probability")(logits)
