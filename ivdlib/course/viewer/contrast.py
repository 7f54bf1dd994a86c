"""What one sees of a contrast: how far discs stand out, and how bright it is shown."""

from __future__ import annotations

import numpy as np

BRIGHTEST = 4.0
"""How many times brighter a picture is shown at most."""

PERCENTILES = (0.5, 99.5)
"""Of the whole scan; drawn black and white, so that its slices stay comparable."""


def greys(volume: np.ndarray) -> np.ndarray:
    """Bring a scan to uint8, black and white at two of its percentiles."""
    low, high = np.percentile(volume, PERCENTILES)
    return np.round(255 * np.clip((volume - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)


def apart(volume: np.ndarray, discs: np.ndarray | None, spine: np.ndarray | None) -> float | None:
    """How far discs and the rest of the spine are apart in a contrast, in units of their spread.

    Parameters
    ----------
    volume : ndarray of float, (slices, AP, SI)
    discs, spine : ndarray of bool, of the same shape, or None
        The rest of the spine is what is spine and no disc.

    Returns
    -------
    float or None
        Difference of the means, discs − rest, over the root of the mean of both variances (Cohen's
        d); None if one of them is not labelled, or neither varies.
    """
    if discs is None or spine is None or not discs.any() or not (spine & ~discs).any():
        return None
    disc, rest = volume[discs], volume[spine & ~discs]
    spread = np.sqrt((disc.var() + rest.var()) / 2)
    return float((disc.mean() - rest.mean()) / spread) if spread else None


def brightness(volume: np.ndarray) -> float:
    """How many times brighter a contrast is shown, so that all but its brightest spots stay."""
    high = float(np.quantile(volume, 0.995))
    return float(np.clip(np.floor(4 / high) / 4, 1.0, BRIGHTEST)) if high > 0 else 1.0
