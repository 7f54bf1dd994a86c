"""What a report says about its making: who, what, when, on which data; from the record."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ivdlib.data.people import key
from ivdlib.data.remarks import listed
from ivdlib.evaluation import recorded, scores
from ivdlib.profiles import LEAKS
from ivdlib.training import rerun_command

Rows = list[tuple[str, Any]]


@dataclass(frozen=True)
class Author:
    """Who hands a report in; what is empty is left out.

    Attributes
    ----------
    name, course, matriculation : str
    """

    name: str = ""
    course: str = ""
    matriculation: str = ""

    def rows(self) -> Rows:
        """Rows below the title."""
        told = (("Author", self.name), ("Course", self.course),
                ("Matriculation number", self.matriculation))  # fmt: skip
        return [(what, text.strip()) for what, text in told if text.strip()]


def badges(record: dict[str, Any]) -> Rows:
    """Labels that no reader may overlook."""
    found = []
    if record.get("phantom"):
        found.append(("PHANTOM", "made-up scans, not patients"))
    profile = record.get("config", {}).get("profile", {})
    if profile.get("leak", "none") != "none":
        found.append(("LEAK", LEAKS[profile["leak"]].lower()))
    if profile.get("inner"):
        found.append(("INNER PATIENTS", "for choices, no result"))
    if not record.get("comparable", True):
        found.append(("NOT COMPARABLE", "too small to stand beside other results"))
    if record.get("changed"):
        names = listed(record["changed"])
        found.append(("CHANGED", f"not what was recorded when it was made: {names}"))
    if record.get("derived"):
        names = ", ".join(record["derived"])
        found.append(("DERIVED †", f"{names} computed from other contrasts"))
    return found


def facts(folder: Path, record: dict[str, Any], metrics: pd.DataFrame) -> Rows:
    """Rows of the table that says how an experiment was made."""
    config = record.get("config", {})
    profile = config.get("profile", {})
    cases = record.get("cases", {})
    subjects = {case.get("subject", name) for name, case in cases.items()}
    done = recorded.trainings(folder).values()
    trained = [r for r in done if "seconds_training" in r]
    devices = sorted({r["device"] for r in trained if "device" in r})
    seconds = sum(r["seconds_training"] + r.get("seconds_scoring", 0) for r in trained)
    rows = scores.trained(metrics[metrics["target"] == "disc"])
    unsealed = len(metrics) > 0 and "sha256" not in record  # an older record, or an edited one
    return [
        ("Data", f"{record.get('data', '?')}, {len(cases)} scans of {len(subjects)} subjects"),
        ("Profile", profile.get("name", "?")),
        ("Folds", _folds(config.get("folds", []), cases)),
        ("Seeds", _seeds(record, rows["seed"].nunique())),
        ("Length", _length(record, {r.get("target") for r in trained})),
        ("Trained", f"{len(trained)} networks, {seconds / 60:.1f} minutes of computing"
                    + left_to_do(record)),
        ("Device", "; ".join(devices) or record.get("device", "?")),
        ("Begun", (when(datetime.fromisoformat(record["made"])) if "made" in record else "?")
                  + ("; its scores are not sealed" if unsealed else "")),
        ("Record", f"configuration {record.get('config_hash', '?')[:16]}, record.json"),
    ]  # fmt: skip


def lead(rows: Rows) -> str:
    """One line of what an experiment is, from its `facts`."""
    told = dict(rows)
    which = f"{told['Data']}; profile {told['Profile']}; {told['Trained']}"
    return f"Segmentation of intervertebral discs: {which}."


def left_to_do(record: dict[str, Any]) -> str:
    """What is not done yet, with a semicolon before it; "" where all is."""
    if "left" not in record:  # stopped by an older version, which wrote it at the end
        return "; UNFINISHED"
    told = recorded.left(record)
    return f"; unfinished: {told}" if told else ""


def _seeds(record: dict[str, Any], scored: int) -> int | str:
    """Seeds of the disc networks: those that are scored, and those that are planned."""
    planned = record.get("seeds", 0) if record.get("networks") else 0
    if record.get("left") and planned > scored:
        return f"{planned} planned, {scored or 'none'} scored yet"
    return scored or "no disc network is scored"


def _length(record: dict[str, Any], trained: set[str]) -> str:
    """Steps of the networks that were trained or are planned; of those for discs if none is."""
    profile = record.get("config", {}).get("profile", {})
    planned = {"disc"} if record.get("networks") else set()
    if "spine_planned" in record and (record["spine_planned"] or not record.get("networks")):
        planned = planned | {"spine"}
    targets = trained | planned
    parts = {"disc": ("training", "discs"), "spine": ("spine", "the spine")}
    return ", ".join(
        f"{profile.get(part, {}).get('steps', '?')} optimiser steps for {what}"
        for target, (part, what) in parts.items()
        if target in (targets & set(parts) or {"disc"})
    )


def _folds(folds: list[dict[str, Any]], cases: dict[str, Any]) -> str:
    """How many folds there are, and whether they keep subjects apart."""

    def subjects(names: list[str]) -> set[str]:
        return {key(cases[name].get("subject", name)) for name in names if name in cases}

    both = sum(bool(subjects(f.get("train", [])) & subjects(f.get("test", []))) for f in folds)
    if both:
        return f"{len(folds)}; in {both} of them a SUBJECT BOTH TRAINS AND TESTS"
    return f"{len(folds)}; in none a subject both trains and tests"


def when(moment: datetime | None = None) -> str:
    """A moment for readers; default now."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def shown_command(folder: Path, record: dict[str, Any]) -> str:
    """The command that makes the experiment, for a shell; "" where its record does not tell.

    With the lessons, where they were run and that command takes all that was set.
    """
    words = rerun_command.command(record)
    flags = {word for word in words if word.startswith("--")}
    alone = flags <= {"--profile", "--name", "--data", "--seeds"}
    if words and alone and any((folder / "notebooks").glob("*.ipynb")):
        words[words.index("grid")] = "reproduce"
    return shlex.join(words)


def shown_versions(record: dict[str, Any]) -> Rows:
    """Hash of the configuration and versions of the packages."""
    digest = record.get("config_hash", "not recorded")
    return [("configuration", f"sha256 {digest}"), *record.get("versions", {}).items()]
