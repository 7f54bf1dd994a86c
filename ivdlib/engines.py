"""Run a trained network with another program than Keras: OpenVINO, which has bfloat16 on CPUs.

The network is converted once and kept in a cache folder, ``$IVDLIB_CACHE`` or ``~/.cache/ivdlib``.
An entry is a folder named after all that the conversion depends on. The two files in it bear their
own digest as a name, so a damaged entry is known and made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ivdlib import __version__
from ivdlib.errors import ConfigError, DataError, DataWarning
from ivdlib.files import need_room, sha256_file, sha256_json
from ivdlib.inference import Network

ENGINES = ("keras", "openvino")
PRECISIONS = ("auto", "float32", "bfloat16")

TOLERANCE = 0.01
"""A conversion whose float32 probabilities differ more than this from those of Keras is refused."""

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class _OpenVINOModel:
    """Stands for a `keras.Model` where tiles are predicted.

    Attributes
    ----------
    input_shape : tuple
        (None, AP, SI, 1), as that of the Keras model.
    precision : {"float32", "bfloat16"}
    """

    def __init__(self, graph: Any, model: keras.Model, precision: str) -> None:
        self.input_shape = model.input_shape
        self.precision = precision
        import openvino

        self._margins = _margins(model)
        # One tile at a time, several of them side by side, each on cores of its own: measured as
        # faster than batches, and any number of tiles will do.
        sides = [
            sum(m) + side for m, side in zip(self._margins, model.input_shape[1:3], strict=True)
        ]
        graph.reshape([1, *sides, 1])
        settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "THROUGHPUT"}
        if threads := _threads():
            settings["INFERENCE_NUM_THREADS"] = threads
        self._queue = openvino.AsyncInferQueue(_core().compile_model(graph, "CPU", settings))

    def predict_on_batch(self, tiles: np.ndarray) -> np.ndarray:
        """Probabilities of tiles; float32 (n, AP, SI, 1) in and out, any n."""
        tiles = np.ascontiguousarray(tiles, dtype=np.float32)
        out = np.empty_like(tiles)
        (top, bottom), (left, right) = self._margins
        tiles = np.pad(tiles, ((0, 0), (top, bottom), (left, right), (0, 0)))

        def keep(request: Any, i: int) -> None:
            height, width = out.shape[1:3]
            out[i] = request.get_output_tensor().data[0, top:, left:][:height, :width]

        self._queue.set_callback(keep)
        for i in range(len(tiles)):
            self._queue.start_async({0: tiles[i : i + 1]}, i)
        self._queue.wait_all()
        return out


def check(engine: str, precision: str = "auto") -> None:
    """Refuse what cannot run here.

    Raises
    ------
    ConfigError
        Where the names are unknown or do not fit together, OpenVINO is not installed, or Keras runs
        on another backend than TensorFlow.
    """
    for kind, name, known in (("engine", engine, ENGINES), ("precision", precision, PRECISIONS)):
        if name not in known:
            raise ConfigError(f"there is no {kind} {name!r}; it is one of {', '.join(known)}.")
    if engine == "keras":
        if precision != "auto":
            raise ConfigError(f"precision {precision} is for the engine openvino; keras computes "
                              "as the network was trained.")  # fmt: skip
        return
    if importlib.util.find_spec("openvino") is None:
        raise ConfigError("the engine openvino is not installed; install it with: "
                          "pip install 'ivdlib[openvino]'.")  # fmt: skip
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ConfigError(f"the engine openvino takes networks from the Keras backend tensorflow, "
                          f"not {backend}; set KERAS_BACKEND=tensorflow.")  # fmt: skip


def on_engine(
    network: Network,
    weights: str | os.PathLike,
    engine: str = "openvino",
    precision: str = "auto",
) -> Network:
    """Give a network that predicts with an engine.

    Parameters
    ----------
    network : Network
        From `inference.load_model`.
    weights : path
        The file that it was loaded from; its digest names the entry in the cache.
    engine : {"openvino", "keras"}
        Keras gives `network` as it is.
    precision : {"auto", "float32", "bfloat16"}
        Of the numbers within the network. "auto" is bfloat16 where the processor has units for it.

    Returns
    -------
    Network
        Same passport; `model` has `input_shape` and `predict_on_batch`.

    Raises
    ------
    ConfigError
        See `check`; also where a network cannot be converted.
    """
    check(engine, precision)
    if engine == "keras":
        return network
    if precision == "auto":
        precision = best_precision()
    graph = _cached(network.model, Path(weights))
    model = _OpenVINOModel(graph, network.model, precision)
    return Network(model, network.passport)


def best_precision() -> str:
    """Bfloat16 where OpenVINO says that this processor has units for it, else float32."""
    able = "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if able else "float32"


def cache_folder() -> Path:
    """Folder of converted networks; not made by this."""
    if given := os.environ.get("IVDLIB_CACHE"):
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ivdlib"


def _cached(model: keras.Model, weights: Path) -> Any:
    """Get the converted network from the cache; else convert it and put it there."""
    import openvino

    key = {
        "weights": sha256_file(weights),
        "shape": model.input_shape,
        "versions": [openvino.__version__, keras.__version__, __version__],
    }
    try:
        try:
            entry = cache_folder() / f"openvino-{sha256_json(key)[:32]}"
            return _read(entry) or _convert(model, entry)
        except (OSError, RuntimeError, DataError):  # RuntimeError: OpenVINO's, or no home folder
            warnings.warn(
                "the cache folder cannot be written, so networks are converted anew each time; "
                "set IVDLIB_CACHE to a folder that can.",
                DataWarning,
                stacklevel=3,
            )
        return _convert(model, None)
    except Exception as error:  # OpenVINO's own have no other class in common
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(f"OpenVINO cannot convert {weights} ({reason[-1].rstrip('.')}); use the "
                          "engine keras instead.") from error  # fmt: skip


def _read(entry: Path) -> Any | None:
    """Read a converted network; None where it is missing or damaged."""
    try:
        (path,) = entry.glob("*.xml")
        if _digest(path) == path.stem:
            return _core().read_model(path)
    except (OSError, RuntimeError, ValueError):
        pass
    return None


def _digest(xml: Path) -> str:
    both = sha256_file(xml) + sha256_file(xml.with_suffix(".bin"))
    return hashlib.sha256(both.encode()).hexdigest()[:32]


def _convert(model: keras.Model, entry: Path | None) -> Any:
    """Convert a network and keep it as `entry`; nowhere where that is None."""
    if entry:
        need_room(entry, 4 * model.count_params())
    parent = entry.parent if entry else None
    with tempfile.TemporaryDirectory(
        dir=parent, prefix=".part-", ignore_cleanup_errors=True
    ) as place:
        new, path = Path(place, "new"), Path(place, "new", "network.xml")
        new.mkdir()
        with _plain_kernels():
            _without_margins(model).export(str(path), format="openvino", verbose=False)
        graph = _core().read_model(path)
        _compare(model, _OpenVINOModel(graph.clone(), model, "float32"))
        if entry:
            digest = _digest(path)
            for file in (path, path.with_suffix(".bin")):
                file.rename(new / f"{digest}{file.suffix}")
            # Where another process was quicker, its entry is as good.
            with suppress(OSError):
                if entry.exists() and _read(entry) is None:
                    entry.rename(Path(place, "damaged"))
                new.rename(entry)
    return graph


def _compare(model: keras.Model, fast: _OpenVINOModel) -> None:
    """Refuse a conversion that gives other numbers than Keras."""
    tile = np.random.default_rng(0).random((1, *model.input_shape[1:]), dtype=np.float32)
    ours, theirs = fast.predict_on_batch(tile), keras.ops.convert_to_numpy(model(tile))
    if not np.allclose(ours, theirs, atol=TOLERANCE):
        difference = np.abs(ours - theirs).max()
        raise ValueError(f"its probabilities differ from those of Keras by {difference:.2g}")


def _margins(model: keras.Model) -> tuple[tuple[int, int], tuple[int, int]]:
    """What the network pads its tile with inside, see `layers.pad_to_multiple`."""
    pads = [layer for layer in model.layers if layer.name == "pad_input"]
    return pads[0].padding if pads else ((0, 0), (0, 0))


def _without_margins(model: keras.Model) -> keras.Model:
    """The network between its padding and its cropping, which are done by hand.

    OpenVINO (2026.4) merges a padding with the "same" convolution after it, and loses the padding
    of the latter: U-Net could not be converted for tiles that it pads.
    """
    if not np.any(_margins(model)):
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


def _core() -> Any:
    import openvino

    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # a file may go while the network is in use
    return core


def _threads() -> int:
    """Cores that `backend.configure` has chosen; 0 for all."""
    import tensorflow as tf

    return tf.config.threading.get_intra_op_parallelism_threads()
