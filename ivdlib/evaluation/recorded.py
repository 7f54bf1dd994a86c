"""Records as they are read: checked, and whether what they stand for was changed since.

Older ones lack fields, and the order of keys means nothing.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ivdlib import files
from ivdlib.data.json_shape import misfit
from ivdlib.data.remarks import listed
from ivdlib.errors import DataError, DataWarning
from ivdlib.links import need_content
from ivdlib.options import meant_by_silence
from ivdlib.profiles import ARMS, LEAKS, PROFILES, Profile, current, keys

RECORD = "record.json"


def _unsaid(options: Any) -> dict[str, Any]:
    """What each field of a profile, or of a part of it, is in a record that does not name it."""
    found = {}
    for f in fields(options):
        value = getattr(options, f.name)
        if hasattr(value, "__dataclass_fields__"):
            found[f.name] = _unsaid(value)
        elif f.default is not MISSING:
            found[f.name] = meant_by_silence(f)
    return found


UNSAID = _unsaid(Profile("", ""))
"""What a field means that a record does not name."""


def _is_moment(text: Any) -> bool:
    try:
        return bool(datetime.fromisoformat(text).astimezone(UTC))
    except (TypeError, ValueError, OverflowError):
        return False


def _kinds(unsaid: Mapping[str, Any]) -> dict[str, Any]:
    """Shapes of the fields of a profile, by what they are where a record does not name them."""
    found: dict[str, Any] = {"name": str}
    for key, value in unsaid.items():
        if isinstance(value, Mapping):
            found[key] = _kinds(value)
        else:
            found[key] = {type(None): object, tuple: [object]}.get(type(value), type(value))
    return found


_NAME = re.compile(r"(\w[\w.+-]*/)*\w[\w.+-]*", re.ASCII)


def _vouches(digest_of: Any) -> bool:
    """Whether these are digests of files, all of them within the folder of the record."""
    return isinstance(digest_of, Mapping) and all(
        len(name) < 100 and _NAME.fullmatch(name) and isinstance(digest, str)
        for name, digest in digest_of.items()
    )


_TEXTS = [str]
_ROW = {"ours!": object, "paper!": object, "why!": object}
_FOLD = {"number": int, "train": _TEXTS, "test": _TEXTS}

EXPERIMENT = {
    "made": _is_moment, "name": str, "data": str, "phantom": bool, "comparable": bool,
    "config!": {
        "data": str, "folds": [_FOLD],
        "profile": {**_kinds(UNSAID), "leak": [*LEAKS].__contains__},
    },
    "cases": {...: {"subject": str, "stage": str}},
    "derived": _TEXTS, "networks": _TEXTS, "arms": _TEXTS, "devices": _TEXTS, "short_of": _TEXTS,
    "remarks": _TEXTS,
    "trainings": _TEXTS, "seeds": int, "planned": int, "left": int, "spine_planned": int,
    "spine_left": int, "seconds": float, "one_tile": bool, "split": (str, None),
    "load": {"discs": ([int], None), "spine": ([int], None), "derive_missing": bool,
             "label_grid": str},
    "deviations": [{"field!": object, **_ROW}], "open_choices": [{"what!": object, **_ROW}],
    "config_hash": str, "versions": {...: str}, "device": str, "sha256": _vouches,
}  # fmt: skip
"""What the record of an experiment must be, see `misfit`."""

TRAINING_FIELDS = {
    "target!": ("disc", "spine", "reference").__contains__, "device": str,
    "network": str, "arm": [*ARMS].__contains__, "fold": int,
    "seconds": float, "seconds_training": float, "seconds_scoring": float, "sha256": _vouches,
}  # fmt: skip
"""What the record of a training must be."""

_SECONDS = ("seconds_training", "seconds_scoring")
_NEEDED = {"disc": ("network", "arm", *_SECONDS), "spine": _SECONDS}
"""What it must hold by its target."""


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of an experiment.

    Raises
    ------
    DataError
        If the folder is none of an experiment, or its record is broken.
    """
    path = folder / RECORD
    need_content(path)
    if not path.is_file():
        raise DataError(
            f"{folder} is no folder of an experiment, as {RECORD} is not there; ivdlib grid and "
            "ivdlib reproduce make such folders under reports/."
        )
    return _checked(path, EXPERIMENT, "an experiment")


def trainings(folder: Path) -> dict[Path, dict[str, Any]]:
    """Records of the finished trainings of an experiment, by their folders.

    Raises
    ------
    DataError
        If one is broken.
    """
    return {path.parent: training(path) for path in sorted(folder.glob(f"trainings/*/{RECORD}"))}


def training(path: Path) -> dict[str, Any]:
    """Read the record of a training; see `trainings`."""
    return _checked(path, TRAINING_FIELDS, "a training")


def _checked(path: Path, shape: Mapping, what: str) -> dict[str, Any]:
    found = files.read_json(path)
    odd = misfit(found, shape)
    if not odd:
        odd = ", ".join(
            key for key in _NEEDED.get(str(found.get("target")), ()) if key not in found
        )
    if odd:
        raise DataError(
            f"{path} is no record of {what} ({odd} missing or of another kind); remove it and call "
            "the command that made the folder again: it trains nothing twice."
        )
    return found


def sealed(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the text of files in a folder, for its record: `files.sha256_text`.

    Files that somebody put there under names that we give to none are left out.
    """
    found = {name: (folder / name) for name in names if _vouches({name: ""})}
    return {name: files.sha256_text(path) for name, path in found.items() if path.is_file()}


def changed(folder: Path) -> list[str]:
    """Results of an experiment that are not those that its records were written for; warns of them.

    Records of older versions hold no SHA-256 and tell nothing.
    """
    records = {folder: read_record(folder), **trainings(folder)}
    found = [
        (place / name).relative_to(folder).as_posix()
        for place, record in records.items()
        for name, digest in record.get("sha256", {}).items()
        if (place / name).is_file() and _digest(place / name) != digest
    ]
    if found:
        warnings.warn(
            f"{folder}: {listed(found)} changed since the record was written; delete what was "
            "changed and call the command that made the folder again.",
            DataWarning,
            stacklevel=2,
        )
    return found


def _digest(path: Path) -> str:
    try:
        return files.sha256_text(path)
    except (OSError, EOFError, zlib.error):
        return ""


def completed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose profile says all that it leaves unsaid."""
    profile = record["config"].get("profile", {})
    parts = {k: {**v, **profile.get(k, {})} for k, v in UNSAID.items() if isinstance(v, dict)}
    return {**record, "config": {**record["config"], "profile": {**UNSAID, **profile, **parts}}}


def left(record: Mapping[str, Any]) -> str:
    """What is not done yet, as the record of an experiment has it; "" if all is, or none can tell.

    The spine networks that disc networks need are counted by themselves; older records do not
    count them.
    """
    count, spine = record.get("left", 0), record.get("spine_left", 0)
    if not (count or spine):
        return ""
    discs = f"{count} of {record.get('planned', '?')} trainings"
    if not spine:
        return f"{discs} are left"
    every = record.get("spine_planned", "?")
    return f"{discs} of discs, and {spine} of {every} of the spine, are left"


def by_value(value: Any) -> Hashable:
    """Something equal for equal values: whatever the order of keys, list or tuple, 5 or 5.0.

    Examples
    --------
    >>> by_value({"a": 1, "b": [2, 3]}) == by_value({"b": (2.0, 3.0), "a": 1})
    True
    >>> by_value({"a": True}) == by_value({"a": 1})
    False
    """
    if isinstance(value, Mapping):
        return frozenset((key, by_value(inner)) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(by_value, value))
    return (bool, value) if isinstance(value, bool) else value


def unusual(profile: Mapping[str, Any], unsaid: Mapping[str, Any] = UNSAID) -> dict[str, Any]:
    """Fields of a recorded profile that say more than their absence would."""
    found = {}
    for key, value in profile.items():
        if isinstance(unsaid.get(key), Mapping):
            inner = unusual(value, unsaid[key])
            found |= {key: inner} if inner else {}
        elif key not in unsaid or by_value(value) != by_value(unsaid[key]):
            found[key] = value
    return found


def overrides(profile: Mapping[str, Any]) -> dict[str, Any]:
    """What must be set, by dotted field, to make the profile of its name this one again.

    Fields that a record may leave out altogether (`profiles.EXTENDABLE`) stay out.
    """
    base, found = PROFILES[profile["name"]], {}
    for key in keys():
        part, _, leaf = key.rpartition(".")
        said = profile.get(part) if part else profile
        if said is None or (not part and leaf not in said):
            continue
        value = said.get(leaf, (UNSAID[part] if part else UNSAID)[leaf])
        if by_value(value) != by_value(current(base, key)):
            found[key] = value
    return found
