"""Run a trained network with another program than Keras: OpenVINO, which has bfloat16 on CPUs."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import keras

from ivdlib.errors import ConfigError
from ivdlib.training.conversion import converted
from ivdlib.training.openvino_model import Automatic, OpenVINOModel, core
from ivdlib.training.weights import Network

ENGINES = ("keras", "openvino")
ENGINE_PRECISIONS = ("auto", "float32", "bfloat16")


def need_engine(engine: str, precision: str = "auto") -> None:
    """Refuse what cannot run here.

    Raises
    ------
    ConfigError
        If the names are unknown or do not fit together, OpenVINO is not installed, or Keras runs
        on another backend than TensorFlow.
    """
    for kind, name, known in (
        ("engine", engine, ENGINES),
        ("precision", precision, ENGINE_PRECISIONS),
    ):
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
        From `weights.load_model`.
    weights : path
        The file that it was loaded from; its digest names the entry in the cache.
    engine : {"openvino", "keras"}
        Keras gives `network` as it is.
    precision : {"auto", "float32", "bfloat16"}
        Of the numbers within the network. "auto" is bfloat16 where the processor has units for it
        and no probability differs by more than `openvino_model.NEAR` on the first tiles with disc.

    Returns
    -------
    Network
        Same passport; `model` has `input_shape` and `predict_on_batch`.

    Raises
    ------
    ConfigError
        See `need_engine`; also where a network cannot be converted.
    """
    need_engine(engine, precision)
    if engine == "keras":
        return network
    graph = converted(network.model, Path(weights))
    if precision == "auto" and best_precision() == "bfloat16":
        both = (OpenVINOModel(graph.clone(), network.model, p) for p in ("bfloat16", "float32"))
        return Network(Automatic(*both), network.passport)
    exact = "float32" if precision == "auto" else precision
    return Network(OpenVINOModel(graph, network.model, exact), network.passport)


def best_precision() -> str:
    """Bfloat16 where OpenVINO says that this processor has units for it, else float32."""
    able = "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bfloat16" if able else "float32"
