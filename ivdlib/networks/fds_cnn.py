"""FDS-CNN: the fully dilated separable network of the paper (Sect. 2.2).

The paper gives the ideas, not the layers (its Figure 2 is lost): separable, dilated 3x3
convolutions throughout, one down-sampling, half the feature maps of Xception, a rate for each
layer, a spatial pyramid, three skips, a decoder of two separable convolutions and one 1x1, bilinear
enlargement by 2. Everything else is a field of `FDSCNNConfig`, with the reason beside its default.
"""

from collections.abc import Callable
from dataclasses import field, replace
from typing import Annotated, Any, Literal, get_args

import keras
from keras.layers import Concatenate, Conv2D
from pydantic import AfterValidator

from ivdlib.errors import checked
from ivdlib.networks.blocks import aspp, probabilities
from ivdlib.networks.config import LATER, NetworkConfig
from ivdlib.networks.resize import LAST, BilinearUpsampling, crop_to, pad_to_multiple
from ivdlib.networks.xception import BLOCKS, Groups, Kind, XceptionConfig, xception
from ivdlib.options import Count, Flag, Many, Momentum, Positive, once

Skip = Literal["third_layer", "entry", "middle"]
SKIPS: tuple[Skip, ...] = get_args(Skip)


@checked
class FDSCNNConfig(XceptionConfig):
    """Configuration of FDS-CNN; the fields of `XceptionConfig`, and those of pyramid and decoder.

    Widths are those of the original network; `width` scales them all.

    Attributes
    ----------
    aspp_rates : tuple of int
        Dilation rates of the pyramid's separable convolutions.
    aspp_pointwise, image_pooling : bool
        With the pyramid's 1x1 branch; with its mean over the image.
    aspp_width, skip_width, decoder_width : int
        Feature maps of the pyramid, of each of the three skips, of the decoder.
    skips : tuple of str
        Low-level features that are joined to the pyramid's output: some of "third_layer", "entry"
        and "middle".
    first_skip : {1, 3}
        Which convolution of entry1 is "the third layer convolution".
    dropout : float
        Share of the pyramid's output that is dropped in training.
    upsample : {"logits", "features"}
        What is enlarged: the output of the 1x1 convolution, or its input.
    head : {"sigmoid", "softmax"}
        One output channel, or background and disc against each other.
    aligned : bool
        Enlarged maps lie exactly upon one another and on the input: a strided convolution is
        centred on pixels 0, 2, 4, …, and its map is put back there.
    """

    # "we reduce the number of all feature maps by half" (Sect. 2.2).
    width: Positive = 0.5
    # Xception-65, the backbone of DeepLabv3+, which the paper builds on.
    middle_units: Count = 16
    # "only one down-sampling in the entire model"; all three skips are concatenated without
    # resizing and one bilinear factor 2 leads back, so it lies at or before the third layer.
    strides: Groups = (
        (2,),
        (1,),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
    )
    # "assigned with different rates", citing hybrid dilated convolution (arXiv:1702.08502): 1, 2, 5
    # leaves no holes. A layer with a stride must have rate 1.
    rates: Groups = (
        (1,),
        (2,),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
    )
    # "replaces all convolutions with dilated separable convolutions"; 1x1 ones stay as they are.
    convolution: Kind = "separable"
    # "all": the stem too.
    stem: Kind = "separable"
    # The input has one channel: with 1 the whole network would see a single filter's answer.
    stem_depth_multiplier: Count = 16
    # As DeepLab's code.
    relu_inside: Flag = False
    norm_between: Flag = True
    # Keras' defaults; the paper names none.
    bn_momentum: Momentum = 0.99
    bn_epsilon: Positive = 1e-3
    # "two Nvidia 1080Ti GPUs", and no word of it: each with its own is what Keras did.
    bn_synchronised: Flag = False
    # DeepLabv3+ at output stride 16; they fit into 56 x 64.
    aspp_rates: Many[Count] = (6, 12, 18)
    aspp_pointwise: Flag = True
    image_pooling: Flag = True
    aspp_width: Count = 256
    # 48 in DeepLabv3+, halved with all others.
    skip_width: Count = 48
    decoder_width: Count = 256
    # "the output of the third layer convolution, the output of the enter flow and the output of the
    # middle flow" (Sect. 2.2).
    skips: Annotated[Many[Skip], AfterValidator(once)] = SKIPS
    # conv1 and conv2 are the first two.
    first_skip: Literal[1, 3] = 1
    # DeepLabv3+.
    dropout: Momentum = 0.1
    # "two 3x3 separable convolutions and one 1x1 convolution ... followed by a simple bilinear
    # upsampling".
    upsample: Literal["logits", "features"] = "logits"
    head: Literal["sigmoid", "softmax"] = "sigmoid"
    # "bilinear upsampling" as Keras has it: with one down-sampling all maps are off by the same
    # half pixel. With several they are not, which is no fair comparison.
    aligned: Flag = field(default=False, metadata=LATER)

    def skip_place(self, skip: str) -> tuple[str, int]:
        """Module that a skip starts from, and the number of the convolution in it, from 1."""
        places = {"third_layer": ("entry1", self.first_skip), "entry": ("entry3", 3)}
        return places.get(skip, ("middle", 3))

    @property
    def decoder_stride(self) -> int:
        """Input pixels between two of the decoder's: those of the finest skip."""
        return min([self.stride_of(*self.skip_place(skip)) for skip in self.skips] + [self.stride])


FDS_CNN_SIZES: dict[str, NetworkConfig] = {
    "tiny": FDSCNNConfig(width=0.125, middle_units=2),
    "laptop": FDSCNNConfig(width=0.25, middle_units=4),
    "paper": FDSCNNConfig(),
}


_ONE_EACH = tuple(tuple(1 for _ in group) for group in FDSCNNConfig.rates)


def _frozen(groups: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, groups))


def _downsampled(config: FDSCNNConfig, blocks: tuple[str, ...]) -> FDSCNNConfig:
    """Stride 2 in conv1 and in the last convolution of `blocks`, as Xception has it; rate 1."""
    strides, rates = [list(group) for group in config.strides], [list(g) for g in config.rates]
    for block in blocks:
        index = BLOCKS.index(block)
        strides[index][-1], rates[index][-1] = 2, 1
    return replace(config, strides=_frozen(strides), rates=_frozen(rates))


VARIANTS: dict[str, Callable[[FDSCNNConfig], FDSCNNConfig]] = {
    "standard": lambda c: replace(c, convolution="standard"),
    "no_dilation": lambda c: replace(c, rates=_ONE_EACH, aspp_rates=(1,) * len(c.aspp_rates)),
    "two_down": lambda c: _downsampled(c, ("entry1",)),
    "four_down": lambda c: _downsampled(c, ("entry1", "entry2", "entry3")),
    "no_aspp": lambda c: replace(c, aspp_rates=(), aspp_pointwise=False, image_pooling=False),
    "no_skips": lambda c: replace(c, skips=()),
    "full_width": lambda c: replace(c, width=2 * c.width),
    "literal_stem": lambda c: replace(c, stem_depth_multiplier=1),
    "aligned": lambda c: replace(c, aligned=True),
    "aligned_two_down": lambda c: replace(_downsampled(c, ("entry1",)), aligned=True),
    "aligned_four_down": lambda c: replace(
        _downsampled(c, ("entry1", "entry2", "entry3")), aligned=True
    ),
}
"""What each idea of the paper is worth: the network without it, by name. Those with several
down-samplings are to be held against one with as many ideas: `aligned` ones against `aligned`."""


def build_fds_cnn(config: FDSCNNConfig, input_shape: tuple[int, int, int]) -> keras.Model:
    """Build FDS-CNN.

    Parameters
    ----------
    config : FDSCNNConfig
    input_shape : (height, width, channels)
        Any height and width: the image is padded with zeros inside to a multiple of the network's
        stride, and the result cropped.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) to float32 probabilities (batch, height, width, 1).
    """
    image = keras.Input(input_shape, name="image")
    outputs = xception(pad_to_multiple(image, config.stride), config)
    x = aspp(
        outputs["exit2"][-1],
        config.channels(config.aspp_width),
        config.convolutions(),
        rates=config.aspp_rates,
        pointwise=config.aspp_pointwise,
        image_pooling=config.image_pooling,
        dropout=config.dropout,
    )
    x = _decoder(x, outputs, config)
    # One 1x1 convolution commutes with linear interpolation: the two orders differ in cost, and by
    # rounding.
    steps: list[Any] = [
        Conv2D(1 if config.head == "sigmoid" else 2, 1, data_format=LAST, name="logits"),
        BilinearUpsampling(config.decoder_stride, config.aligned, name="upsample"),
    ]
    for step in steps if config.upsample == "logits" else reversed(steps):
        x = step(x)
    x = probabilities(x)
    if config.head == "softmax":
        x = x[..., 1:]
    return keras.Model(image, crop_to(x, input_shape[:2]), name="fds_cnn")


def _decoder(x: Any, outputs: dict[str, list[Any]], config: FDSCNNConfig) -> Any:
    """Join the pyramid with the low-level features and refine (Sect. 2.2).

    All lie at one resolution unless there are strides after the first skip; then the coarser ones
    are enlarged to the finest.
    """
    convolutions = config.convolutions()
    parts = [_enlarged(x, "upsample_aspp", config.stride, config)]
    for skip in config.skips:
        block, number = config.skip_place(skip)
        feature = convolutions.one(
            outputs[block][number - 1], config.channels(config.skip_width), f"skip_{skip}"
        )
        parts.append(
            _enlarged(feature, f"upsample_{skip}", config.stride_of(block, number), config)
        )
    x = Concatenate(name="decoder_concat")(parts) if config.skips else parts[0]
    for i in (1, 2):
        x = convolutions.three(
            x, config.channels(config.decoder_width), f"decoder{i}", relu="inside"
        )
    return x


def _enlarged(x: Any, name: str, stride: int, config: FDSCNNConfig) -> Any:
    factor = stride // config.decoder_stride
    return x if factor == 1 else BilinearUpsampling(factor, config.aligned, name=name)(x)
