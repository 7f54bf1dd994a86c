"""Time one training step of FDS-CNN as ivdlib makes it, and as its peers do.

Every row has the same batch (16 tiles of 112 x 128), loss and optimiser, and runs in a process of
its own; the whole list is gone through ``--rounds`` times, so that a busy minute of the machine
does not fall on one row alone. The peak is that of a matrix product, measured before and after.

    python benchmarks/train_step.py --out train_step

Ends with status 1 where a goal is missed: 1.5 times as fast as Keras' own layers without XLA, 1.3
times as fast as the best row of PyTorch (`torch.compile` too; its compilation is in the first step,
which is not counted), a quarter of the peak.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from peers import measure

from ivdlib.errors import IvdlibError
from ivdlib.options import SIZE_NAMES
from ivdlib.progress import Progress, say
from ivdlib.training import workers

TILE, BATCH = (112, 128), 16
KEEPING = "ivdlib in a worker, freed memory kept"
OURS, PLAIN, TORCH = "ivdlib", "Keras layers without XLA", "PyTorch"
BEST_TORCH = "the best row of PyTorch"
XLA = {"steps": 2, "rounds": 1, "seconds": 600.0}
"""Limits of the row with XLA, which compiles for minutes and computes slowly."""
GOALS = {PLAIN: 1.5, BEST_TORCH: 1.3}
"""How many times as long as ivdlib a row must take at least."""
SHARE = 0.25
"""Goal for the share of the float32 peak."""

Step = Callable[[], float]


def data(given: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and truth, the same for every row."""
    images = np.random.default_rng(0).random((given.batch, *given.tile, 1), dtype=np.float32)
    return images, (images > 0.7).astype(np.float32)


def numbers(size: str, given: argparse.Namespace) -> dict[str, int]:
    """Return the network's parameters, and its multiply-adds for one tile."""
    from ivdlib import networks
    from ivdlib.networks import cost

    rows = cost.layer_table(networks.build("fds_cnn", size, (*given.tile, 1)))
    return {key: int(rows[key].sum()) for key in ("parameters", "multiply_adds")}


def configuration(given: argparse.Namespace) -> Any:
    """Return the configuration of the network in the size of this row."""
    from ivdlib import networks

    return networks.config_of("fds_cnn", given.size[0])


def ours(given: argparse.Namespace, precision: str = "float32") -> tuple[Step, dict]:
    """Return the step of ivdlib, compiled as `ivdlib.training.trainer.Trainer` does."""
    import keras

    from ivdlib import networks
    from ivdlib.networks import backend, losses

    model = networks.build("fds_cnn", configuration(given), (*given.tile, 1), precision)
    adam = keras.optimizers.Adam(1e-4)
    model.compile(adam, losses.loss("bce_dice"), jit_compile=backend.jit_compile())
    images, truth = data(given)
    return lambda: float(model.train_on_batch(images, truth)), {}


def keras_layers(given: argparse.Namespace, **how: Any) -> tuple[Step, dict]:
    """Return the step of the same network in Keras' own layers; `how` goes to `compile`."""
    import keras
    from peers import stock

    from ivdlib.networks import losses

    model = stock.fds_cnn(configuration(given), (*given.tile, 1))
    model.compile(keras.optimizers.Adam(1e-4), losses.loss("bce_dice"), **how)
    images, truth = data(given)
    return lambda: float(model.train_on_batch(images, truth)), {}


def torch_layers(
    given: argparse.Namespace, bfloat16: bool = False, monai: bool = False, compiled: bool = False
) -> tuple[Step, dict]:
    """Return the step of the same network in PyTorch, or of MONAI's BasicUNet of its size."""
    import torch
    from peers import torch_plain as plain

    network = plain.FDSCNN(configuration(given))
    if monai:
        network = plain.basic_unet(plain.parameters(network))
    network = network.to(memory_format=torch.channels_last)
    images, truth = map(plain.to_torch, data(given))
    known = {"parameters": plain.parameters(network)}
    if monai:
        known["multiply_adds"] = plain.multiply_adds(network, images)
    if compiled:
        network = torch.compile(network)
    step = partial(plain.train_step, network, plain.adam(network), images, truth, bfloat16)
    return step, known


class Row(NamedTuple):
    """What is timed: what makes its step, Keras' backend, limits."""

    make: Callable[[argparse.Namespace], tuple[Step, dict]]
    backend: str = "tensorflow"
    steps: int = 1000
    rounds: int = 1000
    seconds: float = 3600
    environment: Mapping[str, str] = {}


ROWS = {
    OURS: Row(ours),
    KEEPING: Row(ours, environment=workers.KEPT),
    "ivdlib, mixed bfloat16": Row(partial(ours, precision="bfloat16")),
    PLAIN: Row(partial(keras_layers, jit_compile=False)),
    "Keras layers, Keras' defaults": Row(keras_layers),
    "Keras layers with XLA": Row(partial(keras_layers, jit_compile=True), **XLA),
    TORCH: Row(torch_layers, "torch"),
    "PyTorch, bfloat16 autocast": Row(partial(torch_layers, bfloat16=True), "torch"),
    "PyTorch, torch.compile": Row(partial(torch_layers, compiled=True), "torch"),
    "PyTorch, torch.compile, bfloat16 autocast": Row(
        partial(torch_layers, bfloat16=True, compiled=True), "torch"
    ),
    "MONAI BasicUNet": Row(partial(torch_layers, monai=True), "torch"),
}


def run_row(given: argparse.Namespace) -> None:
    """Be the process of one row."""
    if given.row == "peak":
        measure.tell(**measure.matrix_peak(), known={s: numbers(s, given) for s in given.size})
    else:
        row = ROWS[given.row]
        step, known = row.make(given)
        measure.time_steps(step, min(given.steps, row.steps), **known)


def run_all(given: argparse.Namespace) -> tuple[list[dict], dict[str, float]]:
    """Run each row of each size in each round; merged rows, and the peak."""
    names = [name for name in ROWS if name in (given.only or ROWS)]
    shape = ["--steps", given.steps, "--batch", given.batch, "--tile", *given.tile]

    def ask(name: str, *sizes: str, **how: Any) -> dict[str, Any]:
        words = [word for size in sizes for word in ("--size", size)]
        return measure.row(__file__, ["--row", name, *words, *shape], **how)

    peaks = [ask("peak", *given.size)]
    known = peaks[0].get("known", {})
    found: dict[tuple[str, str], list[dict]] = {}
    jobs = [
        (size, name)
        for number in range(given.rounds)
        for size in given.size
        for name in names
        if number < ROWS[name].rounds
    ]
    with Progress(len(jobs), "rows") as progress:
        for size, name in jobs:
            row = ROWS[name]
            how = {"backend": row.backend, "environment": row.environment}
            result = ask(name, size, timeout=row.seconds, **how)
            found.setdefault((size, name), []).append(result)
            time = f"{result['min_s']:.2f} s a step" if result.get("min_s") else "no time"
            say(f"{size}, {name}: {time}" + (f" ({result['note']})" if result["note"] else ""))
            progress.advance()
    if not given.only:
        peaks.append(ask("peak", *given.size))
    peak = {kind: max(p.get(kind, 0.0) for p in peaks) for kind in ("float32", "bfloat16")}
    rows = []
    for (size, name), results in found.items():
        row = {"size": size, "name": name, **known.get(size, {}), **measure.merge(results)}
        rows.append(finish(row, given.batch, peak["float32"]))
    for row in rows:
        ours = next((r["min_s"] for r in rows if (r["size"], r["name"]) == (row["size"], OURS)), 0)
        row["times_ivdlib"] = row["min_s"] / ours if row["min_s"] and ours else None
    return rows, peak


def finish(row: dict[str, Any], batch: int, peak: float) -> dict[str, Any]:
    """Add what the machine computed a second: forwards and twice as much back."""
    row["gflops"] = row["share"] = None
    if row["min_s"] and row.get("multiply_adds"):
        row["gflops"] = 3 * 2 * row["multiply_adds"] * batch / row["min_s"] / 1e9
        row["share"] = row["gflops"] / peak if peak else None
    order = ("size", "name", "parameters", "multiply_adds", "first_s", "min_s", "median_s")
    order += ("gflops", "share", "rss_gb", "note")
    return {key: row.get(key) for key in order}


def judge(rows: list[dict], sizes: list[str]) -> list[dict]:
    """Goals of every size."""
    goals = []
    for size in sizes:
        of = {row["name"]: row for row in rows if row["size"] == size}
        times = {name: row["times_ivdlib"] for name, row in of.items() if row["times_ivdlib"]}
        peers = [value for name, value in times.items() if name.startswith(TORCH)]
        times[BEST_TORCH] = min(peers, default=None)
        for name, limit in GOALS.items():
            value = times.get(name)
            goals.append(measure.goal(f"{size}: {name}, times ivdlib", value, limit))
        goals.append(
            measure.goal(f"{size}: share of the peak", of.get(OURS, {}).get("share"), SHARE)
        )
    return goals


COLUMNS = {"size": "", "name": "", "parameters": ",", "first_s": ".1f", "min_s": ".3f"}
COLUMNS |= {"median_s": ".3f", "times_ivdlib": ".2f", "gflops": ".1f", "share": ".1%"}
COLUMNS |= {"rss_gb": ".2f", "note": ""}


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--size", action="append", choices=SIZE_NAMES, help="repeatable (default: tiny and laptop)")
    add("--steps", type=int, default=6, help="timed steps a row and round (default: 6)")
    add("--rounds", type=int, default=2, help="how often to run all rows (default: 2)")
    add("--only", nargs="+", choices=list(ROWS), metavar="NAME", help="rows; goals not judged")
    add("--out", type=Path, help="folder for table.csv and record.json")
    # For the rows' processes, and for tests.
    add("--row", help=argparse.SUPPRESS)
    add("--batch", type=int, help=argparse.SUPPRESS)
    add("--tile", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    whole = not (given.only or given.batch or given.tile)
    given.batch, given.tile = given.batch or BATCH, tuple(given.tile or TILE)
    given.size = given.size or ["tiny", "laptop"]
    if given.row:
        run_row(given)
        return 0
    rows, peak = run_all(given)
    measure.show(rows, COLUMNS)
    print("matrix product:", ", ".join(f"{v:.0f} GFLOP/s in {k}" for k, v in peak.items()))
    goals = judge(rows, given.size) if whole else []
    return measure.finish(given, rows, goals, peak_gflops=peak)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
