"""What a report says about its making: who, what, when, on which data; from the record."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ivdlib import again, files, metrics_csv
from ivdlib.names import key
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
    rows = metrics_csv.trained(metrics[metrics["target"] == "disc"])
    return [
        ("Data", f"{record.get('data', '?')}, {len(cases)} scans of {len(subjects)} subjects"),
        ("Profile", profile.get("name", "?")),
        ("Folds", _folds(config.get("folds", []), cases)),
        ("Seeds", rows["seed"].nunique() or "no disc network is scored"),
        ("Length", _length(profile, {r.get("target") for r in trained})),
        ("Trained", f"{len(trained)} networks, {seconds / 60:.1f} minutes of computing"
                    + left(record)),
        ("Device", "; ".join(sorted({r["device"] for r in trained})) or record.get("device", "?")),
        ("Begun", when(datetime.fromisoformat(record["made"]))),
        ("Record", f"configuration {record.get('config_hash', '?')[:16]}, record.json"),
    ]  # fmt: skip


def left(record: dict[str, Any]) -> str:
    """What is not done yet, with a semicolon before it; "" where all is."""
    if "left" not in record:  # stopped by an older version, which wrote it at the end
        return "; UNFINISHED"
    return f"; unfinished: {record['left']} trainings are left" if record["left"] else ""


def _length(profile: dict[str, Any], targets: set[str]) -> str:
    """Steps of the networks that were trained; of those for discs where none was."""
    parts = {"disc": ("training", "discs"), "spine": ("spine", "the spine")}
    return ", ".join(
        f"{profile.get(part, {}).get('steps', '?')} optimiser steps for {what}"
        for target, (part, what) in parts.items()
        if target in (targets & set(parts) or {"disc"})
    )


def _folds(folds: list[dict[str, Any]], cases: dict[str, Any]) -> str:
    """How many folds there are, and whether they keep subjects apart."""

    def subjects(names: list[str]) -> set[str]:
        return {key(cases[name]["subject"]) for name in names if name in cases}

    both = sum(bool(subjects(f.get("train", [])) & subjects(f.get("test", []))) for f in folds)
    leaking = f"a SUBJECT ON BOTH SIDES of {both}" if both else "no subject on both sides of one"
    return f"{len(folds)}, {leaking}"


def when(moment: datetime | None = None) -> str:
    """A moment for readers; default now."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def command(folder: Path, record: dict[str, Any]) -> str:
    """The command that makes the experiment, for a shell; "" where its record does not tell.

    With the lessons, where they were run and that command takes all that was set.
    """
    words = again.command(record)
    flags = {word for word in words if word.startswith("--")}
    alone = flags <= {"--profile", "--name", "--data", "--seeds"}
    if words and alone and any((folder / "notebooks").glob("*.ipynb")):
        words[words.index("grid")] = "reproduce"
    return shlex.join(words)


def versions(record: dict[str, Any]) -> Rows:
    """Hash of the configuration and versions of the packages."""
    digest = record.get("config_hash", "not recorded")
    return [("configuration", f"sha256 {digest}"), *record.get("versions", {}).items()]
