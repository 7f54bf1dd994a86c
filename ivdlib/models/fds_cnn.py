"""FDS-CNN: the fully dilated separable network of the paper (Sect. 2.2).

The paper gives the ideas, not the layers (its Figure 2 is lost): separable, dilated 3x3
convolutions throughout, one down-sampling, half the feature maps of Xception, a rate for each
layer, a spatial pyramid, three skips, a decoder of two separable convolutions and one 1x1, bilinear
enlargement by 2. Everything else is a field of `FDSCNNConfig`, with the reason beside its default.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras.layers import Concatenate, Conv2D

from ivdlib import layers
from ivdlib.errors import ConfigError
from ivdlib.models.common import NetworkConfig
from ivdlib.models.xception import XceptionConfig, xception


@dataclass(frozen=True)
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
    first_skip : {1, 3}
        Which separable convolution of entry1 is "the third layer convolution".
    dropout : float
        Share of the pyramid's output that is dropped in training.
    upsample : {"logits", "features"}
        What is enlarged: the output of the 1x1 convolution, or its input.
    head : {"sigmoid", "softmax"}
        One output channel, or background and disc against each other.
    """

    # "we reduce the number of all feature maps by half" (Sect. 2.2).
    width: float = 0.5
    # Xception-65, the backbone of DeepLabv3+, which the paper builds on.
    middle_units: int = 16
    # "only one down-sampling in the entire model"; all three skips are concatenated without
    # resizing and one bilinear factor 2 leads back, so it lies at or before the third layer.
    strides: tuple[tuple[int, ...], ...] = (
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
    rates: tuple[tuple[int, ...], ...] = (
        (1,),
        (2,),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
        (1, 2, 5),
    )
    # "replace all convolutions": the stem too; 1x1 convolutions stay as they are.
    stem: str = "separable"
    # The input has one channel: with 1 the whole network would see a single filter's answer.
    stem_depth_multiplier: int = 16
    # As DeepLab's code.
    relu_inside: bool = False
    norm_between: bool = True
    # Keras' defaults; the paper names none.
    bn_momentum: float = 0.99
    bn_epsilon: float = 1e-3
    # DeepLabv3+ at output stride 16; they fit into 56 x 64.
    aspp_rates: tuple[int, ...] = (6, 12, 18)
    aspp_pointwise: bool = True
    image_pooling: bool = True
    aspp_width: int = 256
    # 48 in DeepLabv3+, halved with all others.
    skip_width: int = 48
    decoder_width: int = 256
    # conv1 and conv2 are the first two.
    first_skip: int = 1
    # DeepLabv3+.
    dropout: float = 0.1
    # "two 3x3 separable convolutions and one 1x1 convolution ... followed by a simple bilinear
    # upsampling".
    upsample: str = "logits"
    head: str = "sigmoid"

    def check(self) -> None:
        """As `XceptionConfig.check`, and the fields of pyramid and decoder.

        Raises
        ------
        ConfigError
            Also if a stride comes after the first skip: the skips would differ in size.
        """
        super().check()
        self.one_of("first_skip", (1, 3))
        self.one_of("upsample", ("logits", "features"))
        self.one_of("head", ("sigmoid", "softmax"))
        self.positive("aspp_width", "skip_width", "decoder_width")
        if self.stride_of("entry1", self.first_skip) != self.stride:
            raise ConfigError(
                f"{type(self).__name__}.strides has a stride after the first skip (entry1, "
                f"convolution {self.first_skip}), so the skips differ in size: {self.strides}."
            )


SIZES: dict[str, NetworkConfig] = {
    "tiny": FDSCNNConfig(width=0.125, middle_units=2),
    "laptop": FDSCNNConfig(width=0.25, middle_units=4),
    "paper": FDSCNNConfig(),
}


def build(config: FDSCNNConfig, input_shape: tuple[int, int, int]) -> keras.Model:
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
    outputs = xception(layers.pad_to_multiple(image, config.stride), config)
    norm = {"norm_between": config.norm_between, "norm": config.norm()}
    x = layers.aspp(
        outputs["exit2"][-1],
        config.channels(config.aspp_width),
        rates=config.aspp_rates,
        pointwise=config.aspp_pointwise,
        image_pooling=config.image_pooling,
        dropout=config.dropout,
        **norm,
    )
    x = _decoder(x, outputs, config)
    logits = 1 if config.head == "sigmoid" else 2
    # One 1x1 convolution commutes with linear interpolation: the two orders differ in cost, and by
    # rounding.
    steps: list[Any] = [
        Conv2D(logits, 1, name="logits"),
        layers.BilinearUpsampling(config.stride, name="upsample"),
    ]
    for step in steps if config.upsample == "logits" else reversed(steps):
        x = step(x)
    x = layers.probabilities(x)
    if config.head == "softmax":
        x = x[..., 1:]
    return keras.Model(image, layers.crop_to(x, input_shape[:2]), name="fds_cnn")


def _decoder(x: Any, outputs: dict[str, list[Any]], config: FDSCNNConfig) -> Any:
    """Join the pyramid with the three low-level features and refine (Sect. 2.2)."""
    norm = {"norm_between": config.norm_between, "norm": config.norm()}
    low_level = {
        "skip_third_layer": outputs["entry1"][config.first_skip - 1],
        "skip_entry": outputs["entry3"][-1],
        "skip_middle": outputs["middle"][-1],
    }
    width = config.channels(config.skip_width)
    skips = [
        layers.conv_norm(feature, width, name, norm=config.norm())
        for name, feature in low_level.items()
    ]
    x = Concatenate(name="decoder_concat")([x, *skips])
    for i in (1, 2):
        x = layers.separable_conv(
            x, config.channels(config.decoder_width), f"decoder{i}", relu="inside", **norm
        )
    return x
