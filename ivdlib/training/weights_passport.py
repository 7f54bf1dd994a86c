"""The passport of a weights file: what it may say.

It has what is needed to use the weights: network and configuration, tile, images they were trained
on, the region of interest, the scans they were trained on, and a checksum of all this and of the
numbers. It is JSON; no code is stored in it.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

from ivdlib.errors import DataError, printable
from ivdlib.options import LONGEST_MM
from ivdlib.preprocessing.tiles import MULTIPLE
from ivdlib.profiles import TITLES

_LARGEST = 2048
"""Of a tile's side, in pixels, and of a configuration's whole numbers: more would fill memory."""


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _within(low: float, high: float, unit: str = "", many: bool = False) -> tuple[Any, str]:
    """A number from `low` to `high`, or `many`, in lists: check, and what is allowed in words."""

    def holds(value: Any) -> bool:
        if many and isinstance(value, list):
            return all(map(holds, value))
        return _number(value) and low <= value <= high

    return holds, f"from {low:g} to {high:g}{unit}"


def _whole(value: Any, least: int = 1, most: int = _LARGEST) -> bool:
    return type(value) is int and least <= value <= most


def _spans(count: int, low: float, high: float, what: str) -> tuple[Any, str]:
    """As `_within`, for so many pairs of least and most; 0: for one that stands alone."""

    def holds(value: Any) -> bool:
        pairs = value if count else [value]
        return len(pairs) == (count or 1) and all(
            len(pair) == 2 and all(map(_number, pair)) and low <= pair[0] <= pair[1] <= high
            for pair in pairs
        )

    return holds, f"the least and most {what}, from {low:g} to {high:g}"


def _image(name: str) -> bool:
    return name.isprintable() and all(
        re.fullmatch(r"(\d+(\.\d+)?\*)?[^*]+", part) for part in re.split("[+&]", name)
    )


def _modest(value: Any) -> bool:
    """Whether the whole numbers of a configuration are such as a network may have."""
    if isinstance(value, dict | list):
        return all(map(_modest, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or abs(value) <= _LARGEST


def _images(names: Any) -> bool:
    """Whether these are names of different images: `wat+opp` and `opp+wat` are one."""
    same = {tuple(tuple(sorted(p.split("+"))) for p in name.split("&")) for name in names}
    return isinstance(names, list) and 0 < len(names) == len(same) and all(map(_image, names))


_DEPTH = _spans(0, 0, LONGEST_MM, "mm of disc")

ALLOWED = {
    "network": (lambda v: v in TITLES, f"one of {', '.join(TITLES)}"),
    "config": (
        lambda v: isinstance(v, dict) and _modest(v),
        f"the fields of the network, of numbers up to {_LARGEST}",
    ),
    "target": (lambda v: v in ("disc", "spine"), "disc or spine"),
    "tile": (
        lambda v: len(v) == 2 and all(_whole(side, MULTIPLE) for side in v),
        f"two whole numbers from {MULTIPLE} to {_LARGEST}",
    ),
    "images": (_images, "a list of different images such as wat or wat+opp"),
    "channels": (_whole, "a whole number from 1 on"),
    "neighbours": (lambda v: _whole(v, 0), "a whole number from 0 on"),
    "factor": (lambda v: _whole(v, 1, 64), "a whole number from 1 to 64"),
    "spine": (lambda v: re.fullmatch(r"\w[\w.-]*", v), "the name of a folder in trainings/"),
    "margin": _within(0, LONGEST_MM, " mm"),
    "gap": _within(0, LONGEST_MM, " mm"),
    "tolerance": _within(0, 0.1, " mm"),
    "least_spine": _within(0, LONGEST_MM, " mm"),
    "specks": _within(0, 1),
    "mask": (lambda v: isinstance(v, bool), "true or false"),
    "checksum": (lambda v: re.fullmatch("[0-9a-f]{64}", v), "64 hexadecimal digits"),
    "spacing": _spans(3, 0.01, 100, "mm of a voxel along each of three axes"),
    "field": _spans(2, 1, 10_000, "mm of a slice, both ways"),
    "slices": _spans(0, 1, 10_000, "slices of a scan"),
    "disc_mm": (lambda v: _DEPTH[0](v) and v[1] > 0, f"{_DEPTH[1]}, not both 0"),
    "config.width": _within(0.001, 16),
    "config.middle_units": _within(0, 64),
    "config.levels": _within(1, 8),
    "config.strides": _within(1, 8, many=True),
    "config.rates": _within(1, 64, many=True),
    "config.aspp_rates": _within(1, 64, many=True),
    "config.dropout": _within(0, 0.99),
}
"""What may stand in a passport: key → check, what is allowed in words. A key that is not here is of
a newer version, and kept."""

_NEEDED = ("network", "config", "target", "tile", "images")

SEALED = {"spacing", "slices", "field", "disc_mm", "tolerance"}
"""Keys of files that all have a checksum: where one of them is and it is not, it was lost."""


def check_passport(card: Any, where: str | os.PathLike) -> None:
    """Refuse a passport that lacks something or says what cannot be.

    Parameters
    ----------
    card : dict
        As JSON knows it.
    where : path
        Of the weights, for the message.

    Raises
    ------
    DataError
        Names file, key, value and what is allowed.
    """
    for key in (*_NEEDED, *(["factor"] if card.get("target") == "spine" else [])):
        if key not in card:
            raise _odd(where, f"has no {key}")
    config = card["config"] if isinstance(card["config"], dict) else {}
    said = card | {f"config.{field}": value for field, value in config.items()}
    for key, (allowed, words) in ALLOWED.items():
        if key in said and not _holds(allowed, said[key]):
            raise _odd(where, f"says {key} = {_shown(said[key])}, and it may be {words}")
    images, channels = card["images"], card.get("channels", 1)
    wanted = {(name.count("&") + 1) * (2 * card.get("neighbours", 0) + 1) for name in images}
    if wanted != {channels}:
        made = " or ".join(map(str, sorted(wanted)))
        raise _odd(where, f"says channels = {channels}, but its images and neighbours make {made}")


def config_in(card: Mapping[str, Any], where: str | os.PathLike) -> Any:
    """Make the network's configuration from a passport that is else in order; starts Keras.

    Raises
    ------
    DataError
        As `check_passport`.
    """
    from ivdlib import networks

    try:
        return networks.config_from_dict(card["network"], card["config"])
    except Exception as error:  # a word where a number belongs: whatever Python makes of it
        text = f"says config = {_shown(card['config'])} ({reason_of(error)})"
        raise _odd(where, text) from error


def _odd(where: str | os.PathLike, what: str) -> DataError:
    return DataError(
        f"{where}: its passport {what}; take the file from its source again, or train again."
    )


def _holds(allowed: Any, value: Any) -> bool:
    try:
        return bool(allowed(value))
    except (TypeError, AttributeError):  # another kind of value than it looks for
        return False


def _shown(value: Any) -> str:
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 80 else f"{text[:77]}..."


def reason_of(error: Exception) -> str:
    """First line of what a library says, as it stands within a sentence."""
    line = next(iter(printable(line) for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {line[:150]}".rstrip(": .")
