"""Building blocks of the networks.

Only `keras` and `keras.ops` are used (but for `kernels`), so the same code runs on TensorFlow, JAX
and PyTorch. Feature maps are (batch, height, width, channels).
"""

from ivdlib.layers.blocks import Convolutions, Shortcut, aspp, probabilities, xception_block
from ivdlib.layers.convolution import ConvNorm, Relu, SeparableConv
from ivdlib.layers.normalisation import BatchNorm, normalised_product
from ivdlib.layers.resize import (
    LAST,
    BilinearUpsampling,
    bilinear_matrix,
    crop_to,
    pad_to_multiple,
)

__all__ = [
    "LAST",
    "BatchNorm",
    "BilinearUpsampling",
    "ConvNorm",
    "Convolutions",
    "Relu",
    "SeparableConv",
    "Shortcut",
    "aspp",
    "bilinear_matrix",
    "crop_to",
    "normalised_product",
    "pad_to_multiple",
    "probabilities",
    "xception_block",
]
