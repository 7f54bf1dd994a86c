"""Affines: spacing, checks, how two grids differ (in mm, directions, voxel size), resampling.

Affines are 4 × 4 arrays that map voxel indices to world millimetres, RAS+ as in NIfTI. Orientations
are given as nibabel gives them: one row an array axis, holding the world axis (0 = right, 1 =
anterior, 2 = superior) and the direction (1 or -1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from ivdlib.data.remarks import Remark, listed
from ivdlib.errors import DataError

AFFINE_TOLERANCE_MM = 0.1
"""Two grids whose corners lie no farther apart than this are the same grid."""

LABEL_AFFINE_LIMIT_MM = 15.0
"""Labels whose affine is off by more than this are refused (set 16 of the challenge: 10.8 mm)."""

LIMIT_DEGREES = 10.0
"""Axes this far apart are two directions, not one that was rounded or lost its tilt (set 16 of the
challenge: 4 degrees at most)."""

LIMIT_STRETCH = 0.02
"""Voxel edges that differ by a larger share are two sizes, not one that was rounded (as 1.24 for
1.25)."""

STRAIGHT_DEGREES = 5.0
"""How far two axes may be off a right angle. Distances and volumes here are those of a straight
grid: at 5 degrees a volume is off by 0.4 %, a distance by 4 % at most."""

SMALLEST_VOLUME_RATIO = 1e-6
"""Voxel volume over the product of the edges below which an affine counts as singular."""


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel edges in mm, one an array axis.

    Parameters
    ----------
    affine : ndarray, (4, 4)

    Returns
    -------
    tuple of 3 floats
    """
    x, y, z = np.linalg.norm(np.asarray(affine, dtype=float)[:3, :3], axis=0)
    return float(x), float(y), float(z)


def mixed_spacings(spacings: Mapping[str, Sequence[float]]) -> tuple[Remark, list[str]]:
    """Say that the scans of a folder differ in the size of their voxels.

    Parameters
    ----------
    spacings : mapping of str to sequence of 3 floats
        Scan → voxel edges in mm, in canonical axes.

    Returns
    -------
    (Remark, list of str)
        The remark, and the scans that differ from the most; "" and none where all edges are
        within `LIMIT_STRETCH` of each other.
    """
    groups: list[tuple[tuple[float, ...], list[str]]] = []
    for name, edges in spacings.items():
        like = (n for first, n in groups if np.allclose(edges, first, rtol=LIMIT_STRETCH, atol=0))
        if (names := next(like, None)) is None:
            groups.append((tuple(edges), names := []))
        names.append(name)
    groups.sort(key=lambda group: -len(group[1]))
    if len(groups) < 2:
        return Remark(""), []
    told = ", ".join(
        f"{' x '.join(f'{edge:.2f}' for edge in edges)} mm in {len(names)} ({listed(names)})"
        for edges, names in groups
    )
    return (
        Remark(
            f"the scans of the folder differ in voxel size: {told}",
            "a network learns sizes in voxels, so resample them to one size, or train and test "
            "those of each size by themselves",
        ),
        [name for _, names in groups[1:] for name in names],
    )


def check_affine(affine: np.ndarray, where: str) -> None:
    """Refuse an affine that does not span a volume.

    Parameters
    ----------
    affine : ndarray, (4, 4)
    where : str
        File or case, for the message.

    Raises
    ------
    DataError
        If the affine holds NaN or inf, has a column of zeros, is singular, or is sheared by more
        than `STRAIGHT_DEGREES`.
    """
    affine = np.asarray(affine, dtype=float)
    if not np.isfinite(affine).all():
        raise DataError(f"{where}: the affine holds NaN or inf; write the file's geometry anew.")
    edges = float(np.prod(spacing_mm(affine)))
    volume = abs(float(np.linalg.det(affine[:3, :3])))
    if edges == 0 or volume < SMALLEST_VOLUME_RATIO * edges:
        raise DataError(
            f"{where}: the affine is singular (two axes fall together or one has length zero); "
            "write the file's geometry anew."
        )
    axes = affine[:3, :3] / spacing_mm(affine)
    cosines = (axes.T @ axes)[np.triu_indices(3, 1)]
    off = float(np.degrees(np.arcsin(np.clip(np.abs(cosines), 0, 1))).max())
    if off > STRAIGHT_DEGREES:
        raise DataError(
            f"{where}: the axes of its affine are {off:.1f} degrees off right angles (sheared); "
            "resample it onto a straight grid."
        )


def corner_displacement_mm(
    affine_a: np.ndarray, affine_b: np.ndarray, shape: tuple[int, ...]
) -> float:
    """How far apart two affines put the worst of the eight corner voxels.

    Parameters
    ----------
    affine_a, affine_b : ndarray, (4, 4)
    shape : tuple of 3 ints
        Voxels along each axis.

    Returns
    -------
    float
        Largest distance between the centres of the same corner voxel, in mm.
    """
    corners = np.array([*product(*((0, n - 1) for n in shape))], dtype=float)
    difference = np.asarray(affine_a, dtype=float) - np.asarray(affine_b, dtype=float)
    moved = corners @ difference[:3, :3].T + difference[:3, 3]
    return float(np.linalg.norm(moved, axis=1).max())


@dataclass(frozen=True)
class Difference:
    """How the grid of one array lies to that of another, axis by axis.

    Attributes
    ----------
    corner_mm : float
        See `corner_displacement_mm`; inf where the shapes differ.
    axes : tuple of 3 ints
        Axis of the other array that each axis runs along.
    mirrored : tuple of 3 bools
        Whether it runs against that one. An axis of one voxel runs nowhere: False.
    degrees : float
        The largest angle between the directions of two such axes.
    stretch : float
        The largest ratio of two such edges, less 1.
    """

    corner_mm: float
    axes: tuple[int, int, int]
    mirrored: tuple[bool, bool, bool]
    degrees: float
    stretch: float

    @property
    def turned(self) -> bool:
        """Axes stand in another order or run the other way."""
        return self.axes != (0, 1, 2) or any(self.mirrored)

    @property
    def alike(self) -> bool:
        """Voxel by voxel one grid, but perhaps for a shift, a slight tilt and rounding."""
        straight = self.degrees <= LIMIT_DEGREES and self.stretch <= LIMIT_STRETCH
        return straight and not self.turned and np.isfinite(self.corner_mm)

    @property
    def same(self) -> bool:
        """One grid for every purpose."""
        return self.alike and self.corner_mm <= AFFINE_TOLERANCE_MM


def compare_grids(
    affine: np.ndarray,
    shape: tuple[int, ...],
    other: np.ndarray,
    other_shape: tuple[int, ...] | None = None,
) -> Difference:
    """Compare two grids: millimetres alone do not tell a thin slab from its mirror image.

    Parameters
    ----------
    affine, other : ndarray, (4, 4)
        Usable ones, see `check_affine`.
    shape, other_shape : tuple of 3 ints
        Voxels along each axis; without the second one both have the first.

    Returns
    -------
    Difference
    """
    other_shape = shape if other_shape is None else other_shape
    edges, other_edges = np.array(spacing_mm(affine)), np.array(spacing_mm(other))
    cosines = (np.asarray(affine)[:3, :3] / edges).T @ (np.asarray(other)[:3, :3] / other_edges)
    rows = [0, 1, 2]
    axes = max(permutations(rows), key=lambda order: np.abs(cosines[rows, order]).sum())
    along = cosines[rows, axes]
    long = np.array(shape) > 1
    ratio = edges / other_edges[[*axes]]
    same_shape = tuple(shape) == tuple(other_shape)
    return Difference(
        corner_displacement_mm(affine, other, shape) if same_shape else float("inf"),
        axes,
        tuple(bool(one) for one in (along < 0) & long),
        float(np.degrees(np.arccos(np.clip(np.abs(along), 0, 1)))[long].max(initial=0)),
        float(np.maximum(ratio, 1 / ratio).max() - 1),
    )


def redirect_axes(affine: np.ndarray, header: np.ndarray, declared: np.ndarray) -> np.ndarray:
    """Give the array axes the world directions that were declared for them.

    Every axis takes the direction that the header had for that world axis, obliqueness included;
    spacing and origin stay.

    Parameters
    ----------
    affine : ndarray, (4, 4)
        As in the file.
    header, declared : ndarray, (3, 2)
        Orientation that the affine says and that is declared to be true.

    Returns
    -------
    ndarray, (4, 4), float64
    """
    affine = np.array(affine, dtype=float)
    spacing = spacing_mm(affine)
    directions = affine[:3, :3] / spacing
    for axis, (world, sign) in enumerate(declared):
        source = int(np.flatnonzero(header[:, 0] == world)[0])
        affine[:3, axis] = directions[:, source] * header[source, 1] * sign * spacing[axis]
    return affine


def resample_nearest(
    labels: np.ndarray, affine: np.ndarray, to_affine: np.ndarray, to_shape: tuple[int, ...]
) -> np.ndarray:
    """Read labels on another grid, each voxel from its nearest neighbour; 0 outside.

    Parameters
    ----------
    labels : ndarray, 3-D
    affine, to_affine : ndarray, (4, 4)
        Of the labels, and of the grid to read them on.
    to_shape : tuple of 3 ints

    Returns
    -------
    ndarray of `to_shape`, the dtype of `labels`
    """
    from scipy.ndimage import affine_transform

    step = np.linalg.inv(affine) @ to_affine
    return affine_transform(
        labels,
        step[:3, :3],
        step[:3, 3],
        output_shape=tuple(to_shape),
        order=0,
        mode="grid-constant",  # "constant" loses border voxels that rounding puts at -1e-16
        prefilter=False,
    )
