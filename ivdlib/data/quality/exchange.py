"""Find where the water and the fat image of a Dixon scan stand exchanged, and swap them back.

Scanners choose in each voxel which of two values is water; a wrong choice spreads over a region
with a smooth border (a swap). Two files under each other's names look like a swap of the whole
body. The identities of `dixon` hold all the same, so what is left is the border, where one tissue
changes from water to fat without a dark line, and anatomy (`polarity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ivdlib.data.quality.polarity import (
    Blocks,
    SignedScan,
    anatomy,
    bond,
    find_body,
    find_noise,
    make_blocks,
    one_tissue,
    sides,
)
from ivdlib.data.quality.spins import Bonds, linked, settle
from ivdlib.errors import DataError

SMALLEST_SHARE = 0.02
"""Share of the body from which an exchange is reported; smaller pieces occur by nature."""

WHOLE_SHARE = 0.95
"""From here on nothing but details stands right, and the two files are meant."""

BORDER = 0.4
"""Share of the clear places along a region's border that must be one tissue on both sides.

Measured on pieces of 1 % of the body and more: 0.4 to 0.9 along true exchanges (the least where
slices are few), 0.2 to 0.35 where nothing is exchanged.
"""

LEAST_PLACES = 30
"""Fewer clear places than this are no border to judge by, as in a scan of a few thousand voxels."""

AGREEMENT, LEAST_PULL = 0.5, 0.002
"""Anatomy agrees to read all of the scan the other way round where its pulls, added up, reach this
share of their sizes, and these sizes this much a voxel (a tenth of the voxels pure tissue)."""

SURE_AGREEMENT, SURE_PULL = 0.8, 0.05
"""The same for a region whose border is a natural one, as where all fat behind the back, and no
more, stands exchanged."""


@dataclass(frozen=True, eq=False)
class Exchange:
    """What was found.

    Attributes
    ----------
    kind : {"none", "local", "whole"}
    share : float
        Exchanged voxels over voxels of the body, 0 to 1.
    map : ndarray of bool
        The shape of the images: voxels where `wat` and `fat` stand exchanged; for "whole" all of
        the body.
    evidence : dict of str to float
        `anatomy`, `anatomy_after`: how far anatomy agrees with the images as they are, and after
        the exchange is undone (1 in all of the scan, -1 nowhere, 0 where it has no say). `border`:
        share of the clear places along the border of the exchanged region where one tissue lies on
        both sides; `provenance`: how many these are (both 0 without such a border).
    """

    kind: str
    share: float
    map: np.ndarray
    evidence: dict[str, float]


def find_exchange(
    contrasts: Mapping[str, np.ndarray],
    spacing: tuple[float, float, float],
    discs: np.ndarray | None = None,
) -> Exchange:
    """Find where `wat` and `fat` stand exchanged.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        `wat` and `fat`, 3-D, of one shape, in canonical axes (RAS+: axis 1 runs forwards). Others
        are not used: `wat + fat` and ``|wat - fat|`` fit the two images better than `inn` and
        `opp`, whose noise is their own.
    spacing : tuple of 3 floats
        Voxel edges in mm.
    discs : ndarray of bool, optional
        Labelled discs, which are water: the best evidence in a scan that shows little else.

    Returns
    -------
    Exchange
        "none" also where the evidence is too weak.

    Raises
    ------
    DataError
        If `wat` or `fat` lacks, or shapes differ.
    """
    wat, fat = _water_and_fat(contrasts)
    if wat.ndim != 3 or (discs is not None and discs.shape != wat.shape):
        raise DataError(
            f"an exchange is looked for in volumes of one shape, not in {wat.shape}"
            f"{'' if discs is None else f' with discs of {discs.shape}'}; give 3-D arrays."
        )
    inn = wat + fat
    body = find_body(inn)
    if not body.any():
        return Exchange("none", 0.0, body, _evidence(0, 0, 0, 0))
    scan = SignedScan(inn, np.abs(wat - fat), wat >= fat, body, find_noise(inn, body), spacing)
    blocks = make_blocks(scan)
    graph = _Graph(scan, blocks, bond(scan, blocks), anatomy(scan, blocks, discs))
    spins, border, places = _believed(scan, graph)
    found = body & (spins[graph.node] < 0)
    share = found.sum() / body.sum()
    before, after = _agreement(graph.pull), _agreement(graph.pull * spins)
    kind = "whole" if share >= WHOLE_SHARE else "local" if share >= SMALLEST_SHARE else "none"
    if kind == "whole":
        share, found = 1.0, body
    elif kind == "none":
        share, after, border, places = 0.0, before, 0, 0
        found = np.zeros_like(body)
    return Exchange(kind, float(share), found, _evidence(before, after, border, places))


def undo_exchange(contrasts: Mapping[str, np.ndarray], map: np.ndarray) -> dict[str, np.ndarray]:
    """Swap `wat` and `fat` back within a map; all else stays as it is.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Holds `wat` and `fat`.
    map : ndarray of bool
        See `Exchange.map`.

    Returns
    -------
    dict of str to ndarray
        New `wat` and `fat`; the other arrays are those that were given.

    Raises
    ------
    DataError
        If `wat` or `fat` lacks, or shapes differ.
    """
    _water_and_fat(contrasts)
    wat, fat = contrasts["wat"], contrasts["fat"]
    if map.shape != wat.shape:
        raise DataError(
            f"a map of shape {map.shape} does not fit images of shape {wat.shape}; "
            "use the map that was found in these images."
        )
    swapped = {"wat": np.where(map, fat, wat), "fat": np.where(map, wat, fat)}
    return {name: swapped.get(name, image) for name, image in contrasts.items()}


def _water_and_fat(contrasts: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    lacking = [name for name in ("wat", "fat") if name not in contrasts]
    if lacking:
        raise DataError(
            f"without {' and '.join(lacking)} no exchange of water and fat can be found or undone; "
            f"provide {' and '.join(lacking)}."
        )
    wat, fat = (np.asarray(contrasts[name], dtype=np.float32) for name in ("wat", "fat"))
    if wat.shape != fat.shape:
        raise DataError(
            f"wat has the shape {wat.shape}, but fat has {fat.shape}; give images of one grid."
        )
    return wat, fat


class _Graph:
    """The nodes that hold a voxel of the body, renumbered: bonds, pull, voxels, and where they lie.

    `node` names the node of each voxel; outside the body it means nothing.
    """

    def __init__(self, scan: SignedScan, blocks: Blocks, bonds: Bonds, pull: np.ndarray) -> None:
        size = np.bincount(blocks.node[scan.body], minlength=blocks.nodes)
        number = np.cumsum(size > 0) - 1
        self.node = number[blocks.node]
        self.bonds = Bonds(number[bonds.one], number[bonds.other], bonds.strength)
        self.pull, self.size = pull[size > 0], size[size > 0]


def _believed(scan: SignedScan, graph: _Graph) -> tuple[np.ndarray, float, float]:
    """Spins of the nodes, -1 where exchanged, without pieces that too little speaks for.

    Also the share of one tissue along the border of what is exchanged, and the clear places there.
    """
    spins = settle(graph.bonds, graph.pull)
    same = spins[graph.bonds.one] == spins[graph.bonds.other]
    piece = linked(graph.bonds.one[same], graph.bonds.other[same], len(spins))
    size = np.bincount(piece, graph.size)
    pull, most = np.bincount(piece, graph.pull * spins), np.bincount(piece, np.abs(graph.pull))
    agreed = (pull >= AGREEMENT * most) & (most >= LEAST_PULL * size)
    sure = (pull >= SURE_AGREEMENT * most) & (most >= SURE_PULL * size)
    alike, clear = _border(scan, spins[graph.node], piece[graph.node], len(size))
    largest = size.argmax()
    main = spins[piece == largest][0]
    kept = sure | ((alike >= BORDER * clear) & (clear >= LEAST_PLACES))
    kept &= size >= SMALLEST_SHARE * size.sum()
    kept[largest] = True
    spins = np.where(kept[piece], spins, main)
    if main < 0 and not agreed[largest]:
        spins, main = -spins, 1.0
    kept[largest] = False
    places = clear[kept].sum()
    return spins, alike[kept].sum() / max(places, 1), places


def _border(
    scan: SignedScan, spins: np.ndarray, piece: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each piece, places along its border: those of one tissue with two choices, clear ones."""
    alike, clear = np.zeros(count), np.zeros(count)
    for axis in range(3):
        a, b = sides(axis)
        places = np.nonzero((spins[a] != spins[b]) & scan.body[a] & scan.body[b])

        def pair(image: np.ndarray, a=a, b=b, places=places) -> tuple[np.ndarray, np.ndarray]:
            return image[a][places], image[b][places]

        same, enough = one_tissue(pair(scan.inn), pair(scan.opp), scan.noise)
        one, other = pair(scan.water)
        same &= one != other
        for side in pair(piece):
            alike += np.bincount(side[same], minlength=count)
            clear += np.bincount(side[enough], minlength=count)
    return alike, clear


def _agreement(pull: np.ndarray) -> float:
    return float(pull.sum() / max(np.abs(pull).sum(), 1e-9))


def _evidence(before: float, after: float, border: float, places: float) -> dict[str, float]:
    numbers = {"anatomy": before, "anatomy_after": after, "border": border, "places": places}
    return {name: round(float(value), 3) for name, value in numbers.items()}
