"""Which side wins in a voxel, water or fat: what neighbours and anatomy say about it.

Two-point Dixon knows `inn = wat + fat` and `opp = |wat - fat|` in each voxel; which of the two is
water is a choice, and a scanner that chooses wrong does so in a whole region. `inn` and `opp` look
the same then, so what follows compares the choice with those two images, which cannot be wrong:

- Two neighbours with the same strong `opp` and the same `inn` are one tissue; the choice should be
  the same. Where it is not, one of them stands exchanged. A natural border of water and fat is
  dark in `opp` (partial volume) or changes `inn`.
- Fat is brighter in phase than the tissue beside it (short T1), and lies beneath the skin of the
  back; discs are water; so is most of what lies deep.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ivdlib.data.quality.spins import Bonds

BLOCK_MM = 5.0
"""Voxels of one choice within a cube of this edge are settled together."""

ALIKE, CONTRARY, NATURAL, OTHER, FAINT = 1.0, -1.0, 0.5, 0.1, 0.05
"""Strength of the bond of two neighbours, positive where they should stand right or wrong together.

One tissue with one choice; one tissue with two choices; a border with two choices; a border with
one choice; too little signal in `opp` to tell. The first three are about the log odds measured on
the phantom (neighbours alike: at 7 % of natural borders, at 65 to 80 % of borders of an exchange);
the last two only say that exchanged regions are connected.
"""

NO_AIR, ABOVE_AIR, FAINTEST = 0.12, 2.0, 0.04
"""Of the in-phase image, averaged over 3 × 3 × 3 voxels: its darkest tenth is air unless it reaches
the first share of the brightest tenth; body is what exceeds that air by the second factor (averaged
noise hardly varies) and, where air is written as 0, this third share of the brightest tenth."""

CLEAR, VISIBLE = 6, 4
"""`opp` over the noise where the choice is clear, and where a neighbour of such a voxel counts."""
OPP_APART, INN_APART = 0.20, 0.12
"""Neighbours of one tissue differ by no more than this share (and twice the noise), as do 64 to
78 % of all clear neighbours with one choice."""

PURE = 0.7
"""From this share of `opp` in `inn` on a voxel holds about one of water and fat alone."""

BRIGHT, SHELL, DISC, DEEP = 0.5, 1.0, 0.5, 0.02
"""Pull of anatomy a voxel, in units of the bonds: fat beside water, by the log of their ratio; the
brightest voxel beneath the skin of the back, one a column; a disc; any pure voxel (most tissue that
is not beneath the skin is water, which decides only where nothing else does)."""

LOG_LIMIT = 0.5
"""From here on (fat 1.65 times as bright as water, as at the skin) brighter fat says no more."""
NEIGHBOURHOOD_MM = 10.0
"""Fat and water are compared over about this distance, by a Gaussian of this width."""
SKIN_MM = (2.0, 12.0)
"""Where beneath the surface of the back fat is looked for."""


class SignedScan(NamedTuple):
    """A scan as it is judged: in-phase and opposed image, the choice, and where the body is.

    `water` is bool, True where water was chosen; `noise` is in the units of the images.
    """

    inn: np.ndarray
    opp: np.ndarray
    water: np.ndarray
    body: np.ndarray
    noise: float
    spacing: tuple[float, float, float]


class Blocks(NamedTuple):
    """Node of each voxel (block number times two, plus the choice), blocks and voxels a block."""

    node: np.ndarray
    shape: tuple[int, int, int]
    steps: tuple[int, int, int]

    @property
    def nodes(self) -> int:
        """Number of nodes, those without a voxel included."""
        return 2 * int(np.prod(self.shape))


def sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of all voxels that have a next one along the axis, and of these next ones."""
    before, after = [slice(None)] * 3, [slice(None)] * 3
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    return tuple(before), tuple(after)


def find_body(inn: np.ndarray) -> np.ndarray:
    """Mask (bool) of the body, the largest piece clearly above air; all of it where no air is."""
    from scipy.ndimage import label, uniform_filter

    smooth = uniform_filter(inn, 3)
    dark, bright = np.percentile(smooth[::2, ::2, ::2] if smooth.size > 1e5 else smooth, (10, 90))
    if not bright > 0:
        return np.zeros(inn.shape, bool)
    if dark > NO_AIR * bright:
        return np.ones(inn.shape, bool)
    pieces, count = label(smooth > max(ABOVE_AIR * dark, FAINTEST * bright))
    sizes = np.bincount(pieces.ravel())
    return pieces == sizes[1:].argmax() + 1 if count else pieces > 0


def find_noise(inn: np.ndarray, body: np.ndarray) -> float:
    """Noise and texture together: a robust standard deviation from differences of neighbours."""
    steps = []
    for axis in (1, 2):
        a, b = sides(axis)
        steps.append(np.abs(inn[a] - inn[b])[body[a] & body[b]][::7])
    steps = np.concatenate(steps)
    return 1.4826 * float(np.median(steps)) / 2**0.5 if len(steps) else 0.0


def one_tissue(inn: tuple, opp: tuple, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Tell which pairs of neighbours are one tissue, and which have signal enough to tell at all.

    Parameters
    ----------
    inn, opp : tuple of two ndarray
        The values on either side, of one shape.
    noise : float

    Returns
    -------
    tuple of two ndarray of bool
    """
    (u, v), (x, y) = inn, opp
    high, low = np.maximum(x, y), np.minimum(x, y)
    alike = (low > VISIBLE * noise) & (high - low < OPP_APART * high + 2 * noise)
    alike &= np.abs(u - v) < INN_APART / 2 * (u + v) + 2 * noise
    clear = high > CLEAR * noise
    return alike & clear, clear


def make_blocks(scan: SignedScan) -> Blocks:
    """Cut the scan into blocks of about `BLOCK_MM`."""
    # 5 mm are 2.5 slices of 2 mm: the rounding of an affine must not decide.
    steps = tuple(max(1, round(round(BLOCK_MM / edge, 4))) for edge in scan.spacing)
    shape = tuple(-(-n // step) for n, step in zip(scan.inn.shape, steps, strict=True))
    index = np.ogrid[tuple(slice(n) for n in scan.inn.shape)]
    i, j, k = (np.int32(axis // step) for axis, step in zip(index, steps, strict=True))
    block = (i * shape[1] + j) * np.int32(shape[2]) + k
    return Blocks(2 * block + scan.water, shape, steps)


def bond(scan: SignedScan, blocks: Blocks) -> Bonds:
    """Bonds between blocks of either choice from all pairs of neighbouring voxels in the body."""
    node, (_, ny, nz), count = blocks.node, blocks.shape, blocks.nodes
    within = np.zeros(count // 2)
    found = []
    for axis, stride in enumerate((ny * nz, nz, 1)):
        a, b = sides(axis)
        alike, clear = one_tissue(
            (scan.inn[a], scan.inn[b]), (scan.opp[a], scan.opp[b]), scan.noise
        )
        differ = scan.water[a] != scan.water[b]
        # rows: unclear, border, one tissue; columns: the same choice, two choices
        table = np.float32([[FAINT, FAINT], [OTHER, NATURAL], [ALIKE, CONTRARY]])
        strength = table[clear.view(np.int8) + alike, differ.view(np.int8)]
        strength *= scan.body[a] & scan.body[b]
        ends = np.arange(1, scan.inn.shape[axis]) % blocks.steps[axis] == 0
        inside = differ & ~ends.reshape([-1 if axis == k else 1 for k in range(3)])
        within += np.bincount(node[a][inside] >> 1, strength[inside], minlength=count // 2)
        here = [slice(None)] * 3
        here[axis] = np.flatnonzero(ends)
        here = tuple(here)
        pair = 2 * node[a][here] + (node[b][here] & 1)
        total = np.bincount(pair.ravel(), strength[here].ravel(), minlength=2 * count)
        key = np.flatnonzero(total)
        found.append((key >> 1, 2 * ((key >> 2) + stride) + (key & 1), total[key]))
    key = np.flatnonzero(within)
    found.append((2 * key, 2 * key + 1, within[key]))
    return Bonds(*(np.concatenate(part) for part in zip(*found, strict=True)))


def anatomy(scan: SignedScan, blocks: Blocks, discs: np.ndarray | None = None) -> np.ndarray:
    """Pull of anatomy on each node: positive where its choice looks right, negative where wrong.

    Parameters
    ----------
    scan : SignedScan
    blocks : Blocks
    discs : ndarray of bool, optional

    Returns
    -------
    ndarray, (nodes,)
    """
    shape = (*blocks.shape, 2)

    def total(mask: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
        values = None if values is None else values[mask]
        return np.bincount(blocks.node[mask], values, minlength=blocks.nodes).reshape(shape)

    strong = scan.body & (scan.opp > CLEAR * scan.noise)
    pure = strong & (scan.opp > PURE * scan.inn)
    choice = np.array([-1.0, 1.0])
    held = total(pure)
    brighter = _fat_is_brighter(held, total(pure, scan.inn), blocks)
    pull = DEEP * choice * held + BRIGHT * brighter[..., None] * total(scan.body)
    pull -= SHELL * choice * total(pure & _beneath_the_skin(scan))
    if discs is not None:
        pull += DISC * choice * total(strong & discs)
    return pull.ravel()


def _fat_is_brighter(held: np.ndarray, light: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Log of the brightness of fat over that of water nearby, 0 where one of them lacks."""
    from scipy.ndimage import gaussian_filter

    width = NEIGHBOURHOOD_MM / BLOCK_MM
    held = [gaussian_filter(held[..., k].astype(float), width, mode="constant") for k in (0, 1)]
    fat, water = (gaussian_filter(light[..., k], width, mode="constant") for k in (0, 1))
    scarce = np.minimum(*held) / np.prod(blocks.steps)
    known = scarce > 0.02
    ratio = np.ones(known.shape)
    ratio[known] = (fat[known] / held[0][known]) / (water[known] / held[1][known])
    return np.clip(np.log(ratio), -LOG_LIMIT, LOG_LIMIT) * np.minimum(5 * scarce, 1)


def _beneath_the_skin(scan: SignedScan) -> np.ndarray:
    """Mask of the brightest voxel behind the surface of the back, one a column front to back."""
    mask = np.zeros(scan.body.shape, bool)
    start = scan.body.argmax(axis=1)
    i, k = np.nonzero(scan.body.any(axis=1) & (start > 0))
    near, far = (round(round(depth / scan.spacing[1], 4)) for depth in SKIN_MM)
    last = scan.body.shape[1] - 1
    index = np.minimum(start[i, k][:, None] + np.arange(near, far + 1), last)
    values = scan.inn[i[:, None], index, k[:, None]]
    mask[i, np.take_along_axis(index, values.argmax(axis=1)[:, None], axis=1)[:, 0], k] = True
    return mask
