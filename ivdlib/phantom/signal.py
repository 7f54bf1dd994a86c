"""Tissues and their two-point Dixon signal: 1.5 T, spoiled gradient echo, six-peak fat.

A tissue is kept as four real numbers: the water and the fat signal at either echo, relaxation
included. They add up linearly, so averaging them over a voxel and combining them into a complex
number afterwards is the same as averaging complex numbers, as long as the field hardly changes
within the voxel (`dephasing` covers the places where it does).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

TE_MS = (2.39, 4.77)
"""Echo times in ms: opposed phase, in phase (usual 1.5 T product values)."""
TR_MS = 6.7
FLIP_DEG = 10.0
LARMOR_MHZ = 63.87
WATER_PPM = 4.7
FAT_PPM = np.array([5.3, 4.2, 2.75, 2.1, 1.3, 0.9])
FAT_SHARE = np.array([0.047, 0.039, 0.006, 0.120, 0.700, 0.088])
FAT_T1_MS = 290.0


@dataclass(frozen=True)
class Tissue:
    """Proton density (relative), T1 and T2* (ms) of water, proton density and T2* of fat."""

    water: float
    t1: float
    t2s: float
    fat: float = 0.0
    fat_t2s: float = 25.0


TISSUES = {
    "nucleus": Tissue(0.80, 1165, 80, 0.042),
    "nucleus_intermediate": Tissue(0.62, 723, 50, 0.042),
    "nucleus_dry": Tissue(0.48, 554, 30, 0.042),
    "annulus": Tissue(0.68, 900, 30, 0.042),
    "annulus_outer": Tissue(0.45, 700, 8),
    "cartilage": Tissue(0.45, 700, 6),
    "cortex": Tissue(0.10, 250, 0.6, 0.02, 10),
    "marrow_water": Tissue(0.68, 750, 14),
    "marrow_fat": Tissue(0.0, 750, 14, 0.68, 14),
    "csf": Tissue(1.0, 4273, 800),
    "cord": Tissue(0.62, 780, 60),
    "muscle": Tissue(0.74, 870, 25, 0.04, 25),
    "fat": Tissue(0.06, 700, 25, 0.86, 40),
    "fat_deep": Tissue(0.08, 700, 25, 0.80, 40),
    "blood": Tissue(0.85, 1441, 120),
    "haemangioma": Tissue(0.30, 900, 25, 0.55, 25),
    "liver": Tissue(0.75, 580, 25, 0.03, 25),
    "bowel": Tissue(0.70, 700, 25, 0.06, 25),
    "ligament": Tissue(0.30, 600, 4, 0.03, 10),
    "skin": Tissue(0.50, 700, 15, 0.10, 25),
    "gas": Tissue(0.0, 1000, 1),
    "lung": Tissue(0.20, 1100, 1.5),
}
"""Literature values (SyMRI spine, abdominal phantoms, marrow spectroscopy) at 1.5 T.

Discs get fat of density 0.042, a twentieth of a healthy nucleus. It stands for the phase errors of
a real reconstruction, which this one has not: in a published scan the fat image holds 6 % of the
water image in discs, while T2* alone would leave it at 0 and make discs brighter in opposed phase
than in phase.
"""

TISSUE_CODES = {name: code for code, name in enumerate(TISSUES, 1)}
"""Values of the tissue map, where 0 is air; all marrow is `marrow_water`, named "marrow" there."""


def vary(tissues: dict[str, Tissue], rng: np.random.Generator, spread: float) -> dict[str, Tissue]:
    """Tissues of one person: densities and water's relaxation times times log-normal factors.

    Parameters
    ----------
    tissues : dict of str to Tissue
    rng : numpy.random.Generator
    spread : float
        Standard deviation of the factors' logarithm; half of it for the densities.
    """
    varied = {}
    for name, tissue in tissues.items():
        a, b, c, d = np.exp(spread * np.clip(rng.standard_normal(4), -2, 2))
        varied[name] = replace(
            tissue,
            water=tissue.water * a**0.5,
            t1=tissue.t1 * b,
            t2s=tissue.t2s * c,
            fat=tissue.fat * d**0.5,
        )
    return varied


def fat_phasor(te_ms: float) -> complex:
    """Sum of the six fat peaks at an echo time, water at rest; |c| is near 0.8 at both echoes."""
    hertz = (FAT_PPM - WATER_PPM) * LARMOR_MHZ
    return complex(np.sum(FAT_SHARE * np.exp(2j * np.pi * hertz * te_ms * 1e-3)))


def saturation(t1_ms: float) -> float:
    """Steady-state factor of a spoiled gradient echo, ``sin a (1 - E1) / (1 - E1 cos a)``."""
    angle, e1 = np.deg2rad(FLIP_DEG), np.exp(-TR_MS / t1_ms)
    return float(np.sin(angle) * (1 - e1) / (1 - e1 * np.cos(angle)))


def weights(tissue: Tissue) -> np.ndarray:
    """Water at echo 1 and 2, fat at echo 1 and 2, relative to a healthy nucleus in phase.

    Returns
    -------
    numpy.ndarray
        float32, shape (4,).
    """
    water = tissue.water * saturation(tissue.t1)
    fat = tissue.fat * saturation(FAT_T1_MS)
    values = [water * np.exp(-te / tissue.t2s) for te in TE_MS]
    values += [fat * np.exp(-te / tissue.fat_t2s) for te in TE_MS]
    return np.float32(np.array(values) / _UNIT)


_UNIT = 0.80 * saturation(1165) * np.exp(-TE_MS[1] / 80)
"""In-phase signal of a healthy nucleus; every signal is a multiple of it."""


def dixon_echoes(mix: np.ndarray, field_hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Combine water and fat into the complex echoes ``(W + F c(TE)) exp(2 pi i dB0 TE)``.

    Parameters
    ----------
    mix : numpy.ndarray
        float32, (4, ...): water at echo 1 and 2, fat at echo 1 and 2.
    field_hz : numpy.ndarray
        Field map in Hz, the shape of one channel.

    Returns
    -------
    tuple of numpy.ndarray
        complex64: the opposed-phase and the in-phase echo.
    """
    echoes = []
    for number, te in enumerate(TE_MS):
        phase = np.exp(2j * np.pi * field_hz * te * 1e-3)
        echoes.append(np.complex64((mix[number] + mix[2 + number] * fat_phasor(te)) * phase))
    return echoes[0], echoes[1]


def dephasing(gradient_hz: list[np.ndarray], te_ms: float) -> np.ndarray:
    """Signal left when the field differs by `gradient_hz` (Hz per voxel, one array an axis)."""
    left = np.ones_like(gradient_hz[0])
    for gradient in gradient_hz:
        left *= np.abs(np.sinc(gradient * te_ms * 1e-3))
    return left


def reconstruct(opposed: np.ndarray, in_phase: np.ndarray, water_wins: np.ndarray) -> dict:
    """Two-point Dixon: magnitudes, then ``wat = (inn + q opp) / 2``, ``fat = (inn - q opp) / 2``.

    Parameters
    ----------
    opposed, in_phase : numpy.ndarray
        Complex echoes.
    water_wins : numpy.ndarray
        bool; the true polarity: q = +1 where water outweighs fat, else -1.

    Returns
    -------
    dict of str to numpy.ndarray
        `wat`, `fat`, `inn`, `opp`, none below zero.
    """
    inn, opp = np.abs(in_phase), np.abs(opposed)
    signed = np.where(water_wins, opp, -opp)
    wat, fat = np.maximum((inn + signed) / 2, 0), np.maximum((inn - signed) / 2, 0)
    return {"wat": wat, "fat": fat, "inn": inn, "opp": opp}
