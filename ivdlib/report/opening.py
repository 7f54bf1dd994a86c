"""What a report of an experiment begins with: one picture, and in words what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ivdlib import files
from ivdlib.evaluation import in_short, scores, tables
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.profiles import COMPARED, TITLES
from ivdlib.report import record
from ivdlib.report.results import SEGMENTATIONS

FIRST = (SEGMENTATIONS[0], "patients", "learning_curves")
"""Figures that a report may begin with, the first of them that there is. Lesson 04 draws its scan
by a seed, so that none begins with the best one; the others show all scans and all trainings."""


def what_was_found(made: dict[str, Any], metrics: pd.DataFrame) -> list[str]:
    """Say what an experiment found, what went badly, and what it does not show.

    Parameters
    ----------
    made : dict
        The record of the experiment.
    metrics : DataFrame
        Rows of `metrics.csv`; none if nothing was scored.

    Returns
    -------
    list of str
        Sentences, each made from the numbers. Scores without a Dice are counted and left out.
    """
    discs = scores.disc_rows(metrics)
    told = []
    if unfinished := record.left_to_do(made):
        told.append(f"The experiment is {unfinished.removeprefix('; ').lower()}.")
    if unscored := int(discs["dice"].isna().sum()):
        told.append(f"{unscored} of {len(discs)} disc scores hold no Dice and are left out here.")
    scored = _with_dice(metrics)
    if _of_networks(scored).empty:
        return [*told, "No disc network was scored yet.", *_spine(scored)]
    says = in_short.what_tables_say(scored)
    return [*told, *_level(scored), *says.get(1, []), *_worst(scored), *says.get(3, []),
            _does_not_show(made, scored)]  # fmt: skip


def found_besides(made: dict[str, Any], metrics: pd.DataFrame) -> list[str]:
    """Say what stands before the tables: odd things of scans and profile, fused contrasts, spine.

    Parameters
    ----------
    made, metrics
        As for `what_was_found`.
    """
    told = [f"{text}." for key in ("remarks", "short_of") for text in made.get(key, [])]
    scored = _with_dice(metrics)
    if _of_networks(scored).empty:
        return told
    return [*told, *in_short.what_tables_say(scored).get(2, []), *_spine(scored)]


def _with_dice(metrics: pd.DataFrame) -> pd.DataFrame:
    return metrics[metrics["dice"].notna()]


def _of_networks(metrics: pd.DataFrame) -> pd.DataFrame:
    """Rows of whole scans, by disc networks; none of references."""
    return scores.trained(scores.disc_rows(metrics))


def _level(metrics: pd.DataFrame) -> Iterator[str]:
    """The Dice of FDS-CNN, else of the first network, beside the paper's if that has one."""
    table = tables.dice_table(metrics, 1)
    table = table[table["network"].isin(list(COMPARED.values()))].set_index(["source", "network"])
    ours = [name for source, name in table.index if source == "ours"]
    if not ours:
        return
    name = next((one for one in ours if one == TITLES["fds_cnn"]), ours[0])
    fusion = "with" if scores.has_fusion(scores.disc_rows(metrics)) else "without"
    mine = table.loc["ours", name]
    told = f"{name}, trained {fusion} fusion, reaches a mean Dice of {mine['Mean']:.3f} on "
    told += f"{_count(mine['scans'], 'test scan')}, one image at a time"
    if ("paper", name) in table.index:
        told += (
            f"; the paper prints {table.loc['paper', name]['Mean']:.3f} for 16 scans of patients"
        )
    yield f"{told}."


def _worst(metrics: pd.DataFrame) -> Iterator[str]:
    for row in scores.worst(metrics).head(1).itertuples():
        yield (
            f"FDS-CNN does worst on scan {row.case}, image {row.contrast}, trained on "
            f"{row.trained_on}: Dice {row.dice:.3f}."
        )


def _spine(metrics: pd.DataFrame) -> Iterator[str]:
    spine = metrics[metrics["target"] == "spine"]
    if len(spine):
        told = f"mean Dice {spine['dice'].mean():.3f} ({_count(spine['case'].nunique(), 'scan')})"
        yield f"The spine U-Net, on scans that it was not trained on: {told}."


def _does_not_show(made: dict[str, Any], metrics: pd.DataFrame) -> str:
    rows = _of_networks(metrics)
    people = _count(rows["subject"].nunique(), "person", "people")
    told = f"how far other people and seeds would move these numbers, which come from {people} "
    told += f"and {_count(rows['seed'].nunique(), 'seed')}."
    if made.get("phantom"):
        told = f"how well discs of patients are found, for these scans are made up; nor {told}"
    return f"This does not show {told}"


def _count(number: float, one: str, many: str = "") -> str:
    return f"{number:.0f} {one if number == 1 else many or one + 's'}"


def opening_picture(
    folder: Path, metrics: pd.DataFrame, figures: Sequence[dict[str, str]]
) -> dict[str, str] | None:
    """Choose the picture that a report begins with, see `FIRST`.

    Parameters
    ----------
    folder : Path
        The experiment.
    metrics : DataFrame
        Rows of its `metrics.csv`.
    figures : sequence of dict
        From `results.embedded_figures`.

    Returns
    -------
    dict or None
        One of them with its `caption`; None if there is none.
    """
    by_name = {figure["name"]: figure for figure in figures}
    name = next((name for name in FIRST if name in by_name), None)
    if name is None:
        return None
    caption = by_name[name]["alt"]
    if name == SEGMENTATIONS[0]:
        caption += _among_the_others(folder / "figures" / f"{name}.json", metrics)
    return {**by_name[name], "caption": caption}


def _among_the_others(path: Path, metrics: pd.DataFrame) -> str:
    """Where the scan of lesson 04's picture stands among all, as far as both are known."""
    case = files.read_json(path).get("case") if path.is_file() else None
    rows = scores.of_single_contrasts(scores.disc_rows(metrics))
    arm = WITH if scores.has_fusion(rows) else WITHOUT
    rows = rows[(rows["network"] == "fds_cnn") & (rows["trained_on"] == arm)]
    scans = rows.groupby("case")["dice"].mean().dropna()
    if case not in scans.index:
        return ""
    return (
        f" The scan was drawn by a seed, not by its score: FDS-CNN's mean Dice on it is "
        f"{scans[case]:.3f}, the median of {_count(len(scans), 'scan')} is {scans.median():.3f}."
    )
