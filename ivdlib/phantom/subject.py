"""Draw a person: sizes, curves and tissue values of one subject at one stage.

Disc volumes, heights, tilts and spacings follow the label statistics of the challenge's 16 released
scans (IVDM3Seg); the rest follows published measurements of the lumbar spine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivdlib.phantom.conditions import Conditions
from ivdlib.phantom.pathology import HEIGHT_LEFT, Findings, draw_findings, expected_height
from ivdlib.phantom.signal import TISSUES, Tissue, vary

ALL_LEVELS = (
    *("S3/4", "S2/3", "S1/2", "L5/S1", "L4/5", "L3/4", "L2/3"),
    *("L1/2", "T12/L1", "T11/12", "T10/11", "T9/10", "T8/9"),
)
"""Discs of the phantom from caudal to cranial; the labelled ones are `LABELLED`."""
VERTEBRAE = ("S3", "S2", "S1", "L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9")
LABELLED = ALL_LEVELS[3:10]
COUNTED = ALL_LEVELS[3:12]
"""The labelled discs and the two above them, which an older release of the challenge labels too."""

_VOLUME_LOG = np.array(
    [-3.9, -2.7, -1.8, 0.09, 0.33, 0.31, 0.22, -0.04, -0.33, -0.58, -0.81, -0.99, -1.13]
)
"""Log of the disc volume over the geometric mean of 12.4 mL."""
_VOLUME_SD = np.array([0.1, 0.1, 0.1, 0.17, 0.10, 0.07, 0.08, 0.07, 0.06, 0.10, 0.1, 0.1, 0.1])
_BOUNDS_ML = np.array(
    [(7.0, 21.0), (7.9, 27.9), (10.3, 23.9), (7.6, 24.4), (5.6, 19.2), (4.6, 13.8), (3.0, 11.4)]
)
"""Mean -+ 2 standard deviations of the 16 scans, L5/S1 to T11/12, in mL."""
_HEIGHT = np.array([1.2, 2.2, 3.5, 10.4, 10.8, 10.7, 10.3, 8.7, 7.4, 6.3, 5.3, 4.9, 4.6])
_TILT = np.array([46.0, 45, 41, 31, 14, 3, -4, -8, -8, -6, -3, 0, 3])
"""Forward lean of the disc's axis in degrees; lying."""
_SPACING_Z = np.array([11.4, 15.1, 23.6, 36.8, 38.8, 38.5, 36.9, 35.0, 32.8, 30.3, 28.5, 27.0])
_WEDGE = np.array([0.0, 1, 3, 12, 10, 8, 6.5, 5, 3.5, 3, 2, 1, 1])
_NOTCH = np.array([0.0, 0, 0.05, 0.04, 0.08, 0.12, 0.13, 0.13, 0.13, 0.12, 0.12, 0.12, 0.12])


@dataclass(frozen=True)
class Person:
    """One subject at one stage: per-disc arrays (caudal to cranial) and single numbers.

    Lengths in mm, volumes in mL, angles in degrees; x to the right, y forwards, z upwards.
    """

    volume_ml: np.ndarray
    height: np.ndarray
    aspect: np.ndarray
    tilt: np.ndarray
    lean: np.ndarray
    wedge: np.ndarray
    notch: np.ndarray
    centre: np.ndarray
    findings: Findings
    tissues: dict[str, Tissue]
    marrow_fat: np.ndarray
    canal: float
    depth: float
    back_fat: float
    front_fat: float
    streaks: float
    epidural: float
    prevertebral: float
    belly: tuple[float, float]

    def numbers(self) -> dict[str, float | list]:
        """What a record of the scan should say about the person; T11/12 to L5/S1."""
        return {
            "lordosis_deg": round(float(self.tilt[3] - self.tilt[9]), 2),
            "cobb_deg": round(self.findings.cobb_deg, 2),
            "spine_mm": round(float(self.centre[9, 2] - self.centre[3, 2]), 2),
            "canal_mm": round(self.canal, 2),
            "body_depth_mm": round(self.depth, 1),
            "back_fat_mm": round(self.back_fat, 1),
            "front_fat_mm": round(self.front_fat, 1),
            "marrow_fat_fraction": [round(float(fat), 3) for fat in self.marrow_fat[3:10]],
        }


def person_rng(seed: int, subject: int, *more: int) -> np.random.Generator:
    """Random numbers that depend on the seed, the subject and whatever else is named."""
    return np.random.default_rng([seed, subject, *more])


def draw_person(
    subject: int, stage: int, seed: int, conditions: Conditions | None = None
) -> Person:
    """Draw `subject`; from stage 2 on the same person after bed rest.

    After bed rest the discs are 1 to 10 % higher, the spine 3 to 6 mm longer between T11/12 and
    L5/S1 and the lordosis about 4 degrees smaller.

    Parameters
    ----------
    subject, stage : int
        From 1.
    seed : int
        Seed of the whole phantom.
    conditions : Conditions, optional
        Rates of pathology and variety of tissues. Default: `Conditions()`.
    """
    conditions = conditions or Conditions()
    rng = person_rng(seed, subject, 0)
    count = len(ALL_LEVELS)
    size = rng.standard_normal()
    shift = np.where(np.arange(count) < 3, 0.5, 1.0)
    deviation = shift * 0.23 * np.clip(size, -1.7, 1.8) + _VOLUME_SD * rng.standard_normal(count)
    # No disc far beyond the smallest and the largest that were measured at its level.
    deviation = np.clip(deviation, -0.40, 0.36)
    aspect = np.clip(rng.normal(0.73, 0.015) + rng.normal(0, 0.006, count), 0.69, 0.77)
    spread = 0.055 * (0.68 * size + 0.73 * rng.standard_normal())
    spacing = _SPACING_Z * (1 + np.clip(spread, -0.1, 0.1) + rng.normal(0, 0.012, count - 1))
    lordosis = np.clip(rng.normal(1, 0.2), 0.6, 1.4)
    pelvis = rng.normal(0, 2.0)
    fat = np.clip(rng.normal(0.36, 0.06), 0.2, 0.6) - 0.01 * (np.arange(count - 1) - 5)
    fat = np.clip(fat + rng.normal(0, 0.01, count - 1), 0.1, 0.7)
    canal = np.clip(rng.normal(16, 1.5), 12.5, 20)
    torso = rng.normal(0, 1, 8)
    # Findings and tissues have numbers of their own: another rate leaves the rest alone.
    findings = draw_findings(person_rng(seed, subject, 6), ALL_LEVELS, conditions)
    tissues = vary(TISSUES, person_rng(seed, subject, 7), 0.08 * conditions.variety)
    left = _height_left(findings.grade, conditions.rates["degeneration"], deviation)
    # Area and height share the deviation: the real areas vary by 12 %, the volumes by 25 %.
    full = _HEIGHT * np.exp(0.5 * deviation)
    height, volume = full * left, 12.4 * np.exp(_VOLUME_LOG + deviation) * left
    # Bodies keep their height: where a disc has sunk, its neighbours come closer.
    lost = full * (1 - left)
    spacing = spacing - (lost[1:] + lost[:-1]) / 2
    if stage > 1:
        after = person_rng(seed, subject, 1, stage)
        growth = np.clip(0.03 * np.exp(0.6 * after.standard_normal()), 0.01, 0.08)
        growth = np.clip(growth + after.normal(0, 0.008, count), 0.01, 0.10)
        volume, height = volume * (1 + growth), height * (1 + growth)
        spacing = spacing * (1 + after.uniform(3, 6) / spacing[3:9].sum())
        lordosis -= np.clip(after.normal(4, 2.5), 0.5, 9) / 39
    tilt = np.where(_TILT > 40, _TILT + 31 * (lordosis - 1), _TILT * lordosis) + pelvis
    centre, lean = _chain(tilt, spacing, findings.cobb_deg)
    return Person(
        volume_ml=volume,
        height=height,
        aspect=aspect,
        tilt=tilt,
        lean=lean,
        wedge=_WEDGE * (0.5 + 0.5 * lordosis) * left,
        notch=_NOTCH,
        centre=centre,
        findings=findings,
        tissues=tissues,
        marrow_fat=fat,
        canal=float(canal),
        depth=float(195 + 10 * torso[0]),
        back_fat=float(np.clip(6 + 2 * torso[1], 3, 11)),
        front_fat=float(np.clip(11 + 4 * torso[2], 5, 20)),
        streaks=float(np.clip(1 + 0.25 * torso[3], 0.5, 1.6)),
        epidural=float(np.clip(1 + 0.3 * torso[4], 0.4, 1.7)),
        prevertebral=float(np.clip(6 + 2.5 * torso[5], 1, 12)),
        belly=(float(8 + 3 * torso[6]), float(6 + 2 * torso[7])),
    )


def _height_left(grade: tuple[int, ...], rate: float, deviation: np.ndarray) -> np.ndarray:
    """Height that wear leaves to each disc, over the mean of its level.

    The measured volumes are those of all discs, worn ones among them; a labelled disc stays within
    `_BOUNDS_ML`, with room for another stage and a rater.
    """
    left = np.array([HEIGHT_LEFT[number] for number in grade])
    left = left / [expected_height(level, rate) for level in ALL_LEVELS]
    full = 12.4 * np.exp(_VOLUME_LOG + deviation)[3:10]
    low, high = _BOUNDS_ML.T
    left[3:10] = np.clip(left[3:10], 1.06 * low / full, 0.90 * high / full)
    return left


def _chain(tilt: np.ndarray, spacing_z: np.ndarray, cobb: float) -> tuple[np.ndarray, np.ndarray]:
    """Stack the discs: centres (mm) with the labelled chain centred at zero, and sideways lean."""
    middle = np.deg2rad((tilt[1:] + tilt[:-1]) / 2)
    z = np.concatenate([[0], np.cumsum(spacing_z)])
    y = np.concatenate([[0], np.cumsum(spacing_z * np.tan(middle))])
    z -= (z[3] + z[9]) / 2
    y -= y[3:10].mean()
    lean = cobb / 2 * np.cos(np.pi * z / 110)
    x = np.deg2rad(cobb / 2) * 110 / np.pi * np.sin(np.pi * z / 110)
    return np.stack([x, y, z], axis=1), lean
