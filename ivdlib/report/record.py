"""What a report says about its making: who, what, when, on which data; from the record."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ivdlib import audit, files
from ivdlib.profiles import LEAKS

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
        """Rows of the title page."""
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
    if record.get("derived"):
        names = ", ".join(record["derived"])
        found.append(("DERIVED †", f"{names} computed from other contrasts"))
    return found


def facts(folder: Path, record: dict[str, Any], metrics: pd.DataFrame) -> Rows:
    """Rows of the title page about an experiment."""
    config = record.get("config", {})
    profile = config.get("profile", {})
    cases = record.get("cases", {})
    subjects = {case["subject"] for case in cases.values()}
    done = [files.read_json(path) for path in sorted(folder.glob("trainings/*/record.json"))]
    trained = [r for r in done if "seconds_training" in r]
    seconds = sum(r["seconds_training"] + r["seconds_scoring"] for r in trained)
    left = record.get("left", 0)
    length = profile.get("training", {}).get("steps", "?")
    return [
        ("Data", f"{record.get('data', '?')}, {len(cases)} scans of {len(subjects)} subjects"),
        ("Profile", profile.get("name", "?")),
        ("Folds", _folds(config.get("folds", []), cases)),
        ("Seeds", metrics["seed"].nunique() or "none finished"),
        ("Length", f"{length} optimiser steps a training"),
        ("Trained", f"{len(trained)} networks, {seconds / 60:.1f} minutes of computing"
                    + (f"; unfinished: {left} trainings are left" if left else "")),
        ("Device", "; ".join(sorted({r["device"] for r in trained})) or record.get("device", "?")),
        ("Begun", when(datetime.fromisoformat(record["made"]))),
        ("Record", f"configuration {record.get('config_hash', '?')[:16]}, record.json"),
    ]  # fmt: skip


def _folds(folds: list[dict[str, Any]], cases: dict[str, Any]) -> str:
    """How many folds there are, and whether they keep subjects apart."""

    def subjects(names: list[str]) -> set[str]:
        return {cases[name]["subject"] for name in names if name in cases}

    both = sum(bool(subjects(f.get("train", [])) & subjects(f.get("test", []))) for f in folds)
    leaking = f"a SUBJECT ON BOTH SIDES of {both}" if both else "no subject on both sides of one"
    return f"{len(folds)}, {leaking}"


def when(moment: datetime | None = None) -> str:
    """A moment for readers; default now."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def deviations(record: dict[str, Any]) -> list[dict[str, str]]:
    """Where the experiment differs from the paper's: field, ours, paper, why."""
    rows = list(record.get("deviations", []))
    folds = len(record.get("config", {}).get("folds", []))
    if folds and folds != 4:
        why = "as the profile or the number of subjects asks"
        rows.insert(0, {"field": "folds", "ours": str(folds), "paper": "4", "why": why})
    if record.get("phantom"):
        why = "no scans were given (--data)"
        paper = "IVDM3Seg, 16 scans of 8 subjects"
        rows.insert(0, {"field": "data", "ours": "phantom", "paper": paper, "why": why})
    return rows


def command(folder: Path, record: dict[str, Any]) -> str:
    """The command that makes the experiment, for a shell: of the audit's the declared one."""
    if folder.parent.name == audit.FOLDER:
        return f"ivdlib grid --experiment benchmarks/audit/{folder.name}.toml"
    program, *rest = record.get("command") or ["ivdlib", "reproduce"]
    start = ["python", "-m", "ivdlib"] if program == "__main__.py" else [program]
    return shlex.join([*start, *rest])


def versions(record: dict[str, Any]) -> Rows:
    """Hash of the configuration and versions of the packages."""
    digest = record.get("config_hash", "not recorded")
    return [("configuration", f"sha256 {digest}"), *record.get("versions", {}).items()]
