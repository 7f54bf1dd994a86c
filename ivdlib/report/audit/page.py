"""AUDIT.md: every claim of the paper with its verdict and where the evidence lies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from ivdlib import files
from ivdlib.errors import DataError
from ivdlib.evaluation import claims, recorded, scores, verdicts
from ivdlib.evaluation.statistics import LEVEL
from ivdlib.evaluation.verdicts import FOLDER, PAGE
from ivdlib.profiles import PROFILES, STRESSES, TITLES
from ivdlib.report import diagrams, plotting, result_figures
from ivdlib.report.audit import doubts, experiment, sections
from ivdlib.report.audit.sections import Found

_HEAD = """# The audit

Wang, Gu & Li, "Automated Segmentation of Intervertebral Disc Using Fully Dilated Separable Deep
Neural Networks": each claim that we could turn into a comparison is *supported*, *not supported* or
not tested on the data named beside it. Made by `ivdlib audit` from the records in the folder
`audit`; no number here is typed in.

**How a comparison is judged.** {rules}
"""

RULES = f"""The patient is the unit: seeds, contrasts and scans of a patient are averaged first.
Given are the mean paired difference over patients, its {LEVEL:.0%} interval (Student's t) and the p
of the exact sign-flip test, which with n patients cannot fall below 2/2ⁿ. The interval decides, p
stands beside it. *Supported* means that the interval lies above zero; for a claim that something
costs nothing, above −{claims.NO_WORSE:g}. *The opposite holds* means that it lies below that. *Not
supported* alone says that these data do not show it, not that it is wrong.

{{primary}} All others are descriptive and not corrected for their number: one interval in twenty
leaves zero out by chance. Folds share training patients and the patients of a fold share a network,
so patients are not quite independent. {{weights}} Within a fold its test patients chose nothing,
but where a leak is named.{{chosen}}

Networks of one size are not equally large (see the claims about cost).{{sizes}}"""

PRIMARY = f"Primary are the {len(claims.FIXED)} comparisons marked ●, the same on all data."
_NAMED = (
    " They were named before these experiments ran, though not before any look at these patients: "
    "the README beside this page says what had been seen."
)
SEEN = "AUDIT.md calls primary"
"""Words of a README that says it; without one beside the page, the page does not either."""
CHOSEN = (
    " What was chosen on inner patients (below) holds in every fold, and they test in another one."
)


def rules(folder: Path, found: Mapping[str, Found]) -> str:
    """How a comparison is judged here: what is so in these experiments."""
    every = {
        name: (record.get("config", {}).get("profile", {}), metrics)
        for some in found.values()
        for name, (record, metrics) in some.items()
    }
    averaged = [
        n for n, (profile, _) in every.items() if profile.get("training", {}).get("average")
    ]
    large = [metrics["network"] for profile, metrics in every.values()
             if profile.get("size") == "paper"]  # fmt: skip
    compared = any(names[names.isin(list(TITLES))].nunique() > 1 for names in large)
    readme = folder / "README.md"
    seen = readme.is_file() and SEEN in readme.read_text(encoding="utf-8")
    moving = f" (in {', '.join(averaged)} their moving average)" if averaged else ""
    return RULES.format(
        primary=f"{PRIMARY}{_NAMED * seen}",
        weights=f"The last weights count{moving}.",
        chosen=CHOSEN * bool(found["inner"]),
        sizes="" if compared else " At the paper's size none were compared.",
    )


BEYOND = ("neighbours", "intensity", "scale", "average")
"""Fields of a training that only recipes beyond the paper's set."""

_KINDS = ("result", "inner", "leak", "partition", "better", "external")
"""What an experiment can be for, see `kind`."""


def kind(record: dict) -> str:
    """What an experiment is for, one of `_KINDS`."""
    if record.get("external"):
        return "external"
    profile = record["config"]["profile"]
    if profile.get("inner"):
        return "inner"
    if profile.get("leak", "none") != "none":
        return "leak"
    known = PROFILES.get(profile.get("name", ""))
    usual = asdict(known.training) if known else {}  # a profile may average its weights by itself
    if any(profile["training"].get(f, 0) not in (0, usual.get(f, 0)) for f in BEYOND):
        return "better"
    return "partition" if profile.get("partition") else "result"


def experiments(folder: str | os.PathLike) -> dict[str, Found]:
    """Find the experiments with results in a folder: by kind, then by name."""
    found = {one: {} for one in _KINDS}
    for path in sorted(Path(folder).glob("*/record.json")):
        record, metrics = recorded.read_record(path.parent), scores.of(path.parent)
        if metrics is not None and "profile" in record["config"]:
            record = {**recorded.completed(record), "changed": recorded.changed(path.parent)}
            found[kind(record)][path.parent.name] = record, metrics
    return found


_WATER = ("more_water", "slope", "correlation", "deviation", "scans")
"""Columns of numbers of `tables.fused_and_water`."""


def _water(folder: Path, results: Found) -> dict[str, pd.DataFrame]:
    paths = {name: folder / name / "tables" / "fused_and_water.csv" for name in results}
    return {name: scores.numbers(path, _WATER) for name, path in paths.items() if path.is_file()}


def _drawn(judged: pd.DataFrame, place: Path) -> str:
    """Draw what has a verdict; images made worse apart, for their scale is another."""
    clear = judged[~judged["verdict"].str.startswith("not tested")]
    worse = clear["key"].isin([f"noise_{kind}" for kind in STRESSES])
    drawn, lines, names = {}, [], clear["experiment"].unique()
    clear = clear.rename(columns={"experiment": "series"})
    for name, what, rows in (
        ("claims", "on images as they are", clear[~worse]),
        ("claims_worse", "on images made worse", clear[worse]),
    ):
        if len(rows):
            label = f"difference of the mean Dice, {what}"
            drawn[name] = diagrams.forest(rows, label, names)
            alt = f"The verdicts {what}: for each claim and data set a mean and its interval."
            lines.append(f"![{alt}]({FOLDER}/{name}.png)\n")
    plotting.save(drawn, place)
    return "\n".join(lines)


def write_audit(folder: str | os.PathLike) -> Path:
    """Write ``AUDIT.md``, beside it ``audit.csv``, and the figures of each experiment.

    Parameters
    ----------
    folder : path
        Where the page goes. Its folder `audit` holds one folder an experiment, as `Experiment`
        writes them.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If no experiment is finished.
    """
    folder, place = Path(folder), Path(folder) / FOLDER
    found = experiments(place)
    results, inner, leaks, partitions, better, others = found.values()
    if not any(found.values()):
        raise DataError(f"{place} holds no finished experiment; run make audit first.")
    judged = verdicts.judge({name: metrics for name, (_, metrics) in results.items()})
    parts = [
        _HEAD.format(rules=rules(folder, found)),
        sections.claims(judged),
        sections.derived({**results, **better, **partitions}),
        doubts.failed(results),
        _drawn(judged, place),
        doubts.folds_section(results),
        doubts.partitions(results, partitions),
        sections.spine_section(verdicts.judge_spine(results)),
        sections.together_section({**results, **better, **others}),
        doubts.recipes(results, better, others),
        sections.water(_water(place, results)),
        doubts.leaks(results, leaks),
        sections.cost(),
        sections.untested(),
        sections.choices(inner),
    ]
    for name, (record, metrics) in {**results, **better}.items():
        drawn = result_figures.write_figures(place / name, metrics)
        parts.append(experiment.experiment(name, record, metrics, drawn))
    path = folder / PAGE
    files.write_text(path, "\n".join(part for part in parts if part))
    files.write_csv(folder / "audit.csv", judged)
    return path
