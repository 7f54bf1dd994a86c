"""Time FDS-CNN of the paper's size on the tiles of a phantom scan, with each engine.

The tiles are those of four contrasts about the spine; every row has the same weights and tiles,
runs in a process of its own, and its probabilities are compared with those of Keras' own layers.
All rows are gone through ``--rounds`` times; the best time of each counts. With ``--memory`` the
whole scan is taken (288 tiles) and the peak of resident memory is judged.

    python benchmarks/inference.py --weights model.weights.h5 --out inference

Without weights the network is untrained, its moving statistics those of 16 tiles: times and memory
mean something then, differences do not. Ends with status 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from peers import measure

from ivdlib import files
from ivdlib.errors import ConfigError, IvdlibError
from ivdlib.progress import Progress, say

BATCH, SCAN = 16, 288
KERAS, ENGINE = "Keras layers, predict", "ivdlib, keras engine"
OPENVINO = {kind: f"ivdlib, openvino {kind}" for kind in ("float32", "bfloat16")}
FASTER = {"bfloat16": 6.0, "float32": 1.6}
"""Goal: times as fast as `KERAS`, by the best precision that the processor has."""
DIFFERENCE, DICE, MEMORY_GB = 0.02, 0.001, 4.0
"""Goals: largest difference in probability, difference in Dice, memory."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Tiles (n, h, w), float32, to probabilities of the same shape."""


def phantom_tiles(count: int, tile: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Tiles of the four contrasts of a phantom scan's middle slices, and the true discs in them."""
    from ivdlib.phantom import simulate
    from ivdlib.preprocessing import fusion
    from ivdlib.preprocessing.region import region_around
    from ivdlib.preprocessing.tiles import TileGrid

    scan = simulate(slices=min(36, -(-count // 8)))
    turned = np.s_[::-1, ::-1]  # native axes run to the left and backwards
    discs = scan.drawn[turned] > 0
    spacing = tuple(np.linalg.norm(scan.affine[:3, :3], axis=0))
    region = region_around(discs, spacing, tile[0])
    grid = TileGrid(discs.shape, tile, region.window)
    images = [fusion.min_max(image[turned]) for image in scan.contrasts.values()]
    tiles = np.concatenate([grid.cut(np.asarray(image, np.float32)) for image in images])
    truth = np.concatenate([grid.cut(discs)] * len(images))
    chosen = np.linspace(0, len(tiles) - 1, min(count, len(tiles))).astype(int)
    return tiles[chosen], truth[chosen]


def untrained(config: Any, tiles: np.ndarray) -> Any:
    """Return the network with its first weights and the moving statistics of these tiles."""
    import keras
    import tensorflow as tf
    from peers import stock

    from ivdlib import networks

    keras.utils.set_random_seed(0)
    shape = (*tiles.shape[1:], 1)
    model, plain = networks.build("fds_cnn", config, shape), stock.fds_cnn(config, shape)
    for layer in plain.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    # As a graph, which frees maps after use: Keras alone would hold all of them, 20 GB.
    tf.function(lambda x: plain(x, training=True))(tiles[..., None])
    stock.copy_weights(stock.weights(plain), model)
    return model


def prepare(given: argparse.Namespace) -> None:
    """Write tiles and weights into the folder, for all rows."""
    from peers import stock

    from ivdlib import networks
    from ivdlib.training.weights import load_model, save_weights

    tile = tuple(given.tile)  # the paper's, whatever was trained on: the network takes any
    tiles, truth = phantom_tiles(given.tiles, tile)
    if given.weights:
        trained = load_model(given.weights)
        passport = trained.passport | {"tile": list(tile)}
        if passport["network"] != "fds_cnn":
            raise ConfigError(f"{given.weights} holds no FDS-CNN; its peers are written for that.")
        config = networks.config_from_dict("fds_cnn", passport["config"])
        model = networks.build("fds_cnn", config, (*tile, 1))
        model.set_weights(trained.model.get_weights())
    else:
        config = networks.config_of("fds_cnn", given.size)
        passport = {"network": "fds_cnn", "config": config.to_dict(), "tile": list(tile)}
        model = untrained(config, tiles[:BATCH])
    weights = {name: np.array(v) for name, v in stock.weights(model).items()}
    np.savez(given.folder / "weights.npz", **weights)
    save_weights(model, given.folder / "network.weights.h5", passport)
    files.write_json(given.folder / "passport.json", passport)
    np.savez(given.folder / "tiles.npz", tiles=tiles, truth=truth)
    measure.tell(tiles=len(tiles), tile=tile)


def configuration(folder: Path) -> tuple[Any, tuple[int, int]]:
    """Configuration and tile of the network in the folder."""
    from ivdlib import networks

    passport = files.read_json(folder / "passport.json")
    return networks.config_from_dict("fds_cnn", passport["config"]), tuple(passport["tile"])


def keras_layers(folder: Path) -> Predict:
    """Keras' own layers and `predict`, without XLA."""
    from peers import stock

    config, tile = configuration(folder)
    model = stock.fds_cnn(config, (*tile, 1))
    with np.load(folder / "weights.npz") as weights:
        stock.copy_weights(weights, model)
    model.compile(jit_compile=False)
    return lambda tiles: model.predict(tiles[..., None], BATCH, verbose=0)[..., 0]


def torch_layers(folder: Path, bfloat16: bool = False) -> Predict:
    """Return PyTorch's writing of the network, channels last."""
    import torch
    from peers import torch_plain as plain

    network = plain.FDSCNN(configuration(folder)[0]).eval()
    with np.load(folder / "weights.npz") as weights:
        plain.copy_weights(weights, network)
    network = network.to(memory_format=torch.channels_last)

    def predict(tiles: np.ndarray) -> np.ndarray:
        result = []
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            for start in range(0, len(tiles), BATCH):
                batch = plain.to_torch(tiles[start : start + BATCH, ..., None])
                result.append(network(batch)[:, 0].float().numpy())
        return np.concatenate(result)

    return predict


def engine(folder: Path) -> Predict:
    """Return ivdlib's network in Keras."""
    from ivdlib.training import inference
    from ivdlib.training.weights import load_model

    network = load_model(folder / "network.weights.h5")
    return partial(inference.tile_probabilities, network.model)


def openvino(folder: Path, precision: str) -> Predict:
    """Return ivdlib's network in OpenVINO."""
    from ivdlib.training import engines, inference

    path = folder / "network.weights.h5"
    network = engines.load_network(path, "openvino", precision)
    return partial(inference.tile_probabilities, network.model)


class Row(NamedTuple):
    """What is timed, and Keras' backend in its process."""

    make: Callable[[Path], Predict]
    backend: str = "tensorflow"


ROWS = {
    KERAS: Row(keras_layers),
    ENGINE: Row(engine),
    OPENVINO["float32"]: Row(partial(openvino, precision="float32")),
    OPENVINO["bfloat16"]: Row(partial(openvino, precision="bfloat16")),
    "PyTorch": Row(torch_layers, "torch"),
    "PyTorch, bfloat16 autocast": Row(partial(torch_layers, bfloat16=True), "torch"),
}


def run_row(given: argparse.Namespace) -> None:
    """Be the process of one row."""
    if given.row == "prepare":
        prepare(given)
        return
    with np.load(given.folder / "tiles.npz") as data:
        tiles = data["tiles"]
    begin = time.perf_counter()
    predict = ROWS[given.row].make(given.folder)
    predict(tiles[:BATCH])
    known = {"first_s": time.perf_counter() - begin}
    measure.tell(**known, rss_gb=measure.peak_gb())
    begin = time.perf_counter()
    result = predict(tiles)
    known |= {"min_s": time.perf_counter() - begin, "rss_gb": measure.peak_gb()}
    np.save(given.folder / f"{given.row}.npy", result)
    measure.tell(**known)


def compare(row: dict[str, Any], folder: Path, count: int) -> dict[str, Any]:
    """Add speed, and what the probabilities differ by from those of Keras' layers."""
    from ivdlib.evaluation.metrics import dice

    row["tiles_per_s"] = count / row["min_s"] if row["min_s"] else None
    mine, keras = (folder / f"{name}.npy" for name in (row["name"], KERAS))
    if mine.is_file() and keras.is_file():
        mine, keras = np.load(mine), np.load(keras)
        with np.load(folder / "tiles.npz") as data:
            truth = data["truth"]
        masks = mine >= 0.5, keras >= 0.5
        row["largest_difference"] = float(np.abs(mine - keras).max())
        row["dice_with_keras"] = dice(*masks)
        row["dice"] = dice(masks[0], truth)
        row["dice_difference"] = abs(row["dice"] - dice(masks[1], truth))
    order = ("name", "first_s", "tiles_per_s", "rss_gb", "largest_difference", "dice_with_keras")
    return {key: row.get(key) for key in (*order, "dice", "dice_difference", "note")}


def judge(rows: list[dict], weights: bool, memory: bool) -> list[dict]:
    """Return the goals of the rows that were run, and what they came to."""
    from ivdlib.training import engines

    of = {row["name"]: row for row in rows}
    best = OPENVINO[engines.best_precision() if find_spec("openvino") else "float32"]
    ours = [of[name] for name in (ENGINE, *OPENVINO.values()) if name in of]
    goals = []
    if {best, KERAS} <= set(of):
        speeds = [of[name].get("tiles_per_s") for name in (best, KERAS)]
        faster = speeds[0] / speeds[1] if all(speeds) else None
        limit = FASTER["bfloat16" if best == OPENVINO["bfloat16"] else "float32"]
        goals.append(measure.goal(f"{best}, times as fast as {KERAS}", faster, limit))
    for row in ours if weights and KERAS in of else ():
        for key, limit in (("largest_difference", DIFFERENCE), ("dice_difference", DICE)):
            what = f"{row['name']}: {key.replace('_', ' ')}"
            goals.append(measure.goal(what, row[key], limit, least=False))
    for row in ours if memory else ():
        what = f"{row['name']}: memory in GB"
        goals.append(measure.goal(what, row["rss_gb"], MEMORY_GB, least=False))
    return goals


COLUMNS = {"name": "", "first_s": ".1f", "tiles_per_s": ".2f", "rss_gb": ".2f"}
COLUMNS |= {"largest_difference": ".5f", "dice_with_keras": ".5f", "dice": ".4f"}
COLUMNS |= {"dice_difference": ".5f", "note": ""}


def run_all(given: argparse.Namespace) -> tuple[list[dict], int]:
    """Run each row in each round; merged rows, and the number of tiles."""
    names = [name for name in ROWS if name in (given.only or ROWS)]
    words = ["--tiles", given.tiles, "--size", given.size, "--tile", *given.tile]
    words += ["--weights", given.weights.resolve()] if given.weights else []
    with tempfile.TemporaryDirectory() as folder:
        words += ["--folder", folder]
        made = measure.row(__file__, ["--row", "prepare", *words])
        if made["note"]:
            raise ConfigError(f"tiles and weights could not be prepared: {made['note']}")
        found: dict[str, list[dict]] = {name: [] for name in names}
        with Progress(given.rounds * len(names), "engines") as progress:
            for name in names * given.rounds:
                backend = ROWS[name].backend
                found[name].append(measure.row(__file__, ["--row", name, *words], backend))
                say(f"{name}: {found[name][-1]['note'] or 'done'}")
                progress.advance()
        rows = [{"name": name, **measure.merge(results)} for name, results in found.items()]
        return [compare(row, Path(folder), made["tiles"]) for row in rows], made["tiles"]


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--tiles", type=int, default=48, help="number of tiles, at most 288 (default: 48)")
    add("--memory", action="store_true", help="take 288 tiles and judge the memory")
    add("--weights", type=Path, help="weights file of a training (default: untrained)")
    add("--rounds", type=int, default=2, help="how often to run all rows (default: 2)")
    add("--only", nargs="+", choices=list(ROWS), metavar="NAME", help="rows to run")
    add("--out", type=Path, help="folder for table.csv and record.json")
    # For the rows' processes, and for tests.
    add("--row", help=argparse.SUPPRESS)
    add("--folder", type=Path, help=argparse.SUPPRESS)
    add("--size", default="paper", help=argparse.SUPPRESS)
    add("--tile", type=int, nargs=2, default=(112, 128), help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.row:
        run_row(given)
        return 0
    given.tiles = SCAN if given.memory else given.tiles
    rows, count = run_all(given)
    print(f"{count} tiles, {given.weights or 'untrained'}")
    measure.show(rows, COLUMNS)
    goals = judge(rows, bool(given.weights), given.memory) if given.size == "paper" else []
    weights = given.weights.name if given.weights else "untrained"
    return measure.finish(given, rows, goals, arguments={"weights": weights}, tiles=count)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
