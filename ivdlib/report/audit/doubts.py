"""Sections of AUDIT.md on what verdicts hang on: folds, seeds, failures, recipes, leaks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np
import pandas as pd

from ivdlib.evaluation import statistics, verdicts
from ivdlib.evaluation.claims import CLAIMS, FIXED, fds_against_unet
from ivdlib.evaluation.comparisons import WITH, WITHOUT, difference, patient_dice
from ivdlib.evaluation.recorded import by_value, unusual
from ivdlib.evaluation.scores import (
    BEST,
    TOGETHER,
    disc_rows,
    has_variants,
    of_single_contrasts,
    trained,
)
from ivdlib.profiles import TITLES, title
from ivdlib.report.audit.sections import NUMBERS, Found, compared, kinds, section

FAILED = 0.5
"""A training has failed on a contrast where its Dice is below this share of the other folds'."""


def folds_section(results: Found) -> str:
    """The primary comparisons fold by fold: the patients of a fold share one trained network."""
    rows = []
    for claim in (claim for claim in CLAIMS if claim.key in FIXED):
        for name, (_, metrics) in results.items():
            found = None if has_variants(metrics) else claim.test(metrics)
            if found is None:
                continue
            number = disc_rows(metrics).groupby("subject")["fold"].first()
            each = found.differences.groupby(number).mean()
            if len(each) < 2:
                continue
            mean, interval, *_ = compared(
                claim.test(metrics[metrics["seed"] == metrics["seed"].min()])
            )
            rows.append((
                claim.difference, name, ", ".join(f"{one:+.3f}" for one in each),
                statistics.shown_interval(*statistics.interval(each)),
                f"{mean} {interval}",
            ))  # fmt: skip
    about = (
        "The patients of a fold are tested by the same trained networks, so a training that went "
        "well or badly moves all of them. An interval that leaves zero out over patients, but not "
        "over folds, may be the luck of a training or two. Last column: the first seed alone, over "
        "patients."
    )
    heads = ("difference of the mean Dice", "experiment", "each fold", "interval over folds",
             "first seed alone")  # fmt: skip
    return section("The primary comparisons, fold by fold", heads, rows, about)


def failed(results: Found) -> str:
    """Trainings that found little on a contrast that other folds did well on."""
    rows = (row for name, (_, metrics) in results.items() for row in _failed(name, metrics))
    about = (
        f"Mean Dice on a contrast below {FAILED:.0%} of the median of the same network's other "
        "folds. They count like all others; comparisons that hold them say more of a failure than "
        "of an idea:"
    )
    heads = ("experiment", "network", "trained on", "contrast", "fold", "Dice", "other folds")
    return section("Trainings that failed", heads, rows, about)


def _failed(name: str, metrics: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    rows = trained(of_single_contrasts(disc_rows(metrics)))
    means = rows.groupby(["network", "trained_on", "contrast", "fold"], sort=False)["dice"].mean()
    for (network, arm, contrast), each in means.groupby(level=[0, 1, 2], sort=False):
        each = each.droplevel([0, 1, 2])
        for fold, dice in each.items():
            others = float(np.median(each.drop(fold))) if len(each) > 1 else np.nan
            if dice < FAILED * others:
                yield (name, title(network), arm, contrast, str(fold), f"{dice:.3f}",
                       f"{others:.3f}")  # fmt: skip


def recipes(results: Found, better: Found, others: Found) -> str:
    """The recipe `better` beside the paper's, and both beside other programs."""
    rows = []
    for first, against in ((better, results), (better, others), (results, others)):
        for name, (record, metrics) in first.items():
            for other, (its, its_metrics) in against.items():
                if record["data"] == its["data"]:
                    pairs = _pairs(metrics, its_metrics, bool(its.get("external")))
                    rows += [(name, other, *cells) for cells in pairs]
    heads = ("experiment", "beside", "network", "images", "difference of the mean Dice", *NUMBERS)
    return section("Recipes and programs, beside one another", heads, rows)


def _pairs(mine: pd.DataFrame, its: pd.DataFrame, external: bool) -> Iterator[tuple[str, ...]]:
    """Each network beside itself, trained alike; or beside the one program that is external."""
    for network, arm in mine[["network", "trained_on"]].drop_duplicates().itertuples(index=False):
        alike = its if external else its[(its["network"] == network) & (its["trained_on"] == arm)]
        if network not in TITLES or arm not in (WITH, WITHOUT) or alike.empty:
            continue
        label = f"{title(network)}, {arm}"
        other = alike[["network", "trained_on"]].iloc[0]
        label += f" − {title(other['network'])}" if external else ""
        for scope, images in (("volume", "single contrasts"), (TOGETHER, "one mask a scan")):
            pair = (patient_dice(mine, network, arm, scope=scope),
                    patient_dice(alike, *other, scope=scope))  # fmt: skip
            if (found := difference(*pair)) is not None:
                yield (label, images, *compared(found))


def leaks(results: Found, found: Found) -> str:
    """By how much a leak flatters: each beside the honest experiment on the same data."""
    rows = []
    for name, (record, metrics) in found.items():
        leak = record["config"]["profile"]["leak"]
        for (network, arm), mine in kinds(metrics):
            if leak == "epoch":
                flattered = patient_dice(mine, network, arm, scope=BEST)
                beside, honest = f"{name}, last step", patient_dice(mine, network, arm)
                what = "best step of the learning curve, chosen on the test scans"
            else:
                flattered = patient_dice(mine, network, arm)
                beside, honest = _honest({**results, **found}, record, network, arm)
                what = "folds of scans: a patient trains and tests"
            numbers = compared(difference(flattered, honest))
            rows.append((what, name, beside, title(network), arm, *numbers))
    heads = ("leak", "experiment", "beside", "network", "trained on", "flatters by",
             *NUMBERS)  # fmt: skip
    return section("What leaks would flatter", heads, rows)


def _honest(found: Found, leaking: dict, network: str, arm: str) -> tuple[str, pd.Series | None]:
    """Name and Dice of the experiment that differs in nothing but the leak.

    The last weights of one that watches for the best step have no leak. One of another precision
    counts only if there is none of the same.
    """

    def alike(record: dict) -> tuple[Hashable, Hashable]:
        training = unusual(record["config"]["profile"]).get("training", {})
        training = {k: v for k, v in training.items() if k != "precision"}
        return verdicts.likeness(record, "leak", "folds", "training"), by_value(training)

    def precision(record: dict) -> str:
        return record["config"]["profile"]["training"].get("precision", "auto")

    fair = [
        (precision(record) != precision(leaking), name, patient_dice(metrics, network, arm))
        for name, (record, metrics) in found.items()
        if record["config"]["profile"].get("leak", "none") != "scan"
        and alike(record) == alike(leaking)
    ]
    fair = [one for one in fair if one[2] is not None]
    return min(fair, key=lambda one: one[0], default=(True, "–", None))[1:]


def partitions(results: Found, found: Found) -> str:
    """The comparison of networks with the patients divided into other folds."""
    data = {record["config"]["data"] for record, _ in found.values()}
    first = {n: pair for n, pair in results.items() if pair[0]["config"]["data"] in data}
    tested = {name: fds_against_unet(metrics) for name, (_, metrics) in {**first, **found}.items()}
    rows = [(name, *compared(one)) for name, one in tested.items() if one is not None]
    heads = ("experiment", "FDS-CNN − U-Net", *NUMBERS)
    return section("Other partitions into folds", heads, rows)
