"""Tables 1, 2 and 3, ours beside the paper's (Dice per 3-D image, mean over images)."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivdlib import files
from ivdlib.dixon import CONTRASTS, contrast_order
from ivdlib.errors import DataError
from ivdlib.fusion import FUSED, is_derived, like_water
from ivdlib.metrics import MEASURES
from ivdlib.profiles import ARMS, TITLES

if TYPE_CHECKING:
    from ivdlib.cases import Case

TEXT = {"case": str, "subject": str, "stage": str, "level": str}
"""Columns of `metrics.csv` that look like numbers and are names: case 01 is not case 1."""

NUMBERS = (*MEASURES, "dice_exact", "dice_slices", "pred_ml", "truth_ml", "overlap_ml")
NUMBERS += ("volume_difference_ml", "disc", "discs_inside", "region_share", "step")
"""Columns of numbers, empty in rows of the other scope; older results lack some."""

SAME_AS_WATER = {"fat+opp", "inn+opp"}
"""Fused contrasts that are the water image wherever a voxel holds more water than fat: of ideal
Dixon images `fat + |water − fat|` is water there, `(water + fat) + |water − fat|` twice that."""

PAPER: dict[int, dict[str, tuple[float, ...]]] = {
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


def numeric(metrics: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of `metrics.csv` their types after reading everything as text."""
    for column in NUMBERS:
        if column in metrics:
            metrics[column] = pd.to_numeric(metrics[column], errors="coerce")
    return metrics


METRICS = "metrics.csv.gz"
"""Rows of one training; those of all, which people open, are beside the folder `trainings`."""


def read(path: str | os.PathLike | io.StringIO) -> pd.DataFrame:
    """Read a `metrics.csv`; an empty cell is "" among words and NaN among numbers."""
    return numeric(pd.read_csv(path, dtype=TEXT, keep_default_na=False))


def together(paths: Iterable[Path]) -> pd.DataFrame | None:
    """Read the scores of several trainings as one table; None without any."""
    found = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    # Read again as one, for a column that is empty in one training has no type there.
    return read(io.StringIO(pd.concat(found).to_csv(index=False))) if found else None


def of(folder: str | os.PathLike) -> pd.DataFrame | None:
    """Scores of an experiment's folder: its `metrics.csv`, else those of its finished trainings.

    Returns
    -------
    DataFrame or None
        None where nothing was scored.

    Raises
    ------
    DataError
        Where a file cannot be read.
    """
    folder = Path(folder)
    whole = folder / "metrics.csv"
    try:
        if whole.is_file():
            return read(whole)
        return together(sorted(folder.glob(f"trainings/*/{METRICS}")))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"the scores in {folder} cannot be read ({error}); delete the broken file and call "
            "ivdlib grid again: it does only what is missing."
        ) from error


def disc_rows(metrics: pd.DataFrame, scope: str = "volume") -> pd.DataFrame:
    """Rows of the disc networks with one scope: whole scans, unless another is named."""
    return metrics[(metrics["target"] == "disc") & (metrics["scope"] == scope)]


def single(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of single contrasts, no fused ones."""
    return rows[~rows["contrast"].str.contains("+", regex=False)]


WORST = 3
"""Scans that `worst` gives."""


def worst(metrics: pd.DataFrame) -> pd.DataFrame:
    """Find the scans and contrasts that FDS-CNN segments worst.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.

    Returns
    -------
    DataFrame
        `trained_on`, `case`, `contrast`, `dice` (mean over seeds) of the `WORST`, worst first.
    """
    rows = single(disc_rows(metrics))
    rows = rows[rows["network"] == "fds_cnn"]
    means = rows.groupby(["trained_on", "case", "contrast"], as_index=False)["dice"].mean()
    return means.sort_values("dice").head(WORST)


def table(metrics: pd.DataFrame, number: int) -> pd.DataFrame:
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
    rows = rows[~rows["network"].str.contains(":")]  # variants have a table of their own
    reference = ~rows["network"].isin(list(TITLES))
    rows = rows[(rows["trained_on"] == arm) | (reference & (number == 1))]
    wanted = FUSED if number == 2 else _singles(metrics)
    rows = rows[rows["contrast"].isin(wanted)]
    scans = rows.groupby(["network", "contrast", "case"])["dice"].mean().reset_index()
    lines = []
    for network in _in_order(scans["network"].unique()):
        mine = scans[scans["network"] == network]
        means = mine.groupby("contrast")["dice"].mean()
        line = {"network": TITLES.get(network, network), "source": "ours"}
        line |= {name: means.get(name, np.nan) for name in wanted}
        line |= {"Mean": np.mean([line[name] for name in wanted]), "scans": mine["case"].nunique()}
        lines.append(line)
    if set(wanted) == set(FUSED) or set(wanted) == set(CONTRASTS):
        # Table 1 of networks without fusion stands beside the paper's without fusion.
        for name, values in PAPER[number if number != 1 or has_fusion(metrics) else 3].items():
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
    rows = rows[rows["dice_exact"].notna() & rows["contrast"].isin(_singles(metrics))]
    lines = [
        {
            "network": TITLES.get(network, network),
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


def has_fusion(metrics: pd.DataFrame) -> bool:
    """Whether any network was trained with fused contrasts; data of one contrast allow none."""
    return bool((metrics["trained_on"] == ARMS["with"]).any())


def caption(number: int, fusion: bool) -> str:
    """What a table shows; Table 1 of data without fusion says so."""
    if number == 1 and not fusion:
        return "Table 1. Networks trained WITHOUT fusion, single contrasts."
    return CAPTIONS[number]


def _singles(metrics: pd.DataFrame) -> tuple[str, ...]:
    found = single(disc_rows(metrics))["contrast"].unique()
    return tuple(sorted(found, key=contrast_order))


def _in_order(networks: Iterable[str]) -> list[str]:
    """Networks in the order of the paper's Table 1, whatever else there is before them."""
    order = ["deeplabv3plus", "unet", "fds_cnn"]
    return sorted(networks, key=lambda n: (n in order, order.index(n) if n in order else 0, n))


def markdown(
    frame: pd.DataFrame,
    number: int,
    label: str,
    derived: Iterable[str] = (),
    *,
    fusion: bool = True,
) -> str:
    """A table as Markdown with caption and label.

    Derived contrasts are marked with †, those of `SAME_AS_WATER` with ‡.

    Parameters
    ----------
    frame : DataFrame
        From `table`.
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
    same = [c for c in frame.columns if c in SAME_AS_WATER]
    from_others = [c for c in frame.columns if is_derived(c, derived)]
    marks = {c: c + "†" * (c in from_others) + "‡" * (c in same) for c in frame.columns}
    shown = frame.rename(columns=marks)
    lines = [f"**{caption(number, fusion)}** Ours: {label}. Mean Dice over scans.", ""]
    lines.append(line(shown.columns))
    lines.append("|" + "|".join(["---"] * 2 + ["---:"] * (len(shown.columns) - 2)) + "|")
    for row in shown.itertuples(index=False):
        cells = ("–" if _empty(v) else f"{v:.4f}" if isinstance(v, float) else str(v) for v in row)
        lines.append(line(cells))
    odd = _odd_means(frame)
    if odd:
        lines += ["", f"Means as the paper prints them: {odd}."]
    if from_others:
        lines += [
            "",
            f"† derived: {', '.join(sorted(derived))} was computed from the other contrasts.",
        ]
    if same:
        lines += [
            "",
            "‡ the water image itself, after min–max, wherever there is more water than fat, as in "
            "discs.",
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


def _empty(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def write(metrics: pd.DataFrame, folder: Path, label: str, derived: Iterable[str] = ()) -> None:
    """Write the tables for which there are rows as `table1.csv`, `table1.md`, …."""
    fusion = has_fusion(metrics)
    for number in CAPTIONS if fusion else (1,):
        frame = table(metrics, number)
        if (frame["source"] == "ours").any():
            text = markdown(frame, number, label, derived, fusion=fusion)
            files.write_csv(folder / f"table{number}.csv", frame)
            files.write_text(folder / f"table{number}.md", text)
    exact = exact_labels(metrics)
    if len(exact):
        files.write_csv(folder / "exact_labels.csv", exact)
