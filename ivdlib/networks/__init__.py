"""The networks (paper, Sect. 2.1, 2.2 and 3.2) and what they are built from, in Keras alone.

The same code runs on TensorFlow, JAX and PyTorch; what makes it fast on one of them stands in
`fast`. Feature maps are (batch, height, width, channels). Nothing is loaded before it is used:
settings of the framework (`backend`) must be there before the framework is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "by_name": ["NAMES", "build", "config_from_dict", "config_of", "variants"],
        "config": ["NetworkConfig"],
        "fds_cnn": ["FDSCNNConfig"],
        "unet": ["UNetConfig"],
        "deeplabv3plus": ["DeepLabV3PlusConfig"],
        "blocks": ["Convolutions", "Shortcut", "aspp", "probabilities", "xception_block"],
        "convolution": ["ConvNorm", "Relu", "SeparableConv"],
        "normalisation": ["BatchNorm"],
        "resize": ["LAST", "BilinearUpsampling", "bilinear_matrix", "crop_to", "pad_to_multiple"],
    },
)
