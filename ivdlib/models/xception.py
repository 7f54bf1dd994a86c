"""The body that FDS-CNN and DeepLabv3+ share: Xception-65, described by parallel lists."""

import math
from dataclasses import dataclass
from typing import Any

from ivdlib import layers
from ivdlib.errors import ConfigError
from ivdlib.models.common import NetworkConfig

# The modules in order, and the feature maps of each convolution in them (aligned Xception-65 of
# DeepLabv3+, arXiv:1802.02611, Fig. 4, and its code). `middle` is repeated.
BLOCKS = ("conv1", "conv2", "entry1", "entry2", "entry3", "middle", "exit1", "exit2")
WIDTHS = (
    (32,),
    (64,),
    (128, 128, 128),
    (256, 256, 256),
    (728, 728, 728),
    (728, 728, 728),
    (728, 1024, 1024),
    (1536, 1536, 2048),
)
SHORTCUTS = ("none", "none", "conv", "conv", "conv", "sum", "conv", "none")
# As DeepLab's code has it: the stem after BN, residual modules pre-activated, the last one inside.
RELUS = ("after", "after", "before", "before", "before", "before", "before", "inside")


@dataclass(frozen=True)
class XceptionConfig(NetworkConfig):
    """Fields of a network with an Xception body.

    Attributes
    ----------
    width : float
        Factor on the feature maps of the original network.
    middle_units : int
        How often the middle module is repeated: 16 in Xception-65, 8 in Xception-41 and in
        Chollet's Xception.
    strides, rates : tuple of tuples of int
        Stride and dilation rate of every convolution, in the groups of `WIDTHS`.
    stem : {"separable", "standard"}
        Kind of the convolutions conv1 and conv2.
    stem_depth_multiplier : int
        Depthwise filters that a separable conv1 has for each input channel.
    relu_inside : bool
        False: as in DeepLab's code, a ReLU after the depthwise convolution only in the last module,
        the pyramid and the decoder. True: in every separable convolution, as the text of
        arXiv:1802.02611 reads.
    norm_between : bool
        Batch normalisation after the depthwise convolution too, or only after the pointwise one.
    bn_momentum, bn_epsilon : float
        Share that the moving statistics keep in each step; added to the variance.
    """

    width: float
    middle_units: int
    strides: tuple[tuple[int, ...], ...]
    rates: tuple[tuple[int, ...], ...]
    stem: str
    stem_depth_multiplier: int
    relu_inside: bool
    norm_between: bool
    bn_momentum: float
    bn_epsilon: float

    @property
    def stride(self) -> int:
        """Input pixels between two pixels of the body's output."""
        return self.stride_of(BLOCKS[-1], len(WIDTHS[-1]))

    def stride_of(self, block: str, convolution: int) -> int:
        """Input pixels between two pixels behind the so-many-th convolution (from 1) of `block`."""
        index = BLOCKS.index(block)
        groups = [*self.strides[:index], self.strides[index][:convolution]]
        return math.prod(stride for group in groups for stride in group)

    def channels(self, width: int) -> int:
        """Feature maps of a layer that has `width` in the original network; at least 1."""
        return max(1, round(width * self.width))

    def norm(self, epsilon: float | None = None) -> dict[str, float]:
        """Arguments of a batch normalisation."""
        return {"momentum": self.bn_momentum, "epsilon": epsilon or self.bn_epsilon}

    def check(self) -> None:
        """Refuse lists that do not describe a body.

        Raises
        ------
        ConfigError
            If `strides` or `rates` lacks a number for some convolution, if a convolution has both
            a stride and a rate (Keras has no such layer), if the repeated module has a stride, or
            if a number that must be positive is not.
        """
        name = type(self).__name__
        self.one_of("stem", ("separable", "standard"))
        self.positive("width", "middle_units", "stem_depth_multiplier", "bn_epsilon")
        sizes = [len(group) for group in WIDTHS]
        for field in ("strides", "rates"):
            groups = getattr(self, field)
            if [len(group) for group in groups] != sizes:
                raise ConfigError(
                    f"{name}.{field} must have a number for each convolution, in groups of {sizes} "
                    f"for {', '.join(BLOCKS)}; it is {groups}."
                )
        for block, strides, rates in zip(BLOCKS, self.strides, self.rates, strict=True):
            if any(s > 1 and r > 1 for s, r in zip(strides, rates, strict=True)):
                raise ConfigError(
                    f"{name}: a convolution of {block} has both a stride and a dilation rate "
                    f"(strides {strides}, rates {rates}); set its rate to 1."
                )
            if block == "middle" and max(strides) > 1:
                raise ConfigError(f"{name}: the middle flow has strides {strides}; it must be 1.")


def xception(x: Any, config: XceptionConfig) -> dict[str, list[Any]]:
    """Run the body that the lists of `config` describe.

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    config : XceptionConfig

    Returns
    -------
    dict of list of tensors
        For each name of `BLOCKS`, the outputs of its convolutions; the last one is the block's
        output. For "middle", those of its last repetition.
    """
    outputs: dict[str, list[Any]] = {}
    lists = (BLOCKS, WIDTHS, config.strides, config.rates, SHORTCUTS, RELUS)
    for block, widths, strides, rates, shortcut, relu in zip(*lists, strict=True):
        widths = [config.channels(width) for width in widths]
        if config.relu_inside:
            relu = "inside"
        if block in ("conv1", "conv2"):
            x = _stem(x, block, widths[0], strides[0], rates[0], relu, config)
            outputs[block] = [x]
            continue
        repeats = config.middle_units if block == "middle" else 1
        for unit in range(1, repeats + 1):
            outputs[block] = layers.separable_block(
                x,
                widths,
                f"middle{unit}" if block == "middle" else block,
                rates=rates,
                strides=strides,
                shortcut=shortcut,
                relu=relu,
                norm_between=config.norm_between,
                norm=config.norm(),
            )
            x = outputs[block][-1]
    return outputs


def _stem(
    x: Any, name: str, width: int, stride: int, rate: int, relu: str, config: XceptionConfig
) -> Any:
    if config.stem == "standard":
        return layers.conv_norm(
            x, width, name, kernel=3, rate=rate, stride=stride, norm=config.norm()
        )
    return layers.separable_conv(
        x,
        width,
        name,
        rate=rate,
        stride=stride,
        relu=relu,
        depth_multiplier=config.stem_depth_multiplier if name == "conv1" else 1,
        norm_between=config.norm_between,
        norm=config.norm(),
    )
