"""The body that FDS-CNN and DeepLabv3+ share: Xception-65, described by parallel lists."""

import math
from typing import Any

from ivdlib.errors import ConfigError, checked
from ivdlib.networks.blocks import Convolutions, Kind, xception_block
from ivdlib.networks.config import NetworkConfig
from ivdlib.options import Count, Flag, Many, Momentum, Positive

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


Groups = Many[Many[Count]]


@checked
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
        Stride and dilation rate of every convolution, in the groups of `WIDTHS`. The rates of the
        middle module may also be given for each of its repetitions, one after the other.
    convolution : {"separable", "standard"}
        Kind of the 3x3 convolutions.
    stem : {"separable", "standard"}
        Kind of the convolutions conv1 and conv2, where the others are separable.
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
    bn_synchronised : bool
        Statistics of the batch over all replicas, where several GPUs share it on TensorFlow; else
        each has its own. On JAX they are always over the whole batch.
    """

    width: Positive
    middle_units: Count
    strides: Groups
    rates: Groups
    convolution: Kind
    stem: Kind
    stem_depth_multiplier: Count
    relu_inside: Flag
    norm_between: Flag
    bn_momentum: Momentum
    bn_epsilon: Positive
    bn_synchronised: Flag

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

    def rates_of(self, block: str) -> list[tuple[int, ...]]:
        """Dilation rates of a module, for each of its repetitions."""
        index = BLOCKS.index(block)
        rates, size = self.rates[index], len(WIDTHS[index])
        repeats = self.middle_units if block == "middle" else 1
        whole = rates * repeats if len(rates) == size else rates
        return [whole[k : k + size] for k in range(0, len(whole), size)]

    def convolutions(self, epsilon: float | None = None) -> Convolutions:
        """How this network makes its convolutions; `epsilon` replaces `bn_epsilon`."""
        norm = {
            "momentum": self.bn_momentum,
            "epsilon": epsilon or self.bn_epsilon,
            "synchronized": self.bn_synchronised,
        }
        return Convolutions(self.convolution, self.norm_between, norm)

    def __post_init__(self) -> None:
        """Refuse lists that do not describe a body.

        Raises
        ------
        ConfigError
            If `strides` or `rates` lacks a number for some convolution, if a convolution has both
            a stride and a rate (Keras has no such layer), or if the repeated module has a stride.
        """
        name = type(self).__name__
        sizes = [len(group) for group in WIDTHS]
        long = [
            n * self.middle_units if b == "middle" else n
            for b, n in zip(BLOCKS, sizes, strict=True)
        ]
        for field, allowed in (("strides", [sizes]), ("rates", [sizes, long])):
            groups = getattr(self, field)
            if [len(group) for group in groups] not in allowed:
                raise ConfigError(
                    f"{name}.{field} must have a number for each convolution, in groups of {sizes} "
                    f"for {', '.join(BLOCKS)}; it is {groups}."
                )
        for block, strides in zip(BLOCKS, self.strides, strict=True):
            for rates in self.rates_of(block):
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
    convolutions = config.convolutions()
    lists = (BLOCKS, WIDTHS, config.strides, SHORTCUTS, RELUS)
    for block, widths, strides, shortcut, relu in zip(*lists, strict=True):
        relu = "inside" if config.relu_inside else relu
        widths = [config.channels(width) for width in widths]
        for unit, rates in enumerate(config.rates_of(block), 1):
            if block in ("conv1", "conv2"):
                outputs[block] = [
                    convolutions.three(
                        x,
                        widths[0],
                        block,
                        rate=rates[0],
                        stride=strides[0],
                        relu=relu,
                        kind="standard" if config.stem == "standard" else None,
                        depth_multiplier=config.stem_depth_multiplier if block == "conv1" else 1,
                    )
                ]
            else:
                outputs[block] = xception_block(
                    x,
                    widths,
                    f"middle{unit}" if block == "middle" else block,
                    convolutions,
                    rates=rates,
                    strides=strides,
                    shortcut=shortcut,
                    relu=relu,
                )
            x = outputs[block][-1]
    return outputs
