"""Run a trained network: by OpenVINO, quick on CPUs and without any framework, or by Keras."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib.errors import ConfigError, DataError, memory_full
from ivdlib.networks import quiet
from ivdlib.training import weights_file
from ivdlib.training.openvino_model import Automatic, OpenVINOModel, core
from ivdlib.training.weights import WEIGHTS, Network, load_model

if TYPE_CHECKING:
    import keras
    import openvino

ENGINES = ("auto", "openvino", "keras")
ENGINE_PRECISIONS = ("float32", "bfloat16", "auto")

MOST_PADDED = 256
"""Pixels: no network halves its maps more than eight times."""

_GPU = Path("/dev/nvidia0")
"""There where a framework may find a GPU; to ask one would start it."""


def need_engine(engine: str, precision: str = "float32") -> str:
    """Refuse what cannot run here; returns the engine.

    For "auto" that is OpenVINO, or Keras where there is a GPU and a framework, or no OpenVINO.

    Raises
    ------
    ConfigError
        If the names are unknown or do not fit together, or OpenVINO is not installed.
    """
    for kind, name, known in (
        ("engine", engine, ENGINES),
        ("precision", precision, ENGINE_PRECISIONS),
    ):
        if name not in known:
            raise ConfigError(f"there is no {kind} {name!r}; it is one of {', '.join(known)}.")
    there = importlib.util.find_spec("openvino") is not None
    if engine == "auto":
        on_gpu = _GPU.exists() and quiet.has_framework()
        engine = "openvino" if there and not on_gpu else "keras"
    if engine == "keras" and precision != "float32":
        raise ConfigError(f"precision {precision} is for the engine openvino; keras computes in "
                          "float32.")  # fmt: skip
    if engine == "openvino" and not there:
        raise ConfigError("the engine openvino is not installed; install it with: "
                          "pip install openvino.")  # fmt: skip
    return engine


def load_network(
    weights: str | os.PathLike, engine: str = "auto", precision: str = "float32"
) -> Network:
    """Load a network that predicts with an engine; quietly, see `weights.load_model`.

    Parameters
    ----------
    weights : path
    engine : {"auto", "openvino", "keras"}
        See `need_engine`. With "openvino", Keras is started only for weights files that are older
        than the list of layers in them, see `networks.structure`.
    precision : {"float32", "bfloat16", "auto"}
        Of the numbers within the network. "auto" is bfloat16 where the processor has units for it
        and no probability differs by more than `openvino_model.NEAR` on the first tiles with disc.

    Returns
    -------
    Network
        `model` has `input_shape` and `predict_on_batch`.

    Raises
    ------
    ConfigError
        See `need_engine`.
    DataError
        As `weights.load_model`.
    """
    if need_engine(engine, precision) == "keras":
        return load_model(weights, quiet=True)
    card, graph = _graph(Path(weights))
    shape = (*card["tile"], card.get("channels", 1))
    if precision == "auto" and best_precision() == "bfloat16":
        both = (OpenVINOModel(graph.clone(), shape, kind) for kind in ("bfloat16", "float32"))
        return Network(Automatic(*both), card)
    precision = "float32" if precision == "auto" else precision
    return Network(OpenVINOModel(graph, shape, precision), card)


def _graph(weights: Path) -> tuple[dict[str, Any], openvino.Model]:
    """Read passport and OpenVINO's graph of a weights file."""
    from ivdlib.training.openvino_graph import graph

    card, _ = weights_file.read_passport(weights)
    try:
        layers, numbers = weights_file.read_numbers(weights)
        if layers is None:
            from ivdlib.networks.structure import layers_of

            layers = layers_of(load_model(weights, quiet=True).model)
        _check_shape(layers[0]["shape"], card)
        return card, graph(layers, numbers)
    except Exception as error:  # OpenVINO's own have no other class in common
        if memory_full(error) or isinstance(error, DataError):
            raise
        raise weights_file.damaged(weights, error) from error


def _check_shape(shape: list[int], card: dict[str, Any]) -> None:
    """Refuse layers for other tiles than the passport's, but for what a network pads inside."""
    wanted = (*card["tile"], card.get("channels", 1))
    pads = [have - want for have, want in zip(shape, wanted, strict=True)]
    if pads[2] or not all(0 <= pad < MOST_PADDED for pad in pads[:2]):
        raise ValueError(f"its layers take tiles of {shape}, and its passport says {wanted}")


def quickest(model: keras.Model) -> keras.Model | OpenVINOModel:
    """Give what computes a network quickest here: OpenVINO in float32 on a CPU, else the network.

    The probabilities are those of Keras, apart from rounding. A network with layers that
    `networks.structure` does not know is given back.
    """
    from ivdlib.networks import backend

    if need_engine("auto") == "keras" or backend.has_gpu():
        return model
    from ivdlib.networks.structure import layers_of
    from ivdlib.training.openvino_graph import graph

    try:
        layers = layers_of(model)
    except TypeError:  # a network that somebody has added
        return model
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, WEIGHTS)
        model.save_weights(path)
        _, numbers = weights_file.read_numbers(path)
    return OpenVINOModel(graph(layers, numbers), model.input_shape[1:], "float32")


def best_precision() -> str:
    """Bfloat16 where OpenVINO says that this processor has units for it, else float32."""
    able = "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if able else "float32"
