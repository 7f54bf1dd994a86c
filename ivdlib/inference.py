"""Apply networks: tiles in, spliced probability out; region of interest; weights with a passport.

What a weights file (`*.weights.h5`) says of itself, see `passport`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy import ndimage

from ivdlib import fusion, likeness, models, passport
from ivdlib.backend import jit_compile, policy
from ivdlib.errors import DataError, DataWarning, memory_full
from ivdlib.files import atomic, need_room
from ivdlib.patches import (
    TOLERANCE_MM,
    Region,
    TileGrid,
    fits_one_tile,
    region_around,
    whole_image,
)

THRESHOLD = 0.5
"""A pixel is foreground from this probability on; never tuned."""

BATCH_PIXELS = 8 * 112 * 128
"""Pixels that go through a network at once: 8 tiles of the paper's size, more of smaller ones. With
16 the paper's FDS-CNN took 4.0 GB instead of 2.5, and was no faster."""


@dataclass
class Network:
    """A trained network and what it needs to be used.

    Attributes
    ----------
    model : keras.Model
        Takes (batch, AP, SI, 1), gives probabilities of the same shape.
    passport : dict
        `network`, `config`, `tile`, `images`, and more; see `save_weights`.
    """

    model: keras.Model
    passport: dict[str, Any]


def save_weights(
    model: keras.Model, path: str | os.PathLike, card: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights together with their passport; `path` ends with ``.weights.h5``.

    Parameters
    ----------
    model : keras.Model
    path : path
    card : mapping
        The passport; what may stand in it, see `passport.ALLOWED`.

    Returns
    -------
    dict
        The passport as it is in the file, with a checksum of the weights.

    Raises
    ------
    DataError
        Where the weights are not finite, or the passport says what cannot be.
    """
    card = json.loads(json.dumps(dict(card)))
    passport.check(card, path)
    need_room(path, 4 * model.count_params())
    with atomic(path) as temporary:
        model.save_weights(temporary)
        return passport.seal(temporary, card)


@policy()
def load_model(path: str | os.PathLike, *, quiet: bool = False) -> Network:
    """Build the network that a weights file names and load its weights, whatever its ending.

    Parameters
    ----------
    path : path
    quiet : bool, default False
        Leave it to the caller to say that the passport is old.

    Raises
    ------
    DataError
        Where the file is missing, damaged, was not written by `save_weights`, or its passport says
        what cannot be.

    Warns
    -----
    DataWarning
        Where the passport is older than checksums and voxel sizes, see `likeness.older`.
    """
    card, shapes = passport.read(path)
    shape = (*card["tile"], card.get("channels", 1))
    try:
        config = models.config_from_dict(card["network"], card["config"])
        with keras.StatelessScope(initialize_variables=False):  # what would fill memory is not made
            planned = models.build(card["network"], config, shape)
        if sorted(tuple(w.shape) for w in planned.weights) != sorted(shapes):
            raise passport.damaged(path, "the network of its passport does not fit the numbers in "
                                         "the file")  # fmt: skip
        model = models.build(card["network"], config, shape)
        with _as_weights_h5(Path(path)) as named:
            model.load_weights(named)
    except Exception as error:  # Keras and h5py raise every kind
        if memory_full(error) or isinstance(error, DataError):
            raise
        raise passport.damaged(path, error) from error
    model.compile(jit_compile=jit_compile())
    if not quiet and (old := likeness.older({path: card})):
        warnings.warn(old, DataWarning, stacklevel=2)
    return Network(model, card)


@contextmanager
def _as_weights_h5(path: Path) -> Iterator[Path]:
    """Give weights under a name by which Keras knows their kind; it goes by the ending alone."""
    if path.name.endswith(".weights.h5"):
        yield path
        return
    with tempfile.TemporaryDirectory() as place:
        named = Path(place, "model.weights.h5")
        try:
            named.symlink_to(path.absolute())
        except OSError:  # Windows lets not everybody make links
            shutil.copyfile(path, named)
        yield named


@policy()
def probabilities(model: keras.Model, tiles: np.ndarray) -> np.ndarray:
    """Run tiles (n, AP, SI) or (n, AP, SI, channels), float32; gives (n, AP, SI).

    Raises
    ------
    DataError
        Where an answer is not finite.
    """
    out = np.empty(tiles.shape[:3], dtype=np.float32)
    batch = max(1, BATCH_PIXELS // (tiles.shape[1] * tiles.shape[2]))
    for start in range(0, len(tiles), batch):
        part = tiles[start : start + batch]
        part = part[..., np.newaxis] if part.ndim == 3 else part
        padded = np.zeros((batch, *part.shape[1:]), dtype=np.float32)  # one shape: traced once
        padded[: len(part)] = part
        result = keras.ops.convert_to_numpy(model.predict_on_batch(padded))
        out[start : start + batch] = result[: len(part), ..., 0]
    if not np.isfinite(out).all():
        raise DataError("the network answers with NaN: its weights are damaged, or its training "
                        "failed; train it again with a smaller learning_rate.")  # fmt: skip
    return out


def predict_images(
    model: keras.Model | Network, images: Mapping[str, np.ndarray], region: Region | None = None
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

    Returns
    -------
    dict of str to ndarray, float32, (slices, AP, SI)
        Probability of disc by image; zero outside the region.
    """
    model = getattr(model, "model", model)
    shape = next(iter(images.values())).shape[:3]
    region = region or whole_image(shape)
    grid = TileGrid(shape, tuple(model.input_shape[1:3]), region.window)
    tiles = np.stack(
        [grid.cut(np.asarray(region.apply(image), dtype=np.float32)) for image in images.values()]
    )
    result = np.zeros(tiles.shape[:4], np.float32)
    inside = tiles.any(axis=tuple(range(2, tiles.ndim)))
    if inside.any():
        result[inside] = probabilities(model, tiles[inside])
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


def shrink(volume: np.ndarray, factor: int) -> np.ndarray:
    """Average (slices, AP, SI) over `factor` × `factor` pixels of a slice; edges are repeated.

    Gives float32, (slices, ⌈AP / factor⌉, ⌈SI / factor⌉).
    """
    pad = [(0, 0), *((0, -side % factor) for side in volume.shape[1:])]
    padded = np.pad(np.asarray(volume, dtype=np.float32), pad, mode="edge")
    n, h, w = padded.shape
    return padded.reshape(n, h // factor, factor, w // factor, factor).mean(axis=(2, 4))


def enlarge(volume: np.ndarray, factor: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Undo `shrink` by repeating pixels, cropped to `shape`."""
    big = volume.repeat(factor, axis=1).repeat(factor, axis=2)
    return big[:, : shape[1], : shape[2]]


def spine_tile(shape: tuple[int, int, int], factor: int) -> tuple[int, int]:
    """Tile of the spine network: the whole shrunken slice."""
    return tuple(-(-side // factor) for side in shape[1:])


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
    mean = np.mean(list(predict_images(model, small).values()), axis=0)
    return largest_part(enlarge(mean >= THRESHOLD, factor, shape), spacing, gap, tolerance)


def largest_part(
    mask: np.ndarray,
    spacing: Sequence[float],
    gap: float = 0.0,
    tolerance: float = TOLERANCE_MM,
) -> np.ndarray:
    """Keep the largest part of a mask; what lies at most `gap` mm from it belongs to it.

    Parameters
    ----------
    mask : ndarray of bool, (slices, AP, SI)
    spacing : sequence of float
        Voxel edges in mm.
    gap : float, default 0
        In mm; 0 keeps one connected part.
    tolerance : float, default `TOLERANCE_MM`
        What is so little farther away, in mm, belongs to it, too.

    Returns
    -------
    ndarray of bool, same shape
    """
    if not mask.any():
        return mask.copy()
    parts, _ = ndimage.label(mask)
    kept, found = mask & False, parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    while (found != kept).any():  # what is found may lie near other parts
        kept = found
        near = ndimage.distance_transform_edt(~kept, sampling=spacing) <= gap + tolerance
        found = np.isin(parts, np.unique(parts[near & mask]))
    return kept


def region_of(
    spine: np.ndarray | None,
    shape: tuple[int, int, int],
    spacing,
    tile: tuple[int, int],
    margin: float,
    masked: bool = True,
    tolerance: float = TOLERANCE_MM,
) -> Region:
    """Region of interest from a mask of the spine; the whole image where there is none.

    Parameters
    ----------
    spine : ndarray of bool, (slices, AP, SI), or None
    shape : tuple of int
        Of the scan.
    spacing : sequence of float
        Voxel edges in mm.
    tile : tuple of int
        Pixels (AP, SI).
    margin : float
        Widening of the mask in mm.
    masked : bool, default True
        False: only the band that is cut into tiles comes from the spine.
    tolerance : float, default `TOLERANCE_MM`
        See `patches.region_around`.
    """
    if spine is None or not spine.any() or fits_one_tile(shape, tile):
        return whole_image(shape)
    found = region_around(spine, spacing, tile[0], margin, tolerance)
    return found if masked else Region(None, found.window)


def images_of(
    contrasts: Mapping[str, np.ndarray], names: tuple[str, ...], neighbours: int = 0
) -> dict[str, np.ndarray]:
    """Images of a scan by name, each in [0, 1]: single, fused, or stacked.

    Parameters
    ----------
    contrasts : mapping of str to ndarray, (slices, AP, SI)
    names : tuple of str
        ``"wat"``, ``"wat+opp"`` (fused), ``"wat&opp"`` (each a channel).
    neighbours : int, default 0
        Slices on each side that come as further channels; the outermost slice is repeated.

    Returns
    -------
    dict of str to ndarray, float32, (slices, AP, SI), or (slices, AP, SI, channels)
        With an axis of channels where there are several.

    Raises
    ------
    DataError
        Where a contrast is not there, or constant.
    """
    parts = list(dict.fromkeys(part for name in names for part in name.split("&")))
    lacking = [part for part in parts if "+" not in part and part not in contrasts]
    if lacking:
        raise DataError(f"there is no contrast {lacking[0]}, only {', '.join(contrasts)}.")
    fused = [part for part in parts if "+" in part]
    found = {part: fusion.min_max(contrasts[part]) for part in parts if "+" not in part}
    found |= fusion.fuse(contrasts, fused)
    return {name: _stacked([found[p] for p in name.split("&")], neighbours) for name in names}


def _stacked(images: list[np.ndarray], neighbours: int) -> np.ndarray:
    """Channels of an image: each of `images`, each shifted by up to `neighbours` slices."""
    if len(images) == 1 and not neighbours:
        return images[0]
    last = len(images[0]) - 1
    beside = range(-neighbours, neighbours + 1)
    slices = [np.clip(np.arange(last + 1) + shift, 0, last) for shift in beside]
    return np.stack([image[which] for image in images for which in slices], axis=-1)
