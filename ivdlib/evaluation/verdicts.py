"""The audit: claims of the paper, each judged by a rule that stands here, on the data at hand.

A claim that compares is *supported* on a data set where the 95 % interval of the paired difference
over patients lies above zero, else *not supported*; where it lies below zero, the opposite holds.
A claim that something costs nothing is supported where the interval lies above `-claims.NO_WORSE`.
Two comparisons are primary (`claims.FIXED`); all others are descriptive, and one interval in twenty
leaves zero out by chance.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from ivdlib.evaluation import statistics
from ivdlib.evaluation.claims import CLAIMS, FIXED
from ivdlib.evaluation.comparisons import difference, patient_dice
from ivdlib.evaluation.recorded import by_value, unusual
from ivdlib.evaluation.scores import disc_rows, has_variants, of_single_contrasts
from ivdlib.evaluation.statistics import Comparison
from ivdlib.profiles import EXTENDABLE, title

PAGE, FOLDER = "AUDIT.md", "audit"
"""The page of claims, and where its experiments lie, beside it."""

PATIENTS = 4
"""Fewest that a verdict rests on: the interval of two or three is as wide as its luck."""

UNLIKE = (*EXTENDABLE, "name", "score_discs", "stress", "references", "comparable")
"""Fields of a profile that change no training that two experiments share."""


def verdict(found: Comparison | None, margin: float = 0.0, each: bool = False) -> str:
    """Supported, not supported, or not tested; `margin` and `each` as in `Claim`."""
    if found is None:
        return "not tested on these data"
    if len(found.differences) < PATIENTS:
        return f"not tested: fewer than {PATIENTS} patients"
    if found.low > -margin:
        return "supported"
    opposite = found.high < -margin and not each
    return "not supported; the opposite holds" if opposite else "not supported"


JUDGED = ("key", "claim", "source", "difference", "experiment", "mean", "low", "high", "p",
          "patients", "verdict", "fixed")  # fmt: skip
"""Columns of `judge`."""


def judge(experiments: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Judge every claim on every data set.

    Parameters
    ----------
    experiments : mapping of str to DataFrame
        Rows of `metrics.csv` by the name of the experiment.

    Returns
    -------
    DataFrame
        `key`, `claim`, `source`, `difference`, `experiment`, `mean`, `low`, `high`, `p`,
        `patients`, `verdict`, `fixed`; a row a claim and experiment, none without experiments.
        If variants of FDS-CNN were trained, only claims about those.
    """
    rows = []
    ablations = {n for n, m in experiments.items() if has_variants(m)}
    for claim in CLAIMS:
        for name, metrics in experiments.items():
            if name in ablations and not claim.variant:
                continue
            found = claim.test(metrics)
            numbers = (found.mean, found.low, found.high, found.p) if found else (np.nan,) * 4
            which = f": {found.label}" if found and found.label else ""
            rows.append({
                "key": claim.key, "claim": claim.text, "source": claim.source,
                "difference": claim.difference + which, "experiment": name,
                **dict(zip(("mean", "low", "high", "p"), numbers, strict=True)),
                "patients": len(found.differences) if found else 0,
                "verdict": verdict(found, claim.margin, claim.each),
                "fixed": claim.key in FIXED,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=JUDGED)


def judge_spine(experiments: Mapping[str, tuple[Mapping, pd.DataFrame]]) -> pd.DataFrame:
    """Compare uses of the spine stage: experiments that differ in nothing else.

    Parameters
    ----------
    experiments : mapping of str to (record, metrics)

    Returns
    -------
    DataFrame
        `data`, `use` of the spine, `steps` of the training, `discs_inside` and `region_share`
        (means over scans), `dice` of FDS-CNN, and `mean`, `low`, `high`, `p`, `patients` of its
        difference to no region at all, over the patients that both have, with its `verdict`; a row
        an experiment, of data that were tried with a region and without.
    """
    alike: dict[Hashable, list] = {}
    for record, metrics in experiments.values():
        if patient_dice(metrics, "fds_cnn") is not None:
            alike.setdefault(likeness(record, "spine"), []).append((record, metrics))
    rows = []
    for group in alike.values():
        plain = [metrics for record, metrics in group if _use(record)["region"] == "none"]
        if plain and len(group) > 1:
            rows += [_spine_row(record, metrics, plain[0]) for record, metrics in group]
    return pd.DataFrame(rows)


def _use(record: Mapping) -> Mapping:
    return record["config"]["profile"]["spine"]


def _spine_row(record: Mapping, metrics: pd.DataFrame, plain: pd.DataFrame) -> dict:
    use, found = _use(record), patient_dice(metrics, "fds_cnn")
    compared = difference(found, patient_dice(plain, "fds_cnn"))
    shared = compared.differences.index if compared else found.index
    scans = disc_rows(metrics).groupby("case")[["discs_inside", "region_share"]]
    masked = "zero outside" if use["mask"] else "places the tiles"
    return {
        "data": record["data"],
        "use": "none" if use["region"] == "none" else f"{use['region']}, {masked}",
        "steps": record["config"]["profile"]["training"]["steps"],
        **scans.mean().mean(),
        "dice": found[shared].mean(), "patients": len(shared),
        **{key: getattr(compared, key, np.nan) for key in ("mean", "low", "high", "p")},
        "verdict": verdict(compared),
    }  # fmt: skip


def likeness(record: Mapping, *aside: str) -> Hashable:
    """All that decides on the trainings of an experiment, apart from some fields of its profile.

    Experiments of equal likeness can be compared: they differ in these fields alone. With "folds"
    aside they may also have other patients in their folds.
    """
    config = record["config"]
    profile = unusual(config["profile"])
    profile = {k: v for k, v in profile.items() if k not in {*aside, *UNLIKE}}
    sides = ([frozenset(fold[side]) for side in ("train", "test")] for fold in config["folds"])
    folds = None if "folds" in aside else frozenset(map(by_value, sides))
    return config["data"], folds, by_value(profile)


def patients(metrics: pd.DataFrame) -> pd.DataFrame:
    """Every patient's mean Dice: a row a patient, a column a network and what it trained on."""
    columns = {}
    for (network, arm), mine in disc_rows(metrics).groupby(["network", "trained_on"], sort=False):
        columns[f"{title(network)}, {arm}"] = statistics.by_patient(of_single_contrasts(mine))
    return pd.DataFrame(columns)
