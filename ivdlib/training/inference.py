"""Apply networks: tiles in, spliced probability out; region of interest; weights with a passport.

What a weights file (`*.weights.h5`) says of itself, see `passport`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ivdlib.errors import DataError
from ivdlib.options import TOLERANCE_MM
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import Region, enlarge, largest_part, shrink, whole_image
from ivdlib.preprocessing.tiles import TileGrid

if TYPE_CHECKING:
    import keras

    from ivdlib.training.openvino_model import OpenVINOModel
    from ivdlib.training.weights import Network

THRESHOLD = 0.5
"""A pixel is foreground from this probability on; never tuned."""

SPINE_OVERLAP = 0.5
"""Of tiles of the spine network, where a slice is larger than one: else a seam may run along the
spine, and both tiles see half of it."""

BATCH_PIXELS = 8 * 112 * 128
"""Pixels that go through a network at once: 8 tiles of the paper's size, more of smaller ones. With
16 the paper's FDS-CNN took 4.0 GB instead of 2.5, and was no faster."""


def tile_probabilities(model: keras.Model | OpenVINOModel, tiles: np.ndarray) -> np.ndarray:
    """Run tiles (n, AP, SI) or (n, AP, SI, channels), float32; gives (n, AP, SI).

    Raises
    ------
    DataError
        If an answer is not finite.
    """
    out = np.empty(tiles.shape[:3], dtype=np.float32)
    batch = max(1, BATCH_PIXELS // (tiles.shape[1] * tiles.shape[2]))
    run = model.predict_on_batch if hasattr(model, "precision") else _by_keras(model, batch)
    for start in range(0, len(tiles), batch):
        part = tiles[start : start + batch]
        part = part[..., np.newaxis] if part.ndim == 3 else part
        out[start : start + batch] = run(part)[..., 0]
    if not np.isfinite(out).all():
        raise DataError("the network answers with NaN: its weights are damaged, or its training "
                        "failed; train it again with a smaller learning_rate.")  # fmt: skip
    return out


def _by_keras(model: keras.Model, batch: int) -> Callable[[np.ndarray], np.ndarray]:
    """`predict_on_batch` of Keras for up to `batch` tiles; only here a framework is needed."""
    import keras

    from ivdlib.networks.backend import policy

    @policy()
    def run(part: np.ndarray) -> np.ndarray:
        padded = np.zeros((batch, *part.shape[1:]), dtype=np.float32)  # one shape: traced once
        padded[: len(part)] = part
        return keras.ops.convert_to_numpy(model.predict_on_batch(padded))[: len(part)]

    return run


def predict_images(
    model: keras.Model | Network,
    images: Mapping[str, np.ndarray],
    region: Region | None = None,
    overlap: float = 0.0,
) -> dict[str, np.ndarray]:
    """Segment images of one scan, each on its own: cut, predict, splice (paper, Sect. 3.1).

    Parameters
    ----------
    model : keras.Model or Network
        Its input shape is the tile.
    images : mapping of str to ndarray, float32 in [0, 1], (slices, AP, SI[, channels])
        After min–max; all of one shape.
    region : Region, optional
        Region of interest; tiles that hold nothing of it are not computed. Default: everything.
    overlap : float, default 0
        See `tiles.TileGrid`.

    Returns
    -------
    dict of str to ndarray, float32, (slices, AP, SI)
        Probability of disc by image; zero outside the region.
    """
    network: Any = getattr(model, "model", model)
    shape = next(iter(images.values())).shape[:3]
    region = region or whole_image(shape)
    grid = TileGrid(shape, tuple(network.input_shape[1:3]), region.window, overlap)
    tiles = np.stack(
        [grid.cut(np.asarray(region.apply(image), dtype=np.float32)) for image in images.values()]
    )
    result = np.zeros(tiles.shape[:4], np.float32)
    inside = tiles.any(axis=tuple(range(2, tiles.ndim)))
    if inside.any():
        result[inside] = tile_probabilities(network, tiles[inside])
    spliced = (region.apply(grid.splice(part)) for part in result)
    return dict(zip(images, spliced, strict=True))


def predict(
    model: keras.Model | Network, image: np.ndarray, region: Region | None = None
) -> np.ndarray:
    """Segment one image of one scan; see `predict_images`.

    Returns
    -------
    ndarray, float32, shape of `image`
        Probability of disc.
    """
    return predict_images(model, {"": image}, region)[""]


def spine_tile(shape: tuple[int, int, int], factor: int) -> tuple[int, int]:
    """Tile of the spine network: the whole shrunken slice."""
    return -(-shape[1] // factor), -(-shape[2] // factor)


def predict_spine(
    model: keras.Model,
    contrasts: Mapping[str, np.ndarray],
    factor: int,
    spacing: Sequence[float],
    gap: float = 0.0,
    tolerance: float = TOLERANCE_MM,
) -> np.ndarray:
    """Segment the spine of a scan (paper, Sect. 2.1).

    The network sees one contrast at a time; the mean over the contrasts of a scan is thresholded
    and its largest part kept, see `largest_part`: one spine a scan, the same for every contrast.

    Parameters
    ----------
    model : keras.Model
        Trained on shrunken slices.
    contrasts : mapping of str to ndarray, (slices, AP, SI)
        The single contrasts of a scan, as loaded.
    factor : int
        See `options.SpineOptions`.
    spacing : sequence of float
        Voxel edges of the scan in mm.
    gap, tolerance : float
        In mm, see `options.SpineOptions`.

    Returns
    -------
    ndarray of bool, same shape
        Possibly empty, where the network finds nothing.
    """
    shape = next(iter(contrasts.values())).shape
    small = {name: shrink(image, factor) for name, image in fusion.single(contrasts).items()}
    mean = np.mean(list(predict_images(model, small, overlap=SPINE_OVERLAP).values()), axis=0)
    return largest_part(enlarge(mean >= THRESHOLD, factor, shape), spacing, gap, tolerance)
