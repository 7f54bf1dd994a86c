"""The audit: claims of the paper, each judged by a rule that stands here, on the data at hand.

A claim that compares is *supported* on a data set if the 95 % interval of the paired difference
lies above zero, and *the opposite holds* if it lies below; of a claim that something costs nothing
the limit is `-claims.NO_WORSE`. If the 90 % interval lies within that much of zero on both sides,
there is *no difference*. All else is *open*. The interval is the wider of that over patients and
that over trainings. No verdict rests on a failed training: if one took part, and the mean and the
median over seeds do not agree (or there are too few), the claim is open. A few comparisons are
primary (`claims.FIXED`); all others are descriptive, and one interval in twenty leaves zero out by
chance.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.people import by_number
from ivdlib.evaluation import statistics
from ivdlib.evaluation.claims import CLAIMS, FIXED, NO_WORSE
from ivdlib.evaluation.comparisons import difference, side
from ivdlib.evaluation.recorded import by_value, unusual
from ivdlib.evaluation.scores import disc_rows, has_variants, of_single_contrasts, singles
from ivdlib.evaluation.statistics import Comparison
from ivdlib.options import OWN_RATES
from ivdlib.profiles import EXTENDABLE, title

PAGE, FOLDER, EVIDENCE = "AUDIT.md", "audit", "page_one.csv"
"""The page of claims, where its experiments lie, beside it, and the numbers of its first page."""

PATIENTS, TRAININGS = 4, 2
"""Fewest that a verdict rests on: the interval of two or three patients is as wide as its luck, and
one training has none."""

SUPPORTED, OPPOSITE, OPEN = "supported", "the opposite holds", "open"
ALIKE = f"no difference of {NO_WORSE:g} or more"
HANGS = "open, hangs on failed trainings"
FAILS = "does not hold"
UNTESTED = "not tested on these data"

DATA_KINDS = {
    "crops": "crops",
    "slabs": "slabs",
    "phantom": "phantom",
    "dixon": "whole Dixon scans",
    "bodies": "full-field Dixon",
}
"""Kinds of data; a claim may hold on one and not on another: real Dixon images cut to one disc,
real images of the spine that are not Dixon, made-up people, real Dixon scans with labelled discs,
and such with labelled bodies alone, see `full_fields`."""

UNLIKE = (*EXTENDABLE, "name", "score_discs", "stress", "references", "comparable")
"""Fields of a profile that change no training that two experiments share."""


def verdict(found: Comparison | None, margin: float = 0.0, each: bool = False) -> str:
    """One of the words above; `margin` and `each` as in `Claim`."""
    if found is None:
        return UNTESTED
    if len(found.differences) < PATIENTS:
        return f"not tested: fewer than {PATIENTS} patients"
    if found.trainings is not None and len(found.trainings) < TRAININGS:
        return f"not tested: fewer than {TRAININGS} trainings"
    word = _by_interval(found, margin, each)
    if found.failed and (found.median is None or _by_interval(found.median, margin, each) != word):
        return HANGS
    return word


def _by_interval(found: Comparison, margin: float, each: bool) -> str:
    if found.low > -margin:
        return SUPPORTED
    if found.high < -margin:
        return FAILS if each else OPPOSITE
    return ALIKE if found.within(NO_WORSE) else OPEN


def clear(verdict: str) -> bool:
    """Whether enough patients were there for a verdict, if only that the claim is open."""
    return not verdict.startswith("not tested")


def cleared(judged: pd.DataFrame) -> pd.DataFrame:
    """Rows of `judge` that have a verdict."""
    return judged[judged["verdict"].map(clear).astype(bool)]


JUDGED = ("key", "claim", "source", "difference", "experiment", "kind", "mean", "low", "high", "p",
          "patients", "trainings", "patients_low", "patients_high", "trainings_low",
          "trainings_high", "median", "failed", "paper", "verdict", "fixed")  # fmt: skip
"""Columns of `judge`."""


def data_kind_of(record: Mapping, metrics: pd.DataFrame) -> str:
    """Which kind of data an experiment is of, one of `DATA_KINDS`."""
    if record.get("phantom"):
        return "phantom"
    if record.get("one_tile"):
        return "crops"
    names = singles(metrics)
    return "dixon" if len(names) > 1 and set(names) <= set(CONTRASTS) else "slabs"


def judge(
    experiments: Mapping[str, pd.DataFrame], kinds: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Judge every claim on every data set.

    Parameters
    ----------
    experiments : mapping of str to DataFrame
        Rows of `metrics.csv` by the name of the experiment.
    kinds : mapping of str to str, optional
        Kind of the data of each, see `data_kind_of`: only those of a primary comparison are.

    Returns
    -------
    DataFrame
        A row a claim and experiment, none without experiments: `key`, `claim`, `source`,
        `difference`, `experiment`, `kind`; `mean`, `low`, `high` (the wider interval), `p`; numbers
        of `patients` and `trainings` with the interval over each; `median`, the mean of the
        differences of medians over seeds; `failed` trainings; `paper`, the same difference there;
        `verdict`, `fixed` (primary). If variants of FDS-CNN were trained, only claims about those.
    """
    rows, kinds = [], kinds or {}
    ablations = {n for n, m in experiments.items() if has_variants(m)}
    for claim in CLAIMS:
        for name, metrics in experiments.items():
            if name in ablations and not claim.variant:
                continue
            found = claim.test(metrics)
            which = f": {found.label}" if found and found.label else ""
            kind = kinds.get(name, "")
            rows.append({
                "key": claim.key, "claim": claim.text, "source": claim.source,
                "difference": claim.difference + which, "experiment": name, "kind": kind,
                # If the data left something out, it is not the paper's difference.
                **numbers_of(found),
                "paper": np.nan if which or claim.paper is None else claim.paper,
                "verdict": verdict(found, claim.margin, claim.each),
                "fixed": FIXED.get(claim.key) == kind,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=JUDGED)


def numbers_of(found: Comparison | None) -> dict[str, float | int]:
    """Numbers of a comparison, as columns of `judge`; NaN and 0 if there is none."""
    nothing = np.nan, np.nan
    trainings = None if found is None else found.trainings
    over_patients = statistics.interval(found.differences) if found else nothing
    over_trainings = nothing if trainings is None else statistics.interval(trainings)
    median = found.median.mean if found and found.median else np.nan
    return {
        **{key: getattr(found, key, np.nan) for key in ("mean", "low", "high", "p")},
        "patients": len(found.differences) if found else 0,
        "trainings": 0 if trainings is None else len(trainings),
        **dict(zip(("patients_low", "patients_high"), over_patients, strict=True)),
        **dict(zip(("trainings_low", "trainings_high"), over_trainings, strict=True)),
        "median": median, "failed": found.failed if found else 0,
    }  # fmt: skip


def judge_spine(experiments: Mapping[str, tuple[Mapping, pd.DataFrame]]) -> pd.DataFrame:
    """Compare uses of the spine stage: experiments that differ in nothing else.

    Parameters
    ----------
    experiments : mapping of str to (record, metrics)

    Returns
    -------
    DataFrame
        `experiment`, `data`, `use` of the spine, `steps` of the training, `discs_inside` and
        `region_share` (means over scans), `dice` of FDS-CNN, `numbers_of` its difference to no
        region at all, over the patients that both have, with its `verdict`; a row an experiment, of
        data that were tried with a region and without.
    """
    alike: dict[Hashable, list] = {}
    for name, (record, metrics) in experiments.items():
        if side(metrics, "fds_cnn") is not None:
            same = likeness(_without_others(record), "spine")
            alike.setdefault(same, []).append((name, record, metrics))
    rows = []
    for group in alike.values():
        plain = [metrics for _, record, metrics in group if _use(record)["region"] == "none"]
        if plain and len(group) > 1:
            rows += [_spine_row(*one, plain[0]) for one in group]
    return pd.DataFrame(rows)


def _without_others(record: Mapping) -> Mapping:
    """A record without the learning rates of other networks than FDS-CNN."""
    profile = record["config"]["profile"]
    own = OWN_RATES.values()
    training = {k: v for k, v in profile.get("training", {}).items() if k not in own}
    profile = {**profile, "training": training}
    return {**record, "config": {**record["config"], "profile": profile}}


def _use(record: Mapping) -> Mapping:
    return record["config"]["profile"]["spine"]


def _spine_row(
    name: str, record: Mapping, metrics: pd.DataFrame, plain: pd.DataFrame
) -> dict[str, Any]:
    use, found = _use(record), side(metrics, "fds_cnn")
    compared = difference(found, side(plain, "fds_cnn"))
    people = found.patients
    shared = compared.differences.index if compared else people.index
    scans = disc_rows(metrics).groupby("case")[["discs_inside", "region_share"]]
    masked = "zero outside" if use["mask"] else "places the tiles"
    return {
        "experiment": name,
        "data": record["data"],
        "use": "none" if use["region"] == "none" else f"{use['region']}, {masked}",
        "steps": record["config"]["profile"]["training"]["steps"],
        **scans.mean().mean(),
        "dice": people[shared].mean(), **numbers_of(compared), "patients": len(shared),
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
    found = pd.DataFrame(columns)
    return found.reindex(sorted(found.index, key=by_number))
