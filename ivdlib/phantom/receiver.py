"""From tissue on a slice to its images: coil, field, noise, point spread, reconstruction."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from ivdlib.phantom.anatomy import Anatomy
from ivdlib.phantom.artefacts import draw_artefacts, point_spread, shift_fat, spoil, wedge_mask
from ivdlib.phantom.canvas import Canvas, voxel_mean
from ivdlib.phantom.conditions import Conditions
from ivdlib.phantom.exchange_region import ExchangeRegion
from ivdlib.phantom.fields import Field
from ivdlib.phantom.signal import TE_MS, TISSUE_CODES, dephasing, dixon_echoes, reconstruct
from ivdlib.phantom.subject import person_rng

NUCLEUS_COUNTS = 130.0
"""Counts of a healthy nucleus at the middle of the spine; fat near the coil reaches about 500."""
SHARPNESS = 0.25
"""Standard deviation, in voxels, of the blur that scans differ by (times `variety`)."""
GAS_HZ, GAS_MM = 200.0, 2.5
"""Field within gas against tissue (9.4 ppm over 3 at 1.5 T) and the width of its edge, an estimate
(general knowledge): it takes a tenth of the signal beside gas."""
SLAB_MM = (36.0, 160.0)
"""Half the slab from left to right, and upwards: where an exchange may lie."""


class Receiver:
    """The scanner as it stands for one scan.

    Parameters
    ----------
    rng : numpy.random.Generator
        For what holds for the whole scan.
    name : tuple of int
        Names the random numbers of each slice, so that any slice can be made alone.
    anatomy : Anatomy
    conditions : Conditions
    pixel_mm : float
        Edge of a voxel within the slice.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        name: tuple[int, ...],
        anatomy: Anatomy,
        conditions: Conditions,
        pixel_mm: float,
    ) -> None:
        self.name, self.pixel_mm = name, pixel_mm
        self.field, self.bias = Field(rng, (70, 70, 70)), Field(rng, (80, 80, 80))
        self.hertz = rng.uniform(15, 35)
        self.noise = conditions.noise * np.exp(rng.uniform(-0.5, 0.24))
        self.counts = NUCLEUS_COUNTS * np.exp(rng.normal(0, 0.12))
        self.power, self.reach = rng.uniform(0.8, 1.3), rng.uniform(80, 110)
        self.blur = float(abs(rng.normal(0, SHARPNESS)) * conditions.variety)
        back, front = float(anatomy.torso.skin.mean()), float(anatomy.torso.front.mean())
        self.back, self.front = back - 15, front
        self.artefacts = draw_artefacts(rng, conditions.artefacts)
        middle, half = (0, (back + front) / 2, 0), (SLAB_MM[0], (front - back) / 2, SLAB_MM[1])
        self.exchange = ExchangeRegion(rng, conditions.swap, middle, half)

    def record(self) -> dict:
        """What was drawn for the scan."""
        drawn = {"noise": self.noise, "counts": self.counts, "blur_voxels": self.blur}
        drawn |= asdict(self.artefacts)
        return {
            **{name: round(float(value), 4) for name, value in drawn.items()},
            "exchange": self.exchange.kind,
        }

    def __call__(self, canvas: Canvas, mix: np.ndarray) -> dict[str, np.ndarray]:
        """Images of a slice: int16 contrasts, its tissues, and where water and fat were exchanged.

        `mix` is `canvas.mix` averaged to voxels.
        """
        random = person_rng(*self.name, canvas.index)
        y = voxel_mean(canvas.points[1])
        tissue = canvas.tissue()
        field = self.hertz * canvas.smooth(self.field) + self._susceptibility(tissue)
        gain = self._gain(canvas, y)
        mix = shift_fat(mix, self.artefacts.chemical_shift_mm / self.pixel_mm)
        slopes = list(np.gradient(field))
        clean = [
            np.complex64(echo * gain * dephasing(slopes, te))
            for te, echo in zip(TE_MS, dixon_echoes(mix, field), strict=True)
        ]
        moved = spoil(clean, *self._moving(tissue, y), self.artefacts, random, self.pixel_mm)
        (sharp, opposed), (_, in_phase) = (self._measure(echo, random) for echo in moved)
        wins = np.real(sharp * np.exp(-2j * np.pi * field * TE_MS[0] * 1e-3)) >= 0
        wrong = canvas.smooth(self.exchange.level) > 0
        images = reconstruct(opposed, in_phase, wins ^ wrong)
        scale = self.counts * wedge_mask(wins.shape, self.artefacts, self.pixel_mm)
        counts = {name: np.int16(np.rint(image * scale)) for name, image in images.items()}
        return {**counts, "tissue": tissue, "exchanged": wrong & (counts["wat"] != counts["fat"])}

    def _measure(self, echo: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
        """What the measured part of k-space leaves of an echo, without and with noise."""
        noise = random.standard_normal((2, *echo.shape), dtype=np.float32) * np.float32(self.noise)
        if self.blur:
            from scipy.ndimage import gaussian_filter

            echo = gaussian_filter(echo, self.blur * 1.25 / self.pixel_mm)
        sharp = point_spread(echo, self.artefacts.ringing)
        return [sharp, sharp + point_spread(noise[0] + 1j * noise[1], self.artefacts.ringing)]

    def _susceptibility(self, tissue: np.ndarray) -> np.ndarray:
        """Field (Hz) about gas and lung, steep enough at their edge to cost signal."""
        from scipy.ndimage import gaussian_filter

        gas = np.isin(tissue, [TISSUE_CODES["gas"], TISSUE_CODES["lung"]])
        return GAS_HZ * gaussian_filter(np.float32(gas), GAS_MM / self.pixel_mm)

    def _moving(self, tissue: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """Share of each voxel that is bowel, that breathes otherwise, and that pulsates."""
        code = TISSUE_CODES
        ahead = y > 30  # of the spine: blood behind it is marrow's and the canal's
        wall = (tissue == code["liver"]) | ((y > self.front - 35) & (tissue > 0))
        parts = (tissue == code["bowel"], wall, (tissue == code["blood"]) & ahead)
        return [np.float32(part) for part in parts]

    def _gain(self, canvas: Canvas, y: np.ndarray) -> np.ndarray:
        """A surface coil behind the back, partly evened out by the scanner's own normalisation."""
        near = np.maximum(y - self.back, 0) + self.reach
        gain = 1 + 0.07 * canvas.smooth(self.bias)
        return gain * ((self.reach - self.back) / near) ** self.power
