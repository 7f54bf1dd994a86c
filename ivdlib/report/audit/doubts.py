"""Sections of AUDIT.md on what verdicts hang on: folds, seeds, failures, recipes, leaks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from ivdlib.evaluation import statistics, verdicts
from ivdlib.evaluation.claims import CLAIMS, fds_against_unet
from ivdlib.evaluation.comparisons import (
    FAILED,
    WITH,
    WITHOUT,
    Side,
    difference,
    failures,
    side,
)
from ivdlib.evaluation.recorded import by_value, unusual
from ivdlib.evaluation.scores import (
    BEST,
    TOGETHER,
    disc_rows,
    of_single_contrasts,
    trained,
)
from ivdlib.profiles import COMPARED, title
from ivdlib.report.audit.sections import NUMBERS, Found, compared, kinds, section


def folds_section(results: Found, judged: pd.DataFrame) -> str:
    """The primary comparisons, training by training."""
    rows = []
    for row in judged[judged["fixed"].astype(bool) & (judged["patients"] > 0)].itertuples():
        (claim,) = (claim for claim in CLAIMS if claim.key == row.key)
        metrics = results[row.experiment][1]
        found = claim.test(metrics)
        first = claim.test(metrics[metrics["seed"] == metrics["seed"].min()])
        each = found.trainings if found.trainings is not None else []
        mean, interval, *_ = compared(first)
        rows.append((
            claim.difference, row.experiment, ", ".join(f"{one:+.3f}" for one in each),
            statistics.shown_interval(*statistics.interval(each)), f"{mean} {interval}",
        ))  # fmt: skip
    about = (
        "The patients of a fold are tested by the same trained networks, so a training that went "
        "well or badly moves all of them. Each number is the mean over the patients of one fold "
        "and seed. Last column: the first seed alone, over patients."
    )
    heads = ("difference of the mean Dice", "experiment", "each training",
             "interval over trainings", "first seed alone")  # fmt: skip
    return section("The primary comparisons, training by training", heads, rows, about)


def failed(results: Found) -> str:
    """How often the trainings of a network fail on an image."""
    rows = (row for name, (_, metrics) in results.items() for row in _failed(name, metrics))
    about = (
        f"Dice below {FAILED:g} on an image of a scan that the network was trained on; in older "
        "records, which hold no such scan, below that share of the median of the other folds. They "
        "count like all others:"
    )
    heads = ("experiment", "network", "trained on", "image", "failed", "their Dice")
    return section("Trainings that failed", heads, rows, about)


def took(trainings: Mapping[str, Iterable[Mapping]]) -> str:
    """How long the trainings of each network took.

    Parameters
    ----------
    trainings : mapping of str to iterable of mapping
        Records of the disc networks by experiment.
    """
    rows = []
    for name, records in trainings.items():
        kinds: dict[str, list[Mapping]] = {}
        for record in records:
            kinds.setdefault(record["network"], []).append(record)
        for network, some in kinds.items():
            seconds = [one["seconds_training"] for one in some]
            rows.append((name, title(network), f"{some[0].get('parameters', 0):,}",
                         str(some[0]["options"]["steps"]), str(len(some)),
                         f"{np.median(seconds):,.0f}", f"{min(seconds):,.0f}"))  # fmt: skip
    about = (
        "Seconds of a training, upper bounds: trainings ran side by side and beside other work, on "
        "the devices that each experiment names."
    )
    heads = ("experiment", "network", "weights", "steps", "trainings", "median", "least")
    return section("What a training took", heads, rows, about)


def _failed(name: str, metrics: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    rows = trained(metrics[metrics["target"] == "disc"])
    for (network, arm), mine in rows.groupby(["network", "trained_on"], sort=False):
        trainings = len(disc_rows(mine)[["seed", "fold"]].drop_duplicates())
        for image, some in failures(of_single_contrasts(mine)).groupby("contrast", sort=False):
            yield (name, title(network), arm, image, f"{len(some)} of {trainings}",
                   ", ".join(f"{dice:.2f}" for dice in some["dice"]))  # fmt: skip


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
        if network not in COMPARED or arm not in (WITH, WITHOUT) or alike.empty:
            continue
        label = f"{title(network)}, {arm}"
        other = alike[["network", "trained_on"]].iloc[0]
        label += f" − {title(other['network'])}" if external else ""
        for scope, images in (("volume", "single contrasts"), (TOGETHER, "one mask a scan")):
            pair = side(mine, network, arm, scope=scope), side(alike, *other, scope=scope)
            if (found := difference(*pair)) is not None:
                yield (label, images, *compared(found))


def leaks(results: Found, found: Found) -> str:
    """By how much a leak flatters: each beside the honest experiment on the same data."""
    rows = []
    for name, (record, metrics) in found.items():
        leak = record["config"]["profile"]["leak"]
        for (network, arm), mine in kinds(metrics):
            if leak == "epoch":
                flattered = side(mine, network, arm, scope=BEST)
                beside, honest = f"{name}, last step", side(mine, network, arm)
                what = "best step of the learning curve, chosen on the test scans"
            else:
                flattered = side(mine, network, arm)
                beside, honest = _honest({**results, **found}, record, network, arm)
                what = "folds of scans: a patient trains and tests"
            numbers = compared(difference(flattered, honest))
            rows.append((what, name, beside, title(network), arm, *numbers))
    heads = ("leak", "experiment", "beside", "network", "trained on", "flatters by",
             *NUMBERS)  # fmt: skip
    return section("What leaks would flatter", heads, rows)


def _honest(found: Found, leaking: dict, network: str, arm: str) -> tuple[str, Side | None]:
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
        (precision(record) != precision(leaking), name, side(metrics, network, arm))
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
