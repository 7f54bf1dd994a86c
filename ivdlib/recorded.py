"""Profiles as records have them: older ones lack fields, and the order of keys means nothing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from ivdlib.options import meant_by_silence
from ivdlib.profiles import PROFILES, Profile, current, keys


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

    Fields that a record may leave out altogether (`experiment.EXTENDABLE`) stay out.
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
