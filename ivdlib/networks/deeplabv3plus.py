"""DeepLabv3+ on aligned Xception-65 at output stride 16 (arXiv:1802.02611), whole and reduced.

The baseline of the paper (Sect. 3.2), which gave it one input channel and "fewer channels"; how
many is not said.
"""

import keras
from keras.layers import Concatenate, Conv2D

from ivdlib.errors import ConfigError, checked
from ivdlib.networks.blocks import aspp, probabilities
from ivdlib.networks.config import NetworkConfig
from ivdlib.networks.resize import LAST, BilinearUpsampling, crop_to, pad_to_multiple
from ivdlib.networks.xception import Groups, Kind, XceptionConfig, xception
from ivdlib.options import Count, Flag, Many, Momentum, Positive

# Its decoder works at a quarter of the input's resolution.
DECODER_STRIDE = 4


@checked
class DeepLabV3PlusConfig(XceptionConfig):
    """Configuration of DeepLabv3+: the fields of `XceptionConfig`, of pyramid and decoder.

    The defaults are the whole network, as published. Widths are those of the original; `width`
    scales them all.

    Attributes
    ----------
    classes : int
        1: one sigmoid channel. More: softmax over so many.
    aspp_rates : tuple of int
        Dilation rates of the pyramid's separable convolutions.
    aspp_width, skip_width, decoder_width : int
        Feature maps of the pyramid, of the skip, of the decoder.
    head_epsilon : float
        Added to the variance by the batch normalisations of pyramid and decoder.
    dropout : float
        Share of the pyramid's output that is dropped in training.
    """

    width: Positive = 1.0
    middle_units: Count = 16
    # The third convolution of each entry module replaces a max-pooling.
    strides: Groups = (
        (2,),
        (1,),
        (1, 1, 2),
        (1, 1, 2),
        (1, 1, 2),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
    )
    # Output stride 16: the last module would have had another stride, so it has rate 2 instead.
    rates: Groups = (
        (1,),
        (1,),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (2, 2, 2),
    )
    # As published.
    convolution: Kind = "separable"
    stem: Kind = "standard"
    # Unused by a standard stem.
    stem_depth_multiplier: Count = 1
    relu_inside: Flag = False
    norm_between: Flag = True
    # Keras' default; the code of DeepLab has 0.9997 for runs of 30,000 steps and more.
    bn_momentum: Momentum = 0.99
    bn_epsilon: Positive = 1e-3
    # As for FDS-CNN.
    bn_synchronised: Flag = False
    # The classes of Pascal VOC with background.
    classes: Count = 21
    # For output stride 16.
    aspp_rates: Many[Count] = (6, 12, 18)
    aspp_width: Count = 256
    skip_width: Count = 48
    decoder_width: Count = 256
    head_epsilon: Positive = 1e-5
    dropout: Momentum = 0.1

    def __post_init__(self) -> None:
        """As `XceptionConfig`; the decoder's place must exist too.

        Raises
        ------
        ConfigError
            Also if the skip, the second convolution of entry2, does not lie at stride 4.
        """
        super().__post_init__()
        before = self.stride_of("entry2", 2)
        if before != DECODER_STRIDE or self.stride % DECODER_STRIDE:
            raise ConfigError(
                f"{type(self).__name__}.strides puts the decoder's skip (entry2, second "
                f"convolution) at stride {before}; it must be {DECODER_STRIDE}."
            )


DEEPLAB_SIZES: dict[str, NetworkConfig] = {
    "tiny": DeepLabV3PlusConfig(width=0.125, middle_units=2, classes=1),
    "laptop": DeepLabV3PlusConfig(width=0.25, middle_units=4, classes=1),
    "paper": DeepLabV3PlusConfig(width=0.5, classes=1),
    "whole": DeepLabV3PlusConfig(),
}


def build_deeplab(config: DeepLabV3PlusConfig, input_shape: tuple[int, int, int]) -> keras.Model:
    """Build DeepLabv3+.

    Parameters
    ----------
    config : DeepLabV3PlusConfig
    input_shape : (height, width, channels)
        Any height and width: the image is padded with zeros inside to a multiple of the network's
        stride, and the result cropped.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) to float32 probabilities (batch, height, width, classes).
    """
    image = keras.Input(input_shape, name="image")
    outputs = xception(pad_to_multiple(image, config.stride), config)
    head = config.convolutions(config.head_epsilon)
    width = config.channels(config.aspp_width)
    x = aspp(outputs["exit2"][-1], width, head, rates=config.aspp_rates, dropout=config.dropout)
    # Aligned: pixel k of a map at stride s is centred on input pixel s * k, as in the original,
    # which resizes with aligned corners.
    x = BilinearUpsampling(config.stride // DECODER_STRIDE, True, name="upsample_aspp")(x)
    skip = head.one(outputs["entry2"][1], config.channels(config.skip_width), "skip")
    x = Concatenate(name="decoder_concat")([x, skip])
    for i in (1, 2):
        x = head.three(x, config.channels(config.decoder_width), f"decoder{i}", relu="inside")
    logits = Conv2D(config.classes, 1, data_format=LAST, name="logits")(x)
    logits = BilinearUpsampling(DECODER_STRIDE, True, name="upsample")(logits)
    return keras.Model(image, crop_to(probabilities(logits), input_shape[:2]), name="deeplabv3plus")
