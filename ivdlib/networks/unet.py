"""U-Net with batch normalisation after each convolution (paper, Sect. 2.1 and 3.2).

Used twice: it finds the spine, and it is a baseline. After Ronneberger et al., arXiv:1505.04597,
but padded, so that the output has the size of the input.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
from keras.layers import Activation, Concatenate, Conv2D, Conv2DTranspose, MaxPooling2D

from ivdlib.errors import checked
from ivdlib.networks.blocks import probabilities
from ivdlib.networks.config import NetworkConfig
from ivdlib.networks.normalisation import BatchNorm
from ivdlib.networks.resize import LAST, crop_to, pad_to_multiple
from ivdlib.options import Count, Flag, Momentum, Positive


@checked
class UNetConfig(NetworkConfig):
    """Configuration of the U-Net.

    Attributes
    ----------
    base : int
        Feature maps of the first level; each level below has twice as many.
    levels : int
        Number of poolings.
    bn_momentum, bn_epsilon : float
        Share that the moving statistics keep in each step; added to the variance.
    bn_synchronised : bool
        Statistics of the batch over all replicas, see `models.xception.XceptionConfig`.
    """

    # 64 in the original; the paper's baseline has fewer, it does not say how many.
    base: Count = 64
    # As the original.
    levels: Count = 4
    # Keras' defaults; the paper names none.
    bn_momentum: Momentum = 0.99
    bn_epsilon: Positive = 1e-3
    # As for FDS-CNN.
    bn_synchronised: Flag = False


UNET_SIZES: dict[str, NetworkConfig] = {
    "tiny": UNetConfig(base=16),
    "laptop": UNetConfig(base=32),
    "paper": UNetConfig(base=64),
}

# By base of the size: the base that comes nearest, by ratio, to FDS-CNN of that size in numbers
# learnt, and in multiply-adds for a tile of 112 x 128. A test counts them.
_EQUAL_WEIGHTS = {16: 6, 32: 14, 64: 37}
_EQUAL_COST = {16: 20, 32: 44, 64: 119}
UNET_VARIANTS: dict[str, Callable[[UNetConfig], UNetConfig]] = {
    "equal_weights": lambda c: replace(c, base=_EQUAL_WEIGHTS[c.base]),
    "equal_cost": lambda c: replace(c, base=_EQUAL_COST[c.base]),
}
"""U-Net as large as FDS-CNN, by name: the sizes above have six times its weights at `tiny`."""


def build_unet(config: UNetConfig, input_shape: tuple[int, int, int]) -> keras.Model:
    """Build the U-Net.

    Parameters
    ----------
    config : UNetConfig
    input_shape : (height, width, channels)
        Any height and width: the image is padded with zeros inside to a multiple of
        ``2 ** levels``, and the result cropped.

    Returns
    -------
    keras.Model
        (batch, height, width, channels) to float32 probabilities (batch, height, width, 1).
    """
    image = keras.Input(input_shape, name="image")
    x = pad_to_multiple(image, 2**config.levels)
    widths = [config.base * 2**level for level in range(config.levels + 1)]
    skips = []
    for level, width in enumerate(widths[:-1]):
        x = _two_convolutions(x, width, f"down{level}", config)
        skips.append(x)
        x = MaxPooling2D(data_format=LAST, name=f"pool{level}")(x)
    x = _two_convolutions(x, widths[-1], "bottom", config)
    for level in reversed(range(config.levels)):
        x = Conv2DTranspose(widths[level], 2, 2, data_format=LAST, name=f"up{level}_transposed")(x)
        x = Concatenate(name=f"up{level}_concat")([skips[level], x])
        x = _two_convolutions(x, widths[level], f"up{level}", config)
    x = probabilities(Conv2D(1, 1, data_format=LAST, name="logits")(x))
    return keras.Model(image, crop_to(x, input_shape[:2]), name="unet")


def _two_convolutions(x: Any, width: int, name: str, config: UNetConfig) -> Any:
    for i in (1, 2):
        # The original draws from a normal distribution of variance 2 / inputs: He's.
        conv = Conv2D(
            width,
            3,
            padding="same",
            data_format=LAST,
            kernel_initializer="he_normal",
            name=f"{name}_conv{i}",
        )
        norm = BatchNorm(
            momentum=config.bn_momentum,
            epsilon=config.bn_epsilon,
            synchronized=config.bn_synchronised,
            name=f"{name}_bn{i}",
        )
        x = Activation("relu", name=f"{name}_relu{i}")(norm(conv(x)))
    return x
