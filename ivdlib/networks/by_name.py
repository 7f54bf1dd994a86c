"""The networks by name: `build("fds_cnn", "tiny")`."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ivdlib.errors import ConfigError
from ivdlib.networks import deeplabv3plus, fds_cnn, unet
from ivdlib.networks.backend import policy
from ivdlib.networks.config import NetworkConfig
from ivdlib.networks.deeplabv3plus import DeepLabV3PlusConfig
from ivdlib.networks.fds_cnn import FDSCNNConfig
from ivdlib.networks.unet import UNetConfig

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

_NETWORKS = {
    "fds_cnn": (fds_cnn, FDSCNNConfig),
    "unet": (unet, UNetConfig),
    "deeplabv3plus": (deeplabv3plus, DeepLabV3PlusConfig),
}
NAMES = tuple(_NETWORKS)


def _network(name: str) -> tuple[Any, type[NetworkConfig]]:
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
        The network without one of its ideas, see `variants`.

    Raises
    ------
    ConfigError
        If the network, the size or the variant does not exist; the message lists those that do.

    Examples
    --------
    >>> config_of("fds_cnn", "paper").rates[-1]
    (1, 2, 5)
    """
    module, _ = _network(name)
    if size not in module.SIZES:
        raise ConfigError(f"{name} has no size {size!r}; its sizes are {', '.join(module.SIZES)}.")
    if variant is None:
        return module.SIZES[size]
    if variant not in variants(name):
        known = ", ".join(variants(name)) or "none"
        raise ConfigError(f"{name} has no variant {variant!r}; it has: {known}.")
    return module.VARIANTS[variant](module.SIZES[size])


def variants(name: str) -> tuple[str, ...]:
    """Names of the variants of a network: for FDS-CNN, each leaves one idea of the paper out."""
    return tuple(getattr(_network(name)[0], "VARIANTS", ()))


def config_from_dict(name: str, values: Mapping[str, Any]) -> NetworkConfig:
    """Make the configuration of network `name` from what its `to_dict` gave.

    Raises
    ------
    ConfigError
        If the network, or a field, does not exist, or the values do not fit together.
    """
    return _network(name)[1].from_dict(values)


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
        A size, see `config`, or the network's configuration.
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
    module, kind = _network(name)
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
        return module.build(config, shape)
