"""Where the reconstruction of a scan takes water for fat."""

from __future__ import annotations

import numpy as np

from ivdlib.phantom.fields import Field


class ExchangeRegion:
    """Where the reconstruction takes water for fat: nowhere, in a smooth region, or everywhere.

    A smooth random field above a threshold, within a hill about a spot inside the body, so that the
    region is nearly always one piece, of 3 to 30 % of the body; others synthesise exchanges with
    Perlin noise (arXiv 2502.14659).

    Parameters
    ----------
    rng : numpy.random.Generator
        The same numbers are drawn whatever `swap` is.
    swap : float
        Probability of a region, 0 to 1; the whole scan is exchanged a fifth as often. 0.05 and
        0.01 are plausible: large studies discard a tenth of their scans (arXiv 2107.14175).
    centre, half : tuple of float
        Middle and half size of the body along x, y, z within the slab (mm, the subject's frame).

    Attributes
    ----------
    kind : str
        `none`, `local` or `whole`.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        swap: float,
        centre: tuple[float, float, float],
        half: tuple[float, float, float],
    ) -> None:
        draw = rng.random()
        self.kind = "whole" if draw < swap / 5 else "local" if draw < 1.2 * swap else "none"
        self.half = np.float32(half)
        middle = np.float32(centre)
        self.spot = middle + self.half * np.float32(rng.uniform(-0.7, 0.7, 3))
        share = np.exp(rng.uniform(np.log(0.03), np.log(0.30)))
        # So wide a hill, however small the region, that the field shapes it and hardly splits it.
        self.reach = self.half * np.float32(2 * share ** (1 / 3))
        self.field = Field(rng, (45, 45, 45))
        self.edge = np.float32(0)
        if self.kind == "local":
            # The level that a share of the body exceeds, on a grid of some 10 mm.
            steps = [np.linspace(-h, h, max(3, round(h / 5))) for h in half]
            grid = np.float32(np.meshgrid(*steps, indexing="ij"))
            self.edge = np.quantile(self.level(*(grid + middle[:, None, None, None])), 1 - share)

    def level(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Smooth function that is positive where polarity is wrong; float32, points in mm."""
        if self.kind != "local":
            return np.full(x.shape, 1 if self.kind == "whole" else -1, np.float32)
        away = [(p - s) / h for p, s, h in zip((x, y, z), self.spot, self.reach, strict=True)]
        return np.float32(0.25 * self.field(x, y, z) - sum(a * a for a in away) - self.edge)
