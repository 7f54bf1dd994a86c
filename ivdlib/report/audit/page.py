"""AUDIT.md: ten claims on one page, how they were judged, and behind them all the evidence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ivdlib import files
from ivdlib.errors import DataError
from ivdlib.evaluation import full_fields, headlines, recorded, scores, verdicts
from ivdlib.evaluation.claims import CLAIMS
from ivdlib.evaluation.verdicts import EVIDENCE, FOLDER, PAGE
from ivdlib.profiles import PROFILES
from ivdlib.progress import track
from ivdlib.report import plotting, result_figures
from ivdlib.report.audit import (
    doubts,
    experiment,
    first_page,
    how_judged,
    page_one_figure,
    real_scans,
    sections,
    what_would_change,
)
from ivdlib.report.audit.sections import Found

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


def _disc_records(folder: Path) -> list[dict]:
    return [one for one in recorded.trainings(folder).values() if one["target"] == "disc"]


def _judged(
    results: Found, fields: Mapping[str, pd.DataFrame], spine: pd.DataFrame
) -> pd.DataFrame:
    """Every claim on every experiment, the use of the spine and real whole fields too."""
    kinds = {name: verdicts.data_kind_of(*pair) for name, pair in results.items()}
    judged = verdicts.judge({name: metrics for name, (_, metrics) in results.items()}, kinds)
    more = headlines.spine_rows(spine, kinds), headlines.field_rows(fields, kinds)
    return pd.concat([frame for frame in (judged, *more) if len(frame)] or [judged])


def _evidence(results: Found, judged: pd.DataFrame) -> pd.DataFrame:
    """What page one rests on."""
    profiles = {name: record["config"]["profile"] for name, (record, _) in results.items()}
    steps = {name: profile["training"]["steps"] for name, profile in profiles.items()}
    people = {
        name: len({who.get("subject", case) for case, who in record.get("cases", {}).items()})
        for name, (record, _) in results.items()
    }
    metrics = {name: metrics for name, (_, metrics) in results.items()}
    return headlines.evidence(judged, steps, metrics, people)


def _first_pages(
    folder: Path, found: Mapping[str, Found], judged: pd.DataFrame, evidence: pd.DataFrame
) -> str:
    """Page one, how we judged, what would change our mind; if nothing can tell, the rules alone."""
    drawn = folder / FOLDER / "page_one.png"
    rules = how_judged.rules(folder, found, judged)
    if evidence.empty:
        for path in (drawn, folder / EVIDENCE):  # of an earlier call
            path.unlink(missing_ok=True)
        return f"# The audit\n\n{rules}"
    results = found["result"]
    marks = {
        name: how_judged.UNEVEN
        for name, (record, _) in results.items()
        if how_judged.uneven(record)
    }
    files.write_csv(folder / EVIDENCE, evidence)
    plotting.save({"page_one": page_one_figure.draw_page_one(evidence)}, drawn.parent)
    page = headlines.page_one(evidence)
    footer = first_page.footer(judged, evidence, marks, found["external"], results)
    return "\n".join(
        (
            first_page.first_page(page, evidence, marks, footer),
            f"![{page_one_figure.ALT}]({FOLDER}/{drawn.name})\n",
            rules,
            what_would_change.change(judged, page),
            "## Appendices\n",
        )
    )


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
        raise DataError(f"{place} holds no finished experiment; run ivdlib audit first.")
    fields, spine = full_fields.read(folder), verdicts.judge_spine(results)
    every = _judged(results, fields, spine)
    evidence = _evidence(results, every)
    chosen = set(zip(evidence["key"], evidence["experiment"], strict=True))
    named = [pair in chosen for pair in zip(every["key"], every["experiment"], strict=True)]
    every["fixed"] = every["fixed"].astype(bool) & np.array(named, bool)
    judged = every[every["key"].isin([claim.key for claim in CLAIMS]) & (every["kind"] != "bodies")]
    grades = {name: place / name / "grades.csv" for name in results}
    parts = [
        _first_pages(folder, found, every, evidence),
        sections.claims(judged),
        sections.derived({**results, **better, **partitions}),
        doubts.failed(results),
        doubts.folds_section(results, judged),
        doubts.partitions(results, partitions),
        sections.spine_section(spine),
        real_scans.full_fields_section(fields),
        real_scans.grades({n: pd.read_csv(p) for n, p in grades.items() if p.is_file()}),
        sections.together_section({**results, **better, **others}),
        doubts.recipes(results, better, others),
        sections.water(_water(place, results)),
        doubts.leaks(results, leaks),
        sections.cost(),
        doubts.took({name: _disc_records(place / name) for name in results}),
        sections.untested(),
        sections.choices(inner),
    ]
    shown = {**results, **better}
    for name, (record, metrics) in track(shown.items(), "figures of the audit"):
        drawn = result_figures.write_figures(place / name, metrics)
        parts.append(experiment.experiment(name, record, metrics, drawn))
    path = folder / PAGE
    files.write_text(path, "\n".join(part for part in parts if part))
    files.write_csv(folder / "audit.csv", judged)
    return path
