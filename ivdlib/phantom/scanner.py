"""Scan a person: voxel grid, averaging, coil, noise, point spread, reconstruction, integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivdlib.errors import ConfigError
from ivdlib.phantom.anatomy import Anatomy, voxel_spine
from ivdlib.phantom.canvas import Canvas, voxel_mean
from ivdlib.phantom.fields import Field
from ivdlib.phantom.signal import TE_MS, dephasing, dixon_echoes, reconstruct
from ivdlib.phantom.subject import LABELLED, LEVELS, draw_person, person_rng

SLICES, PLANE = 36, 256
FIELD_OF_VIEW_MM = 320.0
SLICE_MM = 2.0
NUCLEUS_COUNTS = 130.0
"""Counts of a healthy nucleus at the middle of the spine; fat near the coil reaches about 500."""
NOISE = 0.033
"""Standard deviation of the noise, real and imaginary each, relative to a healthy nucleus."""
KEPT = 0.84
"""Share of the phase-encoding lines (front to back) that are measured; the rest is zero-filled."""


@dataclass(frozen=True)
class Scan:
    """One simulated scan on its own grid, as the files hold it.

    Attributes
    ----------
    contrasts : dict of str to numpy.ndarray
        `wat`, `fat`, `inn`, `opp`: int16, (slices, in_plane, in_plane); native axis 1 runs from
        front to back, axis 2 upwards.
    labels, spine : numpy.ndarray
        uint8 0/1: the labelled discs; bodies, all discs and canal.
    levels : numpy.ndarray
        uint8: 0, or 1 (L5/S1) to 7 (T11/12).
    affine : numpy.ndarray
        float64, 4 × 4, voxel indices to scanner mm (RAS).
    discs : list of dict
        Truth per labelled disc: level, volume_ml, height_mm, x_mm, y_mm, z_mm, label_ml.
    """

    contrasts: dict[str, np.ndarray]
    labels: np.ndarray
    spine: np.ndarray
    levels: np.ndarray
    affine: np.ndarray
    discs: list[dict]


def check_size(slices: int, in_plane: int) -> None:
    """Refuse sizes that the phantom has not.

    Raises
    ------
    ConfigError
        Where `slices` is not 1 to 36 or `in_plane` is not an even number from 32 to 256.
    """
    if not 1 <= slices <= SLICES:
        raise ConfigError(f"slices must be 1 to {SLICES}, not {slices}.")
    if not 32 <= in_plane <= PLANE or in_plane % 2:
        raise ConfigError(f"in_plane must be an even number from 32 to {PLANE}, not {in_plane}.")


def simulate(
    subject: int = 1, stage: int = 1, seed: int = 0, slices: int = SLICES, in_plane: int = PLANE
) -> Scan:
    """Simulate one scan; nothing is written.

    Parameters
    ----------
    subject, stage : int
        From 1. The same subject at another stage is the same person after bed rest, in a new pose
        and with new noise.
    seed : int
        Seed of the phantom; the same four numbers give the same scan.
    slices : int
        1 to 36 sagittal slices of 2 mm: the central ones of the full scan.
    in_plane : int
        Voxels along the other two axes. The field of view stays 320 mm, so fewer voxels are larger
        ones: 256 → 1.25 mm, 128 → 2.5 mm.

    Returns
    -------
    Scan
        Contrasts, labels, affine and truth.

    Raises
    ------
    ConfigError
        For a size outside these ranges, or a subject or stage below 1.
    """
    check_size(slices, in_plane)
    if subject < 1 or stage < 1 or seed < 0:
        raise ConfigError("subject and stage count from 1, and seed from 0.")
    anatomy = Anatomy(draw_person(subject, stage, seed), subject, stage, seed)
    rng = person_rng(seed, subject, 4, stage)
    to_subject, affine = _prescribe(rng, in_plane)
    first = (SLICES - slices) // 2
    receive = _Receiver(rng, seed, subject, stage, anatomy)
    parts = []
    for index in range(first, first + slices):
        canvas = Canvas(index, in_plane, to_subject, anatomy.warp)
        anatomy.paint(canvas)
        parts.append((*receive(canvas), canvas.levels, voxel_spine(canvas)))
    inn, opp, wat, fat, levels, spine = (np.stack(part) for part in zip(*parts, strict=True))
    affine = affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [first, 0, 0]
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    world = affine @ np.linalg.inv(to_subject @ _shift(first))
    return Scan(
        contrasts={"wat": wat, "fat": fat, "inn": inn, "opp": opp},
        labels=(levels > 0).astype(np.uint8),
        spine=spine.astype(np.uint8),
        levels=levels,
        affine=affine,
        discs=[_row(anatomy, level, world, levels, voxel_ml) for level in LABELLED],
    )


def _row(anatomy: Anatomy, level: str, world: np.ndarray, levels: np.ndarray, voxel: float) -> dict:
    truth = anatomy.truth[LEVELS.index(level)]
    x, y, z = world[:3, :3] @ truth.centre + world[:3, 3]
    return {
        "level": level,
        "volume_ml": float(truth.volume_ml),
        "height_mm": float(truth.height_mm),
        "x_mm": float(x),
        "y_mm": float(y),
        "z_mm": float(z),
        "label_ml": float(np.count_nonzero(levels == LABELLED.index(level) + 1) * voxel),
    }


def _shift(first: int) -> np.ndarray:
    shift = np.eye(4)
    shift[0, 3] = first
    return shift


def _prescribe(rng: np.random.Generator, in_plane: int) -> tuple[np.ndarray, np.ndarray]:
    """Place the slab: voxel indices to the subject's frame, and to the scanner (RAS, mm).

    Native axes run to the left, backwards and upwards. The slab lies slightly oblique in the
    scanner and, less so, against the subject; the spine is near its middle, a little to the front
    of the image's middle, as behind the back there is more air.
    """
    size = FIELD_OF_VIEW_MM / in_plane
    scale = np.diag([-SLICE_MM, -size, size])
    middle = np.array([(SLICES - 1) / 2, (in_plane - 1) / 2, (in_plane - 1) / 2])
    against = _rotation(np.clip(rng.normal(0, (1.8, 0.8, 1.0)), -4, 4))
    offset = np.clip(rng.normal((0, 8, 4), (1.5, 5, 6)), (-3, -2, -9), (3, 18, 17))
    oblique = _rotation(rng.normal(0, (2.0, 1.5, 2.0)))
    place = rng.normal(0, (6, 10, 25))
    to_subject, affine = np.eye(4), np.eye(4)
    to_subject[:3, :3] = against @ scale
    to_subject[:3, 3] = offset - to_subject[:3, :3] @ middle
    affine[:3, :3] = oblique @ scale
    affine[:3, 3] = place - affine[:3, :3] @ middle
    return to_subject, affine


def _rotation(degrees: np.ndarray) -> np.ndarray:
    a, b, c = np.deg2rad(degrees)
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return z @ y @ x


class _Receiver:
    """From tissue on a slice to the four images of it."""

    def __init__(self, rng, seed: int, subject: int, stage: int, anatomy: Anatomy) -> None:
        self.name = (seed, subject, 5, stage)
        self.field, self.bias = Field(rng, (70, 70, 70)), Field(rng, (80, 80, 80))
        self.hertz = rng.uniform(15, 35)
        self.noise = NOISE * np.exp(rng.normal(0, 0.2))
        self.counts = NUCLEUS_COUNTS * np.exp(rng.normal(0, 0.12))
        self.power, self.reach = rng.uniform(0.8, 1.3), rng.uniform(80, 110)
        self.back = float(anatomy.torso.skin.mean()) - 15

    def __call__(self, canvas: Canvas) -> list[np.ndarray]:
        y = voxel_mean(canvas.points[1])
        field, bias = canvas.smooth(self.field), canvas.smooth(self.bias)
        field = self.hertz * field
        mix = voxel_mean(canvas.mix)
        gain = 1 + 0.07 * bias
        # A surface coil behind the back, partly evened out by the scanner's own normalisation.
        near = np.maximum(y - self.back, 0) + self.reach
        gain = gain * ((self.reach - self.back) / near) ** self.power
        slopes = list(np.gradient(field))
        random = person_rng(*self.name, canvas.index)
        echoes, phases = dixon_echoes(mix, field), []
        for te, echo in zip(TE_MS, echoes, strict=True):
            noise = random.standard_normal((2, *echo.shape), dtype=np.float32) * self.noise
            clean = echo * gain * dephasing(slopes, te)
            phases.append((_point_spread(clean + noise[0] + 1j * noise[1]), clean))
        (opposed, clean), (in_phase, _) = phases
        wins = np.real(clean * np.exp(-2j * np.pi * field * TE_MS[0] * 1e-3)) >= 0
        images = reconstruct(opposed, in_phase, wins)
        scaled = {name: np.rint(image * self.counts) for name, image in images.items()}
        return [np.int16(np.clip(scaled[name], 0, 32767)) for name in ("inn", "opp", "wat", "fat")]


def _point_spread(image: np.ndarray) -> np.ndarray:
    """Measure fewer phase-encoding lines than voxels, with a soft edge against ringing."""
    count = image.shape[0]
    line = np.abs(np.fft.fftfreq(count)) * 2 / KEPT
    keep = np.cos(np.clip((line - 0.7) / 0.3, 0, 1) * np.pi / 2)
    return np.fft.ifft(np.fft.fft(image, axis=0) * keep[:, None], axis=0)
