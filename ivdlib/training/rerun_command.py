"""The command that makes an experiment again, from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivdlib import profiles, provenance
from ivdlib.errors import ConfigError
from ivdlib.evaluation import recorded
from ivdlib.training import declared

PROGRAM = ("python", "-m", "ivdlib")
"""Runs in any environment that the package is installed in."""

FLAGS = {"discs": "--discs", "spine": "--spine", "label_grid": "--label-grid"}
"""How scans were read, see `cases.load_cases`."""


def command(record: Mapping[str, Any]) -> list[str]:
    """Words of the command that makes an experiment with this record.

    If a file that comes with ivdlib declares it, that one; else every field that differs from the
    profile is set. Empty where the record names no profile that there is, or not what its data are.

    Parameters
    ----------
    record : mapping
        `record.json` of an experiment; older ones name neither networks nor how scans were read.
    """
    profile = record["config"].get("profile", {})
    needed = {"name", "phantom"} | ({"data"} if not record.get("phantom") else set())
    if profile.get("name") not in profiles.PROFILES or not needed <= {*record}:
        return []
    found = _declared(record)
    if found:
        path, base = found
        words = ["--experiment", path.relative_to(provenance.brought("")).as_posix()]
    else:
        base = profiles.profile(profile["name"])
        words = ["--profile", base.name, "--name", record["name"]]
        words += [] if record["phantom"] else ["--data", f"data/{record['data']}"]
        for key, value in _set(record).items():
            words += ["--set", f"{key}={_text(value)}"]
    return [*PROGRAM, "grid", *words, *_grown(record, base), *_read(record)]


def needs(record: Mapping[str, Any]) -> str:
    """What the command takes and ivdlib does not bring; "" where that is nothing."""
    found = []
    if not record.get("phantom"):
        name = record.get("data", "?")
        found.append(f"The scans do not come with ivdlib: put their folder, {name}, into data/.")
    if split := record.get("split"):
        found.append(
            f"Nor is the table of folds, {split}, with the columns case and fold (the fold that "
            "tests the case); record.json says who was in which."
        )
    return " ".join(found)


def _set(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are none of the profile's, apart from those that decided on nothing."""
    found = recorded.overrides(record["config"]["profile"])
    whole = record.get("one_tile", False)
    if whole:
        found.pop("training.placement", None)
    if whole or found.get("spine.region") == "none":
        found.pop("spine.tolerance", None)
    return found


def _declared(record: Mapping[str, Any]) -> tuple[Path, profiles.Profile] | None:
    """File of ours that declares this very experiment, and the profile that it gives."""
    mine = record["config"]["profile"]
    data = None if record["phantom"] else record["data"]
    for path in sorted(provenance.brought("benchmarks").rglob("*.toml")):
        if path.stem != record["name"]:
            continue
        try:
            one = declared.load(path)
            profile = profiles.profile(one.profile, one.overrides)
        except ConfigError:  # a file that someone is still at work on
            continue
        its = {k: v for k, v in profile.to_dict().items() if k in mine}
        alike = recorded.by_value(_set({**record, "config": {"profile": its}}))
        alike = alike == recorded.by_value(_set(record)) and profile.name == mine["name"]
        named = " + ".join(Path(folder).name for folder in one.data) or None
        if alike and named == data:
            return path, profile
    return None


def _grown(record: Mapping[str, Any], base: profiles.Profile) -> list[str]:
    """Words for what may grow under one name: networks, kinds of training, seeds."""
    words = []
    for key in ("networks", "arms", "seeds"):
        value = record.get(key)
        if value is not None and recorded.by_value(value) != recorded.by_value(getattr(base, key)):
            words += (
                ["--seeds", str(value)] if key == "seeds" else ["--set", f"{key}={_text(value)}"]
            )
    return words


def _read(record: Mapping[str, Any]) -> list[str]:
    """Words for how scans were read and who was in which fold."""
    load, words = record.get("load", {}), []
    for key, flag in FLAGS.items():
        words += [flag, _text(load[key])] if key in load else []
    words += [] if load.get("derive_missing", True) else ["--no-derive-missing"]
    return words + (["--split", record["split"]] if record.get("split") else [])


def _text(value: Any) -> str:
    """A value as `--set` reads it."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
