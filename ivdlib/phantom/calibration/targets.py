"""What the phantom was to reach, row by row, and whether it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ivdlib.phantom.calibration.real import (
    HEIGHT_COLUMNS,
    HEIGHTS_MM,
    PUBLISHED_CONTRASTS,
    QUANTITIES,
    band,
    real_statistics,
)
from ivdlib.phantom.calibration.rows import (
    ACCEPTANCE,
    COLUMNS,
    NOT_THERE,
    average,
    each,
    target_row,
)

if TYPE_CHECKING:
    import pandas as pd

    from ivdlib.phantom.calibration.measure import Measured

ALL_SLICES = "needs all 36 slices"
TWO_STAGES = "needs two stages of a person"
LABELS = "16 real scans"
SLICE = "grey values of a published slice"
RATERS = "agreement of raters in the literature; not tuned to any score"
REST = "published changes after bed rest"
SHARE_IN_BAND = 0.95
"""Part of a normal distribution within 2 SD; asked of discs taken together."""


def targets(measured: Measured) -> pd.DataFrame:
    """Hold a phantom against its targets.

    Parameters
    ----------
    measured : Measured
        See `measure`.

    Returns
    -------
    DataFrame
        One row a target, those of acceptance first: `group` ("acceptance": the phantom is not done
        without; "comparison": worth knowing), `target`, `source`, `wanted` (words), `low`, `high`
        (numbers, NaN if there is none), `measured` (words), `n` (scans, discs or pairs that were
        measured), `met` (True, False, or None if it cannot be said; `measured` tells why).
    """
    import pandas as pd

    rows = [
        *_anatomy(measured),
        *_together(measured),
        *_identities(measured.scans),
        *_contrasts(measured.scans),
        *_rater(measured.scans),
        *_heights(measured.levels),
        *_stages(measured),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"met": object})
    return table.sort_values("group", kind="stable", ignore_index=True)


def _anatomy(measured: Measured) -> list[tuple]:
    """Rows on the label that the phantom is not done without."""
    scans, real = measured.scans, real_statistics()
    discs = measured.levels if measured.whole else measured.levels.iloc[:0]
    full = scans if measured.whole else scans.iloc[:0]
    rest = {"group": ACCEPTANCE, "lacking": ALL_SLICES}
    seven = int(np.count_nonzero(scans["components"] == 7))
    volumes = {level: discs.loc[discs["level"] == level, "volume_ml"] for level in real["levels"]}
    ends = [*full["z_low"], *full["z_high"]]
    return [
        target_row("Separate pieces in the label", "seven discs are labelled", "7 in each scan",
            f"{seven} of {len(scans)}", len(scans), seven == len(scans), (7, 7), ACCEPTANCE),
        *(each(f"Disc volume, {level}", f"{LABELS}: mean ± 2 SD", values,
               band("volume_ml", level), " mL", **rest) for level, values in volumes.items()),
        each("Share of voxels that are disc", f"{LABELS}: smallest to largest",
             full["foreground_percent"], (0.9, 1.9), " %", digits=2, **rest),
        each("Lowest and highest labelled voxel, of 256", f"{LABELS}: lowest and highest", ends,
             tuple(real["z_index_range"]), digits=0, **rest),
    ]  # fmt: skip


def _together(measured: Measured) -> list[tuple]:
    """Rows on the label over all levels: how many discs lie within the band of their own level."""
    rows = []
    for quantity, name in QUANTITIES.items():
        if quantity == "volume_ml":
            continue
        known = real_statistics()[quantity]
        discs = measured.levels[["level", quantity]].dropna()
        discs = discs[discs["level"].isin(list(known))]
        # Where a disc's middle lies can be told from some slices; how large it is cannot.
        if not measured.whole and quantity != "centre_spacing_z_mm":
            discs = discs.iloc[:0]
        limits = [band(quantity, level) for level in discs["level"]]
        pairs = zip(discs[quantity], limits, strict=True)
        inside = sum(low <= value <= high for value, (low, high) in pairs)
        rows.append(target_row(
            f"{name[0].upper()}{name[1:]}", f"{LABELS}: mean ± 2 SD of the level",
            "95 % of the discs", f"{inside} of {len(discs)}", len(discs),
            inside >= SHARE_IN_BAND * len(discs), lacking=ALL_SLICES,
        ))  # fmt: skip
    slices = real_statistics()["slices_with_label"]
    found = measured.scans["slices"] if measured.whole else []
    return [*rows, each("Slices with label", f"{LABELS}: smallest to largest", found,
                        (min(slices), max(slices)), digits=0, lacking=ALL_SLICES)]  # fmt: skip


def _identities(scans: pd.DataFrame) -> list[tuple]:
    rows = []
    for key, target in (("inn_holds", "inn = wat + fat"), ("opp_holds", "opp = |wat − fat|")):
        shares = scans[key].dropna()
        whole = int(np.count_nonzero(shares == 1))
        words = f"{whole} of {len(shares)} scans"
        if whole < len(shares):
            words += f"; in the worst {np.floor(shares.min() * 1e5) / 1e3:.3f} % of the voxels"
        rows.append(target_row(
            f"{target}, to one count", "two-point Dixon", "every voxel where nothing was cut off",
            words, len(shares), whole == len(shares), (1, 1), ACCEPTANCE,
        ))  # fmt: skip
    return rows


def _contrasts(scans: pd.DataFrame) -> list[tuple]:
    rows = [
        average(f"Grey value of {words}", f"{SLICE}: {value:.2f} ± 15 %", scans[key],
                (0.85 * value, 1.15 * value), digits=3 if value < 0.1 else 2, group=ACCEPTANCE)
        for key, (value, words) in PUBLISHED_CONTRASTS.items()
    ]  # fmt: skip
    return [
        *rows,
        average("Grey value of muscle to disc, water image", SLICE, scans["muscle_wat"],
                (0.87, 1.07)),
        average("Grey value of fat under the skin in the fat image, to disc in the water image",
                f"{SLICE}, where it is thin", scans["skin_fat"], (1.2, np.inf)),
        each("Noise in phase, to disc", "usual for such scans", scans["noise_disc"], (0.02, 0.07),
             digits=3),
        average("Fat under the skin, back to front, in phase",
                "coil behind the back; estimate from a published slice", scans["back_front"],
                (3, 5), digits=1),
    ]  # fmt: skip


def _rater(scans: pd.DataFrame) -> list[tuple]:
    drawn = scans.loc[scans["jitter_mm"] > 0]
    off = NOT_THERE if scans["jitter_mm"].isna().all() else "labels are exact: no rater was asked"
    mean, square = "mean distance of the surfaces", "root mean square of the same"
    return [
        average(f"Label to exact label, {mean}", RATERS, drawn["jitter_mm"], (0.4, 0.6), " mm",
                group=ACCEPTANCE, lacking=off),
        target_row(f"Label to exact label, {square}", RATERS, "shown only",
            f"{drawn['jitter_rms_mm'].mean():.2f} mm", len(drawn), None, lacking=off),
    ]  # fmt: skip


def _heights(levels: pd.DataFrame) -> list[tuple]:
    rows = []
    for column, (name, source) in HEIGHT_COLUMNS.items():
        means = levels.groupby("level")[column].mean().dropna()
        known = {k: v for k, v in HEIGHTS_MM[column].items() if k in means.index}
        outside = [k for k, (low, high) in known.items() if not low <= means[k] <= high]
        words = f"{len(known) - len(outside)} of {len(known)} levels"
        words += f" (not {', '.join(outside)})" if outside else ""
        rows.append(target_row(
            f"Disc height, {name}", source, "mean of each level within its range",
            words, len(known), not outside,
        ))  # fmt: skip
    return rows


def _stages(measured: Measured) -> list[tuple]:
    pairs, heights = measured.pairs, measured.heights["height_percent"].dropna()
    lack = {"lacking": NOT_THERE if len(pairs) else TWO_STAGES}
    median = heights.median()
    volume = {"values": pairs["volume_percent"], **lack}
    if len(pairs) and not measured.whole:
        volume = {"values": [], "lacking": ALL_SLICES}
    return [
        each("Second stage: growth of each disc's height", REST, heights, (1, 10), " %", **lack),
        target_row("Second stage: median of that growth", REST, "about 3 % (2 to 4)",
            f"{median:.1f} %", len(heights), bool(2 <= median <= 4), (2, 4), **lack),
        each("Second stage: growth of the spine, L5/S1 to T11/12", REST, pairs["length_mm"],
             (3, 6), " mm", **lack),
        average("Second stage: change of the lordosis", f"{REST}: −4 ± 2.5°",
                pairs["lordosis_deg"], (-6.5, -1.5), "°", digits=1, **lack),
        each("Second stage: growth of all discs' volume", "pairs of real scans, inferred",
             limits=(-0.9, 27), unit=" %", **volume),
    ]  # fmt: skip
