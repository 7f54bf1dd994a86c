"""Convert a network for OpenVINO once, and keep it.

The cache folder is ``$IVDLIB_CACHE`` or ``~/.cache/ivdlib``. An entry is a folder named after all
that the conversion depends on, the weights file among it. The files in it, graph and passport, bear
their own digest as a name, so a damaged entry is known and made again. With an entry, neither
Keras nor its framework is started.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivdlib import __version__
from ivdlib.errors import ConfigError, DataError, DataWarning, IvdlibError, memory_full
from ivdlib.files import need_room, part_of, read_json, sha256_file, sha256_json, sweep, write_json
from ivdlib.training import weights_passport
from ivdlib.training.openvino_model import OpenVINOModel, core
from ivdlib.training.weights import Network, load_model

if TYPE_CHECKING:
    import keras

_TOLERANCE = 0.01
"""A conversion whose float32 probabilities differ more than this from those of Keras is refused."""

_SUFFIXES = (".xml", ".bin", ".json")


def cache_folder() -> Path:
    """Folder of converted networks; not made by this."""
    if given := os.environ.get("IVDLIB_CACHE"):
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ivdlib"


def converted(weights: Path) -> Network:
    """Get the converted network from the cache; else convert it and put it there.

    The `model` is OpenVINO's graph.
    """
    weights_passport.need_weights(weights)
    versions = [metadata.version(name) for name in ("openvino", "keras")] + [__version__]
    key = {"weights": sha256_file(weights), "versions": versions}
    entry = _entry(f"openvino-{sha256_json(key)[:32]}", weights.stat().st_size)
    try:
        if entry:
            with suppress(OSError):  # no permission, a quota, a disk that has filled up
                return _read(entry) or _convert(weights, entry)
        warnings.warn(
            "the cache folder cannot be written, so networks are converted anew each time; set "
            "IVDLIB_CACHE to a folder that can.",
            DataWarning,
            stacklevel=3,
        )
        return _convert(weights, None)
    except Exception as error:  # OpenVINO's own have no other class in common
        if memory_full(error) or isinstance(error, IvdlibError | OSError):
            raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(f"OpenVINO cannot convert {weights} ({reason[-1].rstrip('.')}); use the "
                          "engine keras instead.") from error  # fmt: skip


def _entry(name: str, size: int) -> Path | None:
    """Where a network of about `size` bytes is kept; None if there is no room for it."""
    try:
        entry = cache_folder() / name
        if not entry.exists():
            need_room(entry, size)
        return entry
    except (OSError, RuntimeError, DataError):  # RuntimeError: there is no home folder
        return None


def _read(entry: Path) -> Network | None:
    """Read a converted network; None if it is missing or damaged."""
    try:
        (path,) = entry.glob("*.xml")
        if _digest(path) == path.stem:
            return Network(core().read_model(path), read_json(path.with_suffix(".json")))
    except (OSError, RuntimeError, ValueError):
        pass
    return None


def _digest(xml: Path) -> str:
    each = "".join(sha256_file(xml.with_suffix(suffix)) for suffix in _SUFFIXES)
    return hashlib.sha256(each.encode()).hexdigest()[:32]


def _convert(weights: Path, entry: Path | None) -> Network:
    """Convert a network and keep it as `entry`; nowhere where that is None."""
    import keras

    from ivdlib.networks.backend import policy

    if (backend := keras.backend.backend()) != "tensorflow":
        raise ConfigError(f"networks are converted for OpenVINO from the Keras backend tensorflow, "
                          f"not {backend}; set KERAS_BACKEND=tensorflow.")  # fmt: skip
    network = load_model(weights, quiet=True)
    parent = entry.parent if entry else None
    if parent:
        sweep(parent)
    with tempfile.TemporaryDirectory(
        dir=parent, prefix=part_of(Path("graph")).name, ignore_cleanup_errors=True
    ) as place:
        new, path = Path(place, "new"), Path(place, "new", "network.xml")
        new.mkdir()
        with policy(), _plain_kernels():
            _without_margins(network.model).export(str(path), format="openvino", verbose=False)
            graph = core().read_model(path)
            _compare(network.model, graph.clone())
        if entry:
            write_json(path.with_suffix(".json"), network.passport)
            digest = _digest(path)
            for suffix in _SUFFIXES:
                path.with_suffix(suffix).rename(new / f"{digest}{suffix}")
            # Where another process was quicker, its entry is as good.
            with suppress(OSError):
                if entry.exists() and _read(entry) is None:
                    entry.rename(Path(place, "damaged"))
                new.rename(entry)
    return Network(graph, network.passport)


def _compare(model: keras.Model, graph: Any) -> None:
    """Refuse a conversion that gives other numbers than Keras."""
    import keras

    fast = OpenVINOModel(graph, model.input_shape[1:], "float32")
    tile = np.random.default_rng(0).random((1, *model.input_shape[1:]), dtype=np.float32)
    ours, theirs = fast.predict_on_batch(tile), keras.ops.convert_to_numpy(model(tile))
    if not np.allclose(ours, theirs, atol=_TOLERANCE):
        difference = np.abs(ours - theirs).max()
        raise ValueError(f"its probabilities differ from those of Keras by {difference:.2g}")


def _without_margins(model: keras.Model) -> keras.Model:
    """The network between its padding and its cropping, which are done by hand.

    OpenVINO (2026.4) merges a padding with the "same" convolution after it, and loses the padding
    of the latter: U-Net could not be converted for tiles that it pads.
    """
    import keras

    if not any(layer.name == "pad_input" for layer in model.layers):
        return model
    return keras.Model(model.get_layer("pad_input").output, model.get_layer("crop_output").input)


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Trace the operations of Keras.

    OpenVINO knows them, folds the normalisations into the convolutions and puts the dilation into
    the depthwise ones. Our fast kernels are made for TensorFlow; converted they leave products of
    matrices between transpositions.
    """
    before = os.environ.get("IVDLIB_KERNELS")
    os.environ["IVDLIB_KERNELS"] = "plain"
    try:
        yield
    finally:
        del os.environ["IVDLIB_KERNELS"]
        if before is not None:
            os.environ["IVDLIB_KERNELS"] = before
