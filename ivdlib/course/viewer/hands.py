"""How far hands, a network and the truth are apart: a table of masks of one disc in one slice."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import ndimage

from ivdlib.course.viewer.contour import inside
from ivdlib.course.viewer.one_disc import DiscInSlice
from ivdlib.evaluation.metrics import compare_masks, diagonal_mm

COLUMNS = {"dice": "Dice", "asd_mm": "mean distance (mm)", "hd95_mm": "95 % distance (mm)"}
"""What two masks are compared by, in words."""

_CELL = 'style="padding:1px 12px;text-align:right"'


def compare_hands(disc: DiscInSlice, hands: Sequence[np.ndarray], whose: str) -> pd.DataFrame:
    """Compare drawings of a disc with the truth and the network, and these with each other.

    Parameters
    ----------
    disc : DiscInSlice
    hands : sequence of ndarray
        One contour or two (n, 2), mm; the last one is compared with everything.
    whose : str
        Such as "your drawing".

    Returns
    -------
    DataFrame
        A row for each two that are compared, `COLUMNS` of `evaluation.metrics` within the slice;
        distances are empty where one of the two holds no voxel.
    """
    truth, found, rater = (disc.masks.get(name) for name in ("truth", "found", "rater"))
    drawn = [inside(hand, truth.shape, disc.edges) for hand in hands]
    pairs = {
        f"{whose} – the truth": (drawn[-1], truth),
        f"{whose} – the network": (drawn[-1], found),
        f"{whose} – the first one": (drawn[-1], drawn[0] if len(drawn) > 1 else None),
        "the network – the truth": (found, truth),
        "the phantom's rater – the truth": (rater, truth),
        "one voxel too wide – the truth": (ndimage.binary_dilation(truth), truth),
    }
    rows = {
        title: _scores(*pair, disc.edges)
        for title, pair in pairs.items()
        if not any(mask is None for mask in pair)
    }
    return pd.DataFrame(rows, index=list(COLUMNS)).T.rename(columns=COLUMNS)


def _scores(a: np.ndarray, b: np.ndarray, edges: tuple[float, float]) -> dict[str, float]:
    scores = compare_masks(a, b, edges, diagonal_mm(a.shape, edges))
    return scores if a.any() and b.any() else {"dice": scores["dice"]}


def as_html(scores: pd.DataFrame) -> str:
    """The table for a page, two decimals, with room between its columns."""
    head = "".join(f'<th scope="col" {_CELL}>{html.escape(name)}</th>' for name in scores)
    lines = [f"<tr><td></td>{head}</tr>"]
    for name, values in scores.iterrows():
        numbers = ("–" if np.isnan(value) else f"{value:.2f}" for value in values)
        cells = "".join(f"<td {_CELL}>{number}</td>" for number in numbers)
        title = f'<th scope="row" style="text-align:left">{html.escape(name)}</th>'
        lines.append(f"<tr>{title}{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def whole_voxels(edges: tuple[float, float]) -> str:
    """What voxels of so many mm (height, width) do to the numbers, in words."""
    down, across = edges
    return (
        "Dice and distances are those of masks, and a mask has whole voxels, here of "
        f"{across:.2f} × {down:.2f} mm: a voxel belongs to a drawing if its centre lies inside. So "
        f"a distance is 0, {min(edges):.2f} or {np.hypot(*edges):.2f} mm and so on, never in "
        "between. The 95 % distance (95 % of all distances are no longer) jumps by about such a "
        "step, and a shift of less than half a voxel may change nothing at all. All numbers are of "
        "this one slice."
    )
