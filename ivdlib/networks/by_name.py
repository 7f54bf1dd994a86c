"""The networks by name: `build("fds_cnn", "tiny")`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from ivdlib.errors import ConfigError
from ivdlib.networks.backend import policy
from ivdlib.networks.config import NetworkConfig
from ivdlib.networks.deeplabv3plus import DEEPLAB_SIZES, DeepLabV3PlusConfig, build_deeplab
from ivdlib.networks.fds_cnn import FDS_CNN_SIZES, VARIANTS, FDSCNNConfig, build_fds_cnn
from ivdlib.networks.unet import UNET_SIZES, UNET_VARIANTS, UNetConfig, build_unet

__all__ = [
    "NAMES",
    "DeepLabV3PlusConfig",
    "FDSCNNConfig",
    "NetworkConfig",
    "UNetConfig",
    "build",
    "config_of",
    "config_from_dict",
    "variants",
]


class _Network(NamedTuple):
    """What a network's file brings."""

    config: type[NetworkConfig]
    build: Callable[[Any, tuple[int, int, int]], keras.Model]
    sizes: Mapping[str, NetworkConfig]
    variants: Mapping[str, Callable[[Any], Any]] = {}


# A new network is entered here, and in `profiles.TITLES`, which says what people call it.
_NETWORKS = {
    "fds_cnn": _Network(FDSCNNConfig, build_fds_cnn, FDS_CNN_SIZES, VARIANTS),
    "unet": _Network(UNetConfig, build_unet, UNET_SIZES, UNET_VARIANTS),
    "deeplabv3plus": _Network(DeepLabV3PlusConfig, build_deeplab, DEEPLAB_SIZES),
}
NAMES = tuple(_NETWORKS)


def _network(name: str) -> _Network:
    if name not in _NETWORKS:
        raise ConfigError(f"There is no network {name!r}; the networks are {', '.join(NAMES)}.")
    return _NETWORKS[name]


def config_of(name: str, size: str = "tiny", variant: str | None = None) -> NetworkConfig:
    """Get the configuration of a network in a named size.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    size : str
        "tiny", "laptop" or "paper"; for "deeplabv3plus" also "whole" (RGB, 21 classes).
    variant : str, optional
        FDS-CNN without one of its ideas, U-Net in another width; see `variants`.

    Raises
    ------
    ConfigError
        If the network, the size or the variant does not exist; the message lists those that do.

    Examples
    --------
    >>> config_of("fds_cnn", "paper").rates[-1]
    (1, 2, 5)
    """
    sizes = _network(name).sizes
    if size not in sizes:
        raise ConfigError(f"{name} has no size {size!r}; its sizes are {', '.join(sizes)}.")
    if variant is None:
        return sizes[size]
    if variant not in variants(name):
        known = ", ".join(variants(name)) or "none"
        raise ConfigError(f"{name} has no variant {variant!r}; it has: {known}.")
    return _network(name).variants[variant](sizes[size])


def variants(name: str) -> tuple[str, ...]:
    """Names of variants: FDS-CNN without one idea of the paper, U-Net as large as FDS-CNN."""
    return tuple(_network(name).variants)


def config_from_dict(name: str, values: Mapping[str, Any]) -> NetworkConfig:
    """Make the configuration of network `name` from what its `to_dict` gave.

    Raises
    ------
    ConfigError
        If the network, or a field, does not exist, or the values do not fit together.
    """
    return _network(name).config.from_dict(values)


def build(
    name: str,
    config: str | NetworkConfig = "tiny",
    input_shape: Sequence[int] = (112, 128, 1),
    precision: str = "float32",
) -> keras.Model:
    """Build a network with fresh weights, not compiled.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    config : str or NetworkConfig
        A size, see `config_of`, or the network's configuration.
    input_shape : (height, width, channels)
        Any size in pixels; networks pad inside to the multiple that they need, and crop.
    precision : str, default "float32"
        Of the maps, see `backend.policy`; no policy that is set elsewhere matters.

    Returns
    -------
    keras.Model
        Float32 images (batch, height, width, channels) to float32 probabilities
        (batch, height, width, 1).

    Raises
    ------
    ConfigError
        If name or size do not exist, the configuration belongs to another network, or
        `input_shape` is not three positive whole numbers.

    Examples
    --------
    >>> model = build("fds_cnn", "tiny", (36, 28, 1))
    >>> model.output_shape
    (None, 36, 28, 1)
    """
    kind = _network(name).config
    if isinstance(config, str):
        config = config_of(name, config)
    if not isinstance(config, kind):
        raise ConfigError(f"{name} needs a {kind.__name__}, not a {type(config).__name__}.")
    shape = tuple(input_shape)
    if len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ConfigError(
            f"input_shape must be (height, width, channels), three positive whole numbers, "
            f"not {shape}."
        )
    with policy(precision):
        return _network(name).build(config, shape)
