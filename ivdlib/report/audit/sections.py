"""The sections of AUDIT.md, each from the frames that it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ivdlib.data.people import by_number
from ivdlib.evaluation import statistics, stress, tables, verdicts
from ivdlib.evaluation.scores import SEEN, TOGETHER, disc_rows
from ivdlib.evaluation.statistics import Comparison
from ivdlib.options import rate_fields
from ivdlib.profiles import title

Found = Mapping[str, tuple[dict, pd.DataFrame]]
"""Record and metrics of experiments, by name."""

NUMBERS = ("interval", "p", "n")
"""Heads of what stands behind the mean of a comparison."""

NOT_TESTED = (
    ("no pre-training is needed", "Sect. 2.2",
     "every network here starts from random weights, so nothing speaks against it; whether "
     "pre-training would do better was not tried: no pre-trained single-channel Xception is at "
     "hand"),
    ("the numbers of Tables 1 to 3 themselves", "Sect. 3.2",
     "they rest on the challenge's 16 scans, which cannot be downloaded; whoever has them runs "
     "`ivdlib grid --profile paper --data DIR`"),
    ("less computation by pre-segmentation", "Sect. 2.1",
     "tiles without any spine are left out, but the paper gives neither the tiles of a scan nor a "
     "time"),
    ("other rates in each layer, rotation", "Sect. 2.2, 3.1",
     "no comparison here leaves one of them out alone; `no dilation` sets all rates to 1"),
    ("a rank in the challenge", "abstract", "the hidden scans were never released"),
)  # fmt: skip


def markdown_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    heads = list(heads)
    lines = [tables.line(heads), "|" + "---|" * len(heads), *map(tables.line, rows)]
    return "\n".join(lines) + "\n"


def section(
    title: str, heads: Iterable[str], rows: Iterable[Iterable[str]], about: str = ""
) -> str:
    """A section of a table and what is said before it; "" if the table has no row."""
    rows = list(rows)
    words = f"{about}\n\n" if about else ""
    return f"## {title}\n\n{words}{markdown_table(heads, rows)}" if rows else ""


def _numbers(mean: float, low: float, high: float, p: float, patients: int) -> tuple[str, ...]:
    """Cells of a comparison: mean, then those of `NUMBERS`."""
    interval = statistics.shown_interval(low, high)
    return f"{mean:+.4f}", interval, statistics.shown_p(p), str(patients)


def compared(found: Comparison | None) -> tuple[str, ...]:
    """Cells of a comparison, dashes if there is none."""
    if found is None:
        return "–", "–", "–", "0"
    return _numbers(found.mean, found.low, found.high, found.p, len(found.differences))


def claims(judged: pd.DataFrame) -> str:
    """Every claim that compares, with its verdict on each data set that can tell."""
    if judged.empty:
        return "No claim is judged here: no experiment of the recipe `paper` has results.\n"
    rows, before = [], ""
    for row in verdicts.cleared(judged).itertuples():
        claim = f"{row.claim} ({row.source}): {row.difference}"
        numbers = _numbers(row.mean, row.low, row.high, row.p, row.patients)
        cells = ("" if claim == before else claim, f"{'● ' * row.fixed}{row.experiment}")
        rows.append((*cells, *numbers, *_beside(row), row.verdict))
        before = claim
    heads = ("claim: difference of the mean Dice", "experiment", "mean", *NUMBERS,
             "± patients, trainings", "median", "paper", "verdict")  # fmt: skip
    worse = (
        f"\nBlurred: a Gaussian of {stress.BLUR_PIXELS:g} pixels. Noisy: Rician, "
        f"{stress.NOISE:g} of the maximum. Random pixels: a share of {stress.PIXELS:g}, the most "
        "that the paper's training draws. `ours`: a line that the paper does not claim, to see "
        "what another hangs on. What stands after a colon was chosen on the same patients. ±: half "
        "the interval over patients and half that over trainings; the wider is shown. Median: the "
        "mean over patients of the medians over seeds, with the number of trainings that failed. "
        "Paper: the same difference in its tables, and whether our interval holds it. ● primary.\n"
    )
    return "## Claims that compare\n\n" + markdown_table(heads, rows) + worse


def _beside(row: Any) -> tuple[str, str, str]:
    """Cells of a claim behind the interval: what it is made of, the median, the paper's number."""
    halves = [
        (row.patients_high - row.patients_low) / 2,
        (row.trainings_high - row.trainings_low) / 2,
    ]
    spread = ", ".join("–" if np.isnan(half) else f"{half:.3f}" for half in halves)
    median = "–" if np.isnan(row.median) else f"{row.median:+.4f}"
    median += f" ({row.failed} failed)" if row.failed else ""
    paper = "–" if np.isnan(row.paper) else f"{row.paper:+.4f} ({holds(row)})"
    return spread, median, paper


def holds(row: Any) -> str:
    """Whether the interval of a row of `judge` holds the paper's own difference."""
    if np.isnan(row.paper) or np.isnan(row.low):
        return "–"
    if row.low <= row.paper <= row.high:
        return "held"
    return "less here" if row.high < row.paper else "more here"


def derived(results: Found) -> str:
    """Which contrasts were computed from others, and where."""
    found = [
        f"{', '.join(r['derived'])} in {n}" for n, (r, _) in results.items() if r.get("derived")
    ]
    text = "Derived, not measured: {}. Claims there about single or fused contrasts rest on it.\n"
    return text.format("; ".join(found)) if found else ""


def spine_section(rows: pd.DataFrame) -> str:
    """What pre-segmentation of the spine is worth (Sect. 2.1)."""
    cells = (
        (
            row.data, row.use, str(row.steps), f"{row.discs_inside:.2%}", f"{row.region_share:.0%}",
            f"{row.dice:.4f}", *_beside_none(row),
        )
        for row in rows.itertuples()
    )  # fmt: skip
    heads = ("data", "region of the spine", "steps", "disc voxels inside", "share of the image",
             "Dice of FDS-CNN", "difference to none", *NUMBERS, "verdict")  # fmt: skip
    about = (
        "The paper's claim (Sect. 2.1): the network for discs then only needs to tackle the area "
        "of interest. What is gained in short trainings may shrink in longer ones."
    )
    return section("Pre-segmentation of the spine", heads, cells, about)


def _beside_none(row: Any) -> tuple[str, ...]:
    """Cells of the difference to no region; none is not compared with itself."""
    if row.use == "none" or np.isnan(row.mean):
        return "–", "–", "–", str(row.patients), "–"
    return *_numbers(row.mean, row.low, row.high, row.p, row.patients), row.verdict


@cache
def cost() -> str:
    """Claims about cost, computed from the networks; ten are built for it, once."""
    from ivdlib.networks import build
    from ivdlib.networks import cost as costs

    ours = build("fds_cnn", "paper")
    separable = costs.savings(ours)
    times = separable["times"]
    within = int(times.between(8, 9).sum())
    rows = costs.comparison().set_index(["network", "size"])
    mine = rows.loc[("FDS-CNN", "paper")]
    deep = rows.loc[("DeepLabv3+", "as published")]
    total = separable["standard"].sum() / separable["multiply_adds"].sum()
    mine_macs, deep_macs = (f"{row.multiply_adds / 1e9:.1f}·10⁹" for row in (mine, deep))
    lines = (
        (
            "separable convolutions have “8 to 9 times less” computation (Sect. 2.2)",
            f"{within} of {len(times)} layers lie between 8 and 9 times, {total:.1f} in all; "
            f"the least is {times.min():.1f} (fewest filters)",
            "supported" if within == len(times) else f"true of {within} layers",
        ),
        (
            "lower complexity (Sect. 2.2)",
            f"{mine.parameters:,} parameters and {mine_macs} multiply–adds a tile; DeepLabv3+ as "
            f"published (the paper's has fewer channels, it does not say how many) "
            f"{deep.parameters:,} and {deep_macs}",
            f"parameters: {deep.parameters / mine.parameters:.1f} times fewer; multiply–adds: "
            f"{mine.multiply_adds / deep.multiply_adds:.1f} times as many",
        ),
    )
    sizes = (
        (row.size, row.network, f"{row.parameters:,}", f"{row.multiply_adds / 1e9:.2f}·10⁹")
        for row in rows.reset_index().itertuples()
    )  # at one size the compared networks are not alike
    large = markdown_table(("size", "network", "parameters", "multiply–adds a tile"), sizes)
    text = section("Claims about cost, computed", ("claim", "found", "verdict"), lines)
    return f"{text}\n{large}"


def untested() -> str:
    """What no data at hand can speak for or against, and why."""
    rows = ((f"{claim} ({source})", why) for claim, source, why in NOT_TESTED)
    return section("What cannot be tested here", ("claim", "why"), rows)


def choices(found: Found) -> str:
    """Show what was chosen on inner patients: the learning rate, and the switches of `better`."""
    if not found:
        return ""
    rows = []
    for name, (record, metrics) in found.items():
        training = record["config"]["profile"]["training"]
        for (network, arm), mine in kinds(metrics):
            means = _mean(disc_rows(mine)), _mean(disc_rows(mine, TOGETHER))
            own = (training.get(field) for field in rate_fields(network))
            rate = next(filter(None, own), training["learning_rate"])
            rows.append((name, title(network), arm, f"{rate:g}",
                         str(training["steps"]), _people(mine), *means))  # fmt: skip
    heads = ("experiment", "network", "trained on", "rate", "steps", "inner patients",
             "all images", "one mask a scan")  # fmt: skip
    text = (
        "## Chosen on inner patients\n\nOf each fold's training patients one was set aside for "
        "this; the patients that test in the same fold had no part in it. But what was chosen "
        "holds in every fold, and these patients test in another one. Mean Dice over these "
        "patients:\n\n"
    )
    parts = [(heads, rows), (SPINE_HEADS, _spine_choices(found))]
    return text + "\n".join(markdown_table(*part) for part in parts if part[1])


SPINE_HEADS = ("experiment", "pixels averaged", "rate", "steps", "batch", "inner patients",
               "Dice of the spine network")  # fmt: skip


def _spine_choices(found: Found) -> list[tuple[str, ...]]:
    """Rows of the experiments that train the spine stage alone."""
    rows = []
    for name, (record, metrics) in found.items():
        profile = record["config"]["profile"]
        spine, mine = profile["spine"], metrics[metrics["target"] == "spine"]
        if len(mine) == len(metrics):
            rows.append((name, "{0} × {0}".format(spine["factor"]), f"{spine['learning_rate']:g}",
                         str(spine["steps"]), str(spine["batch"]), _people(mine),
                         _mean(mine)))  # fmt: skip
    return rows


def _people(rows: pd.DataFrame) -> str:
    rows = rows[rows["scope"] != SEEN]
    return ", ".join(sorted(rows["subject"].astype(str).unique(), key=by_number))


def kinds(metrics: pd.DataFrame) -> Iterable[tuple[tuple[str, str], pd.DataFrame]]:
    """Rows of each disc network and what it was trained on."""
    return metrics[metrics["target"] == "disc"].groupby(["network", "trained_on"])


def _mean(rows: pd.DataFrame) -> str:
    return f"{statistics.by_patient(rows).mean():.4f}" if len(rows) else "–"


def together_section(found: Found) -> str:
    """One mask a scan, from all of its images: what `ivdlib predict` gives."""
    rows = []
    for name, (record, metrics) in found.items():
        steps = str(record["config"]["profile"]["training"]["steps"])
        scans = disc_rows(metrics, TOGETHER)
        for (network, arm), mine in scans.groupby(["network", "trained_on"], sort=False):
            people = statistics.by_patient(mine)
            interval = statistics.shown_interval(*statistics.interval(people), sign="")
            cells = (f"{people.mean():.4f}", interval, str(len(people)))
            rows.append((name, title(network), arm, steps, *cells))
    about = (
        "The mean probability over all images that a network was trained on (of random mixtures: "
        "over the contrasts and the paper's sums; or all contrasts as its channels), cut at one "
        "half: the segmentation that one would use, and what compares with programs that take all "
        "contrasts at once."
    )
    heads = ("experiment", "network", "trained on", "steps", "Dice", "interval", "n")
    return section("One mask a scan", heads, rows, about)


def water(found: Mapping[str, pd.DataFrame]) -> str:
    """Fused contrasts against the water image, voxel by voxel: why Table 2 looks as it does.

    Parameters
    ----------
    found : mapping of str to DataFrame
        From `tables.fused_and_water`, by the name of the experiment.
    """
    rows = [
        (name, row.contrast, f"{row.more_water:.1%}", f"{row.slope:.2f}", f"{row.correlation:.3f}",
         f"{row.deviation:.1%}", str(row.scans))
        for name, frame in found.items() for row in frame.itertuples()
    ]  # fmt: skip
    about = (
        "Where a voxel holds more water than fat, the signal equations make fat+opp the water "
        "image and inn+opp twice that; min–max removes the factor. Whether the pictures are alike, "
        "the correlation says. Voxels of the discs with more water than fat; mean over scans; "
        "where water is derived (above), it is not a check of wat+opp and wat+inn:"
    )
    heads = ("experiment", "fused contrast", "more water than fat", "times water", "correlation",
             "mean deviation", "scans")  # fmt: skip
    return section("Fused contrasts and the water image", heads, rows, about)
