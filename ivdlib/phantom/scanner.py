"""Scan a person: place the grid, go through the slices, keep the truth."""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields

import numpy as np

from ivdlib.errors import ConfigError
from ivdlib.phantom.anatomy import Anatomy, voxel_spine
from ivdlib.phantom.canvas import Canvas, voxel_mean
from ivdlib.phantom.conditions import Conditions
from ivdlib.phantom.receiver import Receiver
from ivdlib.phantom.subject import ALL_LEVELS, COUNTED, LABELLED, draw_person, person_rng

SLICES, PLANE = 36, 256
FIELD_OF_VIEW_MM = 320.0
SLICE_MM = 2.0


@dataclass(frozen=True)
class MadeScan:
    """One simulated scan on its own grid, as the files hold it.

    Attributes
    ----------
    contrasts : dict of str to numpy.ndarray
        `wat`, `fat`, `inn`, `opp`: int16, (slices, in_plane, in_plane); native axis 1 runs from
        front to back, axis 2 upwards.
    labels, exact, spine : numpy.ndarray
        uint8 0/1: the labelled discs as a rater drew them and as they are; bodies, all discs and
        canal.
    levels, drawn : numpy.ndarray
        uint8: 0, or 1 (L5/S1) to 7 (T11/12), where `exact` and `labels` are 1; and 8 and 9 in the
        two discs above, which are not labelled.
    tissue : numpy.ndarray
        uint8: 0 (air) or the code of the commonest tissue, `signal.TISSUE_CODES`.
    exchanged : numpy.ndarray
        bool: voxels whose water and fat the reconstruction exchanged.
    affine : numpy.ndarray
        float64, 4 × 4, voxel indices to scanner mm (RAS).
    discs : list of dict
        Truth per labelled disc: level, volume_ml, area_mm2, height_mm (mean), height_front_mm,
        height_middle_mm, height_back_mm, x_mm, y_mm, z_mm, grade, bulge_mm, fat_fraction, exact_ml,
        label_ml.
    record : dict
        What was drawn: `person`, `findings`, `scanner`.
    """

    contrasts: dict[str, np.ndarray]
    labels: np.ndarray
    exact: np.ndarray
    spine: np.ndarray
    levels: np.ndarray
    drawn: np.ndarray
    tissue: np.ndarray
    exchanged: np.ndarray
    affine: np.ndarray
    discs: list[dict]
    record: dict


def whole_number(name: str, value: int, least: int, most: int = 2**32 - 1) -> int:
    """Read a whole number, NumPy's included, within limits; ConfigError for others."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most or isinstance(value, bool):
        limits = f"from {least} to {most}" if most < 2**32 - 1 else f"of {least} or more"
        raise ConfigError(f"{name} must be a whole number {limits}, not {value!r}.")
    return number


def check_size(slices: int, in_plane: int) -> tuple[int, int]:
    """Refuse sizes that the phantom has not.

    Raises
    ------
    ConfigError
        If `slices` is not 1 to 36 or `in_plane` is not an even number from 32 to 256.
    """
    slices = whole_number("slices", slices, 1, SLICES)
    in_plane = whole_number("in_plane", in_plane, 32, PLANE)
    if in_plane % 2:
        raise ConfigError(f"in_plane must be an even number from 32 to {PLANE}, not {in_plane}.")
    return slices, in_plane


def simulate(
    subject: int = 1,
    stage: int = 1,
    seed: int = 0,
    slices: int = SLICES,
    in_plane: int = PLANE,
    conditions: Conditions | None = None,
) -> MadeScan:
    """Simulate one scan; nothing is written.

    Parameters
    ----------
    subject, stage : int
        From 1. The same subject at another stage is the same person after bed rest, in a new pose
        and with new noise.
    seed : int
        Seed of the phantom; the same numbers give the same scan.
    slices : int
        1 to 36 sagittal slices of 2 mm: the central ones of the full scan.
    in_plane : int
        Voxels along the other two axes. The field of view stays 320 mm, so fewer voxels are larger
        ones: 256 → 1.25 mm, 128 → 2.5 mm.
    conditions : Conditions, optional
        Pathology, noise, exchanges, raters, variety. Default: `Conditions()`.

    Returns
    -------
    Scan
        Contrasts, labels, affine and truth.

    Raises
    ------
    ConfigError
        For a size outside these ranges, or a subject or stage below 1.
    """
    slices, in_plane = check_size(slices, in_plane)
    subject, stage = whole_number("subject", subject, 1), whole_number("stage", stage, 1)
    seed = whole_number("seed", seed, 0)
    conditions = conditions or Conditions()
    person = draw_person(subject, stage, seed, conditions)
    anatomy = Anatomy(person, subject, stage, seed, conditions.jitter_mm)
    rng = person_rng(seed, subject, 4, stage)
    to_subject, affine = _prescribe(rng, in_plane)
    first = (SLICES - slices) // 2
    receive = Receiver(
        rng, (seed, subject, 5, stage), anatomy, conditions, FIELD_OF_VIEW_MM / in_plane
    )
    volumes: dict[str, list] = {}
    signal = np.zeros((2, len(COUNTED) + 1))
    for index in range(first, first + slices):
        canvas = Canvas(index, in_plane, to_subject, anatomy.warp, anatomy.weights)
        anatomy.paint(canvas)
        mix = voxel_mean(canvas.mix)
        signal += _signal(canvas.levels, mix)
        truth = {"levels": canvas.levels, "drawn": canvas.drawn, "spine": voxel_spine(canvas)}
        for name, image in (receive(canvas, mix) | truth).items():
            volumes.setdefault(name, []).append(image)
    arrays = {name: np.stack(images) for name, images in volumes.items()}
    affine[:3, 3] += affine[:3, :3] @ [first, 0, 0]
    shift = np.eye(4)
    shift[0, 3] = first
    world = affine @ np.linalg.inv(to_subject @ shift)
    levels, drawn = arrays["levels"], arrays["drawn"]
    counts = [np.bincount(a.ravel(), minlength=len(COUNTED) + 1) for a in (levels, drawn)]
    fat = np.divide(*signal, out=np.full(len(COUNTED) + 1, np.nan), where=signal[1] != 0)
    voxel_ml = abs(np.linalg.det(affine[:3, :3])) / 1000
    return MadeScan(
        contrasts={name: arrays[name] for name in ("wat", "fat", "inn", "opp")},
        labels=_labelled(drawn),
        exact=_labelled(levels),
        spine=arrays["spine"].astype(np.uint8),
        levels=levels,
        drawn=drawn,
        tissue=arrays["tissue"],
        exchanged=arrays["exchanged"],
        affine=affine,
        discs=[
            _row(anatomy, number, world, fat[number], [c[number] * voxel_ml for c in counts])
            for number in range(1, len(LABELLED) + 1)
        ],
        record={
            "person": person.numbers(),
            "findings": person.findings.rows(ALL_LEVELS),
            "scanner": receive.record(),
        },
    )


def _labelled(numbers: np.ndarray) -> np.ndarray:
    return ((numbers > 0) & (numbers <= len(LABELLED))).astype(np.uint8)


def _signal(levels: np.ndarray, mix: np.ndarray) -> np.ndarray:
    """Fat's signal, and that of water and fat, in each disc of a slice, before coil and noise.

    In the in-phase image six peaks of fat partly cancel, so `fat / inn` is about half of it there.
    """
    _, water, _, fat = mix
    inside = [levels == number for number in range(len(COUNTED) + 1)]
    return np.array(
        [[part[disc].sum(dtype=np.float64) for disc in inside] for part in (fat, water + fat)]
    )


def _row(
    anatomy: Anatomy, number: int, world: np.ndarray, fat: float, labelled_ml: list[float]
) -> dict:
    level = LABELLED[number - 1]
    at = ALL_LEVELS.index(level)
    truth, disc = anatomy.truth[at], anatomy.discs[at]
    x, y, z = world[:3, :3] @ truth.centre + world[:3, 3]
    sizes = {f.name: float(getattr(truth, f.name)) for f in fields(truth) if f.name != "centre"}
    return {
        "level": level,
        **sizes,
        "x_mm": float(x),
        "y_mm": float(y),
        "z_mm": float(z),
        "grade": disc.grade,
        "bulge_mm": float(disc.bulge + disc.protrusion),
        "fat_fraction": float(fat),
        "exact_ml": float(labelled_ml[0]),
        "label_ml": float(labelled_ml[1]),
    }


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
