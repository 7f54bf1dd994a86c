"""A network in OpenVINO, in the place of a `keras.Model` where tiles are predicted."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ivdlib import provenance
from ivdlib.progress import say
from ivdlib.training.inference import BATCH_PIXELS, THRESHOLD

# It would tell a server of each import, from a process that takes seconds.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

NEAR = 0.02
"""Precision "auto" keeps bfloat16 where no probability differs more from that of float32."""

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINOModel:
    """Stands for a `keras.Model` where tiles are predicted.

    Attributes
    ----------
    input_shape : tuple
        (None, AP, SI, channels), as that of the Keras model; the graph's is larger if the network
        pads inside, and the rest is put round each tile here.
    precision : {"float32", "bfloat16"}
    """

    def __init__(self, graph: Any, shape: Sequence[int], precision: str) -> None:
        self.input_shape = (None, *shape)
        self.precision = precision
        import openvino

        wanted = [side.get_length() for side in list(graph.input().get_partial_shape())[1:]]
        self._margins = [margins(w - have) for w, have in zip(wanted, shape, strict=True)]
        # One tile at a time, several of them side by side, each on cores of its own: measured as
        # faster than batches, and any number of tiles will do.
        graph.reshape([1, *wanted])
        threads = _threads() or provenance.cores()
        at_once = max(1, BATCH_PIXELS // (wanted[0] * wanted[1]))  # each stream has its own maps
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": min(threads, at_once),
            # Else two processes with a thread each take the same core.
            "ENABLE_CPU_PINNING": False,
        }
        self._queue = openvino.AsyncInferQueue(core().compile_model(graph, "CPU", settings))

    def predict_on_batch(self, tiles: np.ndarray) -> np.ndarray:
        """Probabilities (n, AP, SI, 1) of tiles (n, AP, SI, channels), both float32; any n."""
        tiles = np.ascontiguousarray(tiles, dtype=np.float32)
        out = np.empty((*tiles.shape[:3], 1), np.float32)
        (top, _), (left, _), _ = self._margins
        tiles = np.pad(tiles, [(0, 0), *self._margins])

        def keep(request: Any, i: int) -> None:
            height, width = out.shape[1:3]
            out[i] = request.get_output_tensor().data[0, top:, left:][:height, :width]

        self._queue.set_callback(keep)
        for i in range(len(tiles)):
            self._queue.start_async({0: tiles[i : i + 1]}, i)
        self._queue.wait_all()
        return out


class Automatic:
    """Bfloat16 where that answers as float32 does; the first tiles with disc settle it.

    Until then, and for these tiles, the answer is that of float32.
    """

    def __init__(self, fast: OpenVINOModel, exact: OpenVINOModel) -> None:
        self.input_shape, self.precision = exact.input_shape, "auto"
        self._fast, self._model = fast, exact

    def predict_on_batch(self, tiles: np.ndarray) -> np.ndarray:
        """Probabilities of tiles, see `OpenVINOModel`."""
        found = self._model.predict_on_batch(tiles)
        if self.precision == "auto" and (found >= THRESHOLD).any():
            self._settle(float(np.abs(self._fast.predict_on_batch(tiles) - found).max()))
        return found

    def _settle(self, difference: float) -> None:
        if difference <= NEAR:
            self._model = self._fast
        self.precision, self._fast = self._model.precision, None
        say(
            f"openvino computes in {self.precision}: probabilities in bfloat16 differ from those "
            f"in float32 by up to {difference:.3f}, and {NEAR:g} is allowed."
        )


def margins(extra: int) -> tuple[int, int]:
    """Before and after, as `networks.pad_to_multiple` has it."""
    return extra // 2, extra - extra // 2


def core() -> Any:
    """OpenVINO's entry, which reads and compiles networks."""
    import openvino

    found = openvino.Core()
    found.set_property({"ENABLE_MMAP": False})  # a file may go while the network is in use
    return found


def _threads() -> int:
    """Cores that `ivdlib predict` or `backend.configure` has chosen; 0 for all."""
    said = os.environ.get("IVDLIB_THREADS") or os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdigit() else 0
