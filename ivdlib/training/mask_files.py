"""Masks that `ivdlib predict` writes, each with a record beside it, `CASE_Discs.json`.

The record says what the mask was made from, so the same call goes on where it stopped; it holds
digests and no paths. A mask that somebody drew or changed is never written over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib import provenance
from ivdlib.data.cases import Case, save_mask
from ivdlib.data.file_words import bare
from ivdlib.errors import DataError
from ivdlib.files import atomic, read_json, set_aside, sha256_file, write_json


def warned_of(path: Path, source: dict[str, Any]) -> list[list[str]] | None:
    """Find a mask that was made from the same.

    Parameters
    ----------
    path : Path
        Of the mask.
    source : dict
        What it would be made from, as `write_mask_file` noted it.

    Returns
    -------
    list of [str, str], or None
        What was warned of then (category, text); None if it is to be made.
    """
    record = _record(path)
    if record.get("from") != source or not path.is_file() or sha256_file(path) != record["mask"]:
        return None
    return record["warned"]


def warned_beside(path: Path) -> list[list[str]]:
    """What was warned of when a mask was made: category and text; empty without a record."""
    return _record(path).get("warned", [])


def write_mask_file(
    case: Case,
    mask: np.ndarray,
    path: Path,
    source: dict[str, Any],
    warned: list[list[str]],
    more: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write a mask, then its record; move aside what is there and somebody else's.

    Parameters
    ----------
    case : Case
    mask : ndarray of `case.shape`
    path : Path
    source : dict
        What it was made from, fit for JSON.
    warned : list of [str, str]
        Category and text.
    more : mapping, optional
        What else the record says of it.

    Returns
    -------
    list of str
        A sentence on each file that was moved aside.

    Raises
    ------
    DataError
        As `cases.save_mask`.
    """
    beside, record, kept = _beside(path), _record(path), []
    with atomic(path) as temporary:
        save_mask(case, mask, temporary)
        made = sha256_file(temporary)
        if path.is_file() and sha256_file(path) not in (made, record.get("mask")):
            kept.append(_keep(path))
    if beside.exists() and not record:
        kept.append(_keep(beside))
    known = {"case": case.name, "mask": made, "from": source, "warned": warned, **(more or {})}
    write_json(beside, provenance.record(**known))
    return kept


def _keep(path: Path) -> str:
    return f"kept: {path} was not made by ivdlib, or changed since, and is now {set_aside(path)}"


def _beside(path: Path) -> Path:
    return path.with_name(f"{bare(path.name)}.json")


def _record(path: Path) -> dict[str, Any]:
    """The record of a mask; empty if there is none that can be used."""
    try:
        record = read_json(_beside(path))
        pairs = [(str(kind), str(text)) for kind, text in record["warned"]]
        return {"from": record["from"], "mask": str(record["mask"]), "warned": [*map(list, pairs)]}
    except (DataError, KeyError, TypeError, ValueError, RecursionError):
        return {}
