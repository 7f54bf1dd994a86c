"""Tables 1, 2 and 3, ours beside the paper's (Dice per 3-D image, mean over images)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivdlib import files
from ivdlib.data.contrasts import CONTRASTS, FUSED, is_derived
from ivdlib.errors import DataError
from ivdlib.evaluation.scores import disc_rows, has_fusion, singles
from ivdlib.profiles import ARMS, COMPARED, FAIR, leaves_out, title

if TYPE_CHECKING:
    from ivdlib.data.cases import Case

WATER = {"fat+opp": 1, "inn+opp": 2}
"""Fused contrasts that are the water image, times this, wherever a voxel holds more water than fat:
of ideal Dixon images `fat + |water − fat|` is water there, `(water + fat) + |water − fat|` twice
that."""

PAPER_DICE: dict[int, dict[str, tuple[float, ...]]] = {
    1: {
        "DeepLabv3+": (0.8309, 0.8124, 0.8257, 0.8243, 0.8235),
        "U-Net": (0.9107, 0.8651, 0.9051, 0.8992, 0.8953),
        "FDS-CNN": (0.9111, 0.8853, 0.9055, 0.9062, 0.9021),
    },
    2: {"FDS-CNN": (0.9122, 0.9086, 0.9121, 0.9140, 0.9117)},
    3: {"FDS-CNN": (0.9096, 0.8818, 0.8984, 0.8975, 0.8973)},
}
"""The numbers of the paper as printed, the last of each row its printed mean."""

CAPTIONS = {
    1: "Table 1. Networks trained with fusion, single contrasts.",
    2: "Table 2. The same networks, fused contrasts.",
    3: "Table 3. Networks trained without fusion, single contrasts, equal steps.",
}


def dice_table(metrics: pd.DataFrame, number: int) -> pd.DataFrame:
    """One of the paper's tables.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.
    number : {1, 2, 3}
        Which table.

    Returns
    -------
    DataFrame
        A row a network, `ours` and then `paper`; a column a contrast; `Mean` of these columns; for
        the paper the mean as printed. `scans` is the number of 3-D images that were scored. The
        Dice of a scan is averaged over seeds first, then over scans.
    """
    rows = disc_rows(metrics)
    arm = ARMS["without" if number == 3 or not has_fusion(rows) else "with"]
    rows = rows.loc[[not leaves_out(name) for name in rows["network"]]]  # those the audit tells
    reference = ~rows["network"].isin(list(COMPARED))
    rows = rows[(rows["trained_on"] == arm) | (reference & (number == 1))]
    wanted = FUSED if number == 2 else singles(metrics)
    rows = rows[rows["contrast"].isin(wanted)]
    scans = rows.groupby(["network", "contrast", "case"])["dice"].mean().reset_index()
    lines = []
    for network in _in_order(scans["network"].unique()):
        mine = scans[scans["network"] == network]
        means = mine.groupby("contrast")["dice"].mean()
        line = {"network": title(network), "source": "ours"}
        line |= {name: means.get(name, np.nan) for name in wanted}
        line |= {"Mean": np.mean([line[name] for name in wanted]), "scans": mine["case"].nunique()}
        lines.append(line)
    if set(wanted) == set(FUSED) or set(wanted) == set(CONTRASTS):
        # Table 1 of networks without fusion stands beside the paper's without fusion.
        for name, values in PAPER_DICE[number if number != 1 or has_fusion(metrics) else 3].items():
            line = {"network": name, "source": "paper", "scans": 16}
            lines.append(line | dict(zip([*wanted, "Mean"], values, strict=True)))
    return pd.DataFrame(lines, columns=["network", "source", *wanted, "Mean", "scans"])


def exact_labels(metrics: pd.DataFrame) -> pd.DataFrame:
    """Mean Dice of the single contrasts against the labels as drawn and as the discs are.

    Only phantoms know the latter: their labels hold a rater's errors, which no network can foresee.

    Returns
    -------
    DataFrame
        A row a network and kind of training: `network`, `trained_on`, `drawn`, `exact`, `scans`;
        empty where no scan has exact labels.
    """
    rows = disc_rows(metrics)
    if "dice_exact" not in rows:
        rows = rows.assign(dice_exact=np.nan)
    rows = rows[rows["dice_exact"].notna() & rows["contrast"].isin(singles(metrics))]
    scans = ["network", "trained_on", "case", "contrast"]
    rows = rows.groupby(scans, as_index=False)[["dice", "dice_exact"]].mean()  # over seeds
    lines = [
        {
            "network": title(network),
            "trained_on": arm,
            "drawn": mine["dice"].mean(),
            "exact": mine["dice_exact"].mean(),
            "scans": mine["case"].nunique(),
        }
        for network in _in_order(rows["network"].unique())
        for arm, mine in rows[rows["network"] == network].groupby("trained_on")
    ]
    return pd.DataFrame(lines, columns=["network", "trained_on", "drawn", "exact", "scans"])


def fused_and_water(cases: Iterable[Case], pairs: Iterable[str]) -> pd.DataFrame:
    """Compare fused contrasts with the water image within the discs, voxel by voxel.

    Returns
    -------
    DataFrame
        A row a fused contrast: `contrast`, means over scans of what `fusion.like_water` gives, and
        `scans`; empty where the scans have no water and fat images.
    """
    cases = [case for case in cases if {"wat", "fat"} <= set(case.contrasts) and case.discs.any()]
    rows = []
    for pair in pairs if cases else ():
        scans = pd.DataFrame([like_water(case.contrasts, pair, case.discs) for case in cases])
        rows.append({"contrast": pair, **scans.mean(), "scans": len(cases)})
    return pd.DataFrame(rows)


def caption(number: int, fusion: bool) -> str:
    """What a table shows; Table 1 of data without fusion says so."""
    if number == 1 and not fusion:
        return "Table 1. Networks trained WITHOUT fusion, single contrasts."
    return CAPTIONS[number]


def _in_order(networks: Iterable[str]) -> list[str]:
    """Networks in the order of the paper's Table 1, whatever else there is before them."""
    order = ["deeplabv3plus", "unet", *FAIR, "fds_cnn"]
    return sorted(networks, key=lambda n: (n in order, order.index(n) if n in order else 0, n))


def as_markdown(
    frame: pd.DataFrame,
    number: int,
    label: str,
    derived: Iterable[str] = (),
    *,
    fusion: bool = True,
) -> str:
    """A table as Markdown with caption and label.

    Derived contrasts are marked with †, those of `WATER` with ‡.

    Parameters
    ----------
    frame : DataFrame
        From `dice_table`.
    number : {1, 2, 3}
        Which table.
    label : str
        Data, profile, seeds; see `Experiment.label`.
    derived : iterable of str
        Contrasts that were computed from others.
    fusion : bool, default True
        Whether the networks of Table 1 were trained with fused contrasts.
    """
    derived = set(derived)
    same = [c for c in frame.columns if c in WATER]
    from_others = [c for c in frame.columns if is_derived(c, derived)]
    marks = {c: c + "†" * (c in from_others) + "‡" * (c in same) for c in frame.columns}
    shown = frame.rename(columns=marks)
    lines = [f"**{caption(number, fusion)}** Ours: {label}. Mean Dice over scans.", ""]
    lines.append(line(shown.columns))
    lines.append("|" + "|".join(["---"] * 2 + ["---:"] * (len(shown.columns) - 2)) + "|")
    for row in shown.itertuples(index=False):
        cells = ("–" if pd.isna(v) else f"{v:.4f}" if isinstance(v, float) else str(v) for v in row)
        lines.append(line(cells))
    odd = _odd_means(frame)
    if odd:
        lines += ["", f"Means as the paper prints them: {odd}."]
    if from_others:
        computed = ", ".join(sorted(derived))
        lines += ["", f"† derived: {computed} was computed from the other contrasts."]
    if same:
        lines += [
            "",
            "‡ by the signal equations the water image itself, after min–max, wherever there is "
            "more water than fat, as in discs.",
        ]
    return "\n".join(lines) + "\n"


def _odd_means(frame: pd.DataFrame) -> str:
    """Means of the paper that do not follow from the numbers of their row."""
    found = []
    for _, row in frame[frame["source"] == "paper"].iterrows():
        mean = np.mean(row.iloc[2:-2].astype(float))
        if abs(mean - row["Mean"]) > 1e-4:
            found.append(f"{row['network']} {row['Mean']:.4f} (its row gives {mean:.4f})")
    return ", ".join(found)


def line(cells: Iterable[str]) -> str:
    """A line of a Markdown table; a bar in a name must not end its cell."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write_tables(
    metrics: pd.DataFrame, folder: Path, label: str, derived: Iterable[str] = ()
) -> None:
    """Write the tables for which there are rows as `table1.csv`, `table1.md`, …."""
    fusion = has_fusion(metrics)
    written = set()
    for number in CAPTIONS if fusion else (1,):
        frame = dice_table(metrics, number)
        if (frame["source"] == "ours").any():
            text = as_markdown(frame, number, label, derived, fusion=fusion)
            files.write_csv(folder / f"table{number}.csv", frame)
            files.write_text(folder / f"table{number}.md", text)
            written |= {f"table{number}.csv", f"table{number}.md"}
    exact = exact_labels(metrics)
    if len(exact):
        files.write_csv(folder / "exact_labels.csv", exact)
        written.add("exact_labels.csv")
    every = {f"table{n}.{kind}" for n in CAPTIONS for kind in ("csv", "md")} | {"exact_labels.csv"}
    for old in every - written:  # of trainings that are no longer asked for
        (folder / old).unlink(missing_ok=True)


def like_water(
    contrasts: Mapping[str, np.ndarray], pair: str, where: np.ndarray
) -> dict[str, float]:
    """Compare a fused contrast with the water image voxel by voxel (ours, from Dixon's algebra).

    If a voxel holds more water than fat, ideal images have opp = wat − fat, so fat+opp = wat
    and inn+opp = 2 wat. Min–max removes the factor: the same picture.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        With `wat`, `fat` and the two of the pair; raw values.
    pair : str
        Such as ``"inn+opp"``.
    where : ndarray of bool, same shape
        Voxels to look at, such as the discs.

    Returns
    -------
    dict
        `more_water`: share of the voxels with more water than fat; in these, `slope` of the least
        squares line through zero, `correlation`, and `deviation`, the mean distance from that line
        as a share of the mean. NaN where fewer than two voxels are left.

    Raises
    ------
    DataError
        If a contrast is missing.
    """
    missing = sorted({"wat", "fat", *pair.split("+")} - set(contrasts))
    if missing:
        raise DataError(f"contrast {missing[0]} is missing; there are {', '.join(contrasts)}.")
    where = np.asarray(where, bool)
    inside = {name: np.asarray(image, np.float64)[where] for name, image in contrasts.items()}
    more = inside["wat"] > inside["fat"]
    water = inside["wat"][more]
    total = sum(inside[name][more] for name in pair.split("+"))
    if len(water) < 2 or not np.ptp(water) or not np.ptp(total):
        nothing = dict.fromkeys(("slope", "correlation", "deviation"), float("nan"))
        return {"more_water": float(more.mean()) if len(more) else float("nan"), **nothing}
    slope = float((total * water).sum() / (water**2).sum())
    return {
        "more_water": float(more.mean()),
        "slope": slope,
        "correlation": float(np.corrcoef(total, water)[0, 1]),
        "deviation": float(np.abs(total - slope * water).mean() / total.mean()),
    }
