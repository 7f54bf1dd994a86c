"""The passport of a weights file: what it may say, and whether the file is whole.

A weights file carries, as an attribute of the file, what is needed to use it: network and
configuration, tile, images it was trained on, the region of interest, the scans it was trained on,
and a checksum of its numbers. It is JSON; no code is stored in it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ivdlib import models
from ivdlib.errors import DataError, memory_full, printable
from ivdlib.links import need_content

ATTRIBUTE = "ivdlib"
"""Name of the passport in a weights file."""

LARGEST = 2048
"""Pixels of a tile's side, and the largest whole number of a configuration: beyond it, memory is
filled before the first scan is looked at."""


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _length(value: Any) -> bool:
    return _number(value) and value >= 0


def _whole(value: Any, least: int = 1, most: int = LARGEST) -> bool:
    return type(value) is int and least <= value <= most


def _ranges(value: Any, count: int) -> bool:
    return len(value) == count and all(
        len(pair) == 2 and all(map(_number, pair)) and 0 < pair[0] <= pair[1] for pair in value
    )


def _image(name: str) -> bool:
    return name.isprintable() and all(
        re.fullmatch(r"(\d+(\.\d+)?\*)?[^*]+", part) for part in re.split("[+&]", name)
    )


def _modest(value: Any) -> bool:
    """Whether the whole numbers of a configuration are such as a network may have."""
    if isinstance(value, dict | list):
        return all(map(_modest, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or abs(value) <= LARGEST


LENGTH = (_length, "a length in mm, 0 or more")

ALLOWED = {
    "network": (lambda v: v in models.NAMES, f"one of {', '.join(models.NAMES)}"),
    "config": (
        lambda v: isinstance(v, dict) and _modest(v),
        f"the fields of the network, of numbers up to {LARGEST}",
    ),
    "target": (lambda v: v in ("disc", "spine"), "disc or spine"),
    "tile": (
        lambda v: len(v) == 2 and all(map(_whole, v)),
        f"two whole numbers from 1 to {LARGEST}",
    ),
    "images": (
        lambda v: isinstance(v, list) and 0 < len(v) == len(set(v)) and all(map(_image, v)),
        "a list of different names such as wat or wat+opp",
    ),
    "channels": (_whole, "a whole number from 1 on"),
    "neighbours": (lambda v: _whole(v, 0), "a whole number from 0 on"),
    "factor": (lambda v: _whole(v, 1, 64), "a whole number from 1 to 64"),
    "spine": (lambda v: re.fullmatch(r"\w[\w.-]*", v), "the name of a folder in trainings/"),
    "margin": LENGTH,
    "gap": LENGTH,
    "tolerance": LENGTH,
    "mask": (lambda v: isinstance(v, bool), "true or false"),
    "checksum": (lambda v: re.fullmatch("[0-9a-f]{64}", v), "64 hexadecimal digits"),
    "spacing": (lambda v: _ranges(v, 3), "the least and most mm of each of three axes"),
    "field": (lambda v: _ranges(v, 2), "the least and most mm of a slice, both ways"),
    "slices": (lambda v: _ranges([v], 1), "the least and most slices of a scan"),
    "disc_mm": (
        lambda v: len(v) == 2 and all(map(_length, v)) and v[0] <= v[1],
        "the least and most mm, 0 or more",
    ),
}
"""What may stand in a passport: key → check, what is allowed in words. A key that is not here is of
a newer version, and kept."""

NEEDED = ("network", "config", "target", "tile", "images")


def check(card: Any, where: str | os.PathLike) -> None:
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

    def refuse(what: str) -> None:
        raise DataError(
            f"{where}: its passport {what}; take the file from its source again, or train again."
        )

    for key in (*NEEDED, *(["factor"] if card.get("target") == "spine" else [])):
        if key not in card:
            refuse(f"has no {key}")
    for key, (allowed, words) in ALLOWED.items():
        if key in card and not _holds(allowed, card[key]):
            refuse(f"says {key} = {_shown(card[key])}, and it may be {words}")
    try:
        models.config_from_dict(card["network"], card["config"])
    except Exception as error:  # a word where a number belongs: whatever Python makes of it
        refuse(f"says config = {_shown(card['config'])} ({_reason(error)})")
    images, channels = card["images"], card.get("channels", 1)
    wanted = {(name.count("&") + 1) * (2 * card.get("neighbours", 0) + 1) for name in images}
    if wanted != {channels}:
        refuse(f"says channels = {channels}, but its images and neighbours make "
               f"{' or '.join(map(str, sorted(wanted)))}")  # fmt: skip


def _holds(allowed: Any, value: Any) -> bool:
    try:
        return bool(allowed(value))
    except (TypeError, AttributeError):  # another kind of value than it looks for
        return False


def _shown(value: Any) -> str:
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _reason(error: Exception) -> str:
    """First line of what a library says, as it stands within a sentence."""
    line = next(iter(printable(line) for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {line[:150]}".rstrip(": .")


# --- the file -------------------------------------------------------------------------------------


def seal(path: str | os.PathLike, card: Mapping[str, Any]) -> dict[str, Any]:
    """Write a passport into a file of weights, with the checksum of its numbers; returns it.

    Raises
    ------
    DataError
        Where the weights hold NaN or infinite numbers.
    """
    with h5py.File(path, "a") as file:
        checksum, finite, _ = _numbers(file)
        if not finite:
            raise DataError("the weights hold NaN or infinite numbers, so they are not saved; "
                            "train again with a smaller learning_rate.")  # fmt: skip
        sealed = {**card, "checksum": checksum}
        # Of fixed length: HDF5 can hang at a damaged heap, where it keeps text of any length.
        file.attrs[ATTRIBUTE] = np.bytes_(json.dumps(sealed))
    return sealed


def read(path: str | os.PathLike) -> tuple[dict[str, Any], list[tuple[int, ...]]]:
    """Read the passport of a weights file, whatever its name, and look whether the file is whole.

    Returns
    -------
    dict
    list of tuple
        Shapes of the network's weights in the file.

    Raises
    ------
    DataError
        Where the file is missing, of another kind, damaged, or its passport is odd.
    """
    _look(Path(path))
    try:
        with h5py.File(path) as file:
            text, checkpoint = file.attrs.get(ATTRIBUTE), "history" in file
            checksum, finite, shapes = _numbers(file) if text is not None else ("", True, [])
    except Exception as error:  # h5py raises every kind at a broken file
        if memory_full(error):
            raise
        if "truncated file" in str(error):
            raise _cut_off(path) from error
        raise damaged(path, _reason(error)) from error
    if text is None:
        kind = "it is the checkpoint of a training" if checkpoint else "other programs wrote it"
        raise DataError(f"{path} has no passport of ivdlib ({kind}, or it is damaged); give the "
                        "model.weights.h5 of a finished training.")  # fmt: skip
    try:
        card = dict(json.loads(text).items())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, "its passport cannot be read") from error
    check(card, path)
    if card.get("checksum", checksum) != checksum:
        raise damaged(path, "its numbers do not fit the checksum in its passport")
    if not finite:
        raise damaged(path, "it holds NaN or infinite numbers")
    return card, shapes


def _look(path: Path) -> None:
    """Refuse what cannot be a weights file, by the beginning of the file."""
    need_content(path)
    try:
        if not path.exists():
            raise DataError(f"there is no weights file {path}; give the path of a *.weights.h5.")
        if not path.is_file():
            raise DataError(f"{path} is no weights file but a folder, or no plain file; give the "
                            "path of a *.weights.h5 file.")  # fmt: skip
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; "
                        "look at its permissions and its disk.") from error  # fmt: skip
    signature = b"\x89HDF\r\n\x1a\n"
    if head != signature and signature.startswith(head):
        raise _cut_off(path)
    if head != signature:
        kind = "a zip file, as Keras writes whole models" if head[:2] == b"PK" else "no HDF5 file"
        raise DataError(f"{path} is {kind}, so no weights file of ivdlib; give the "
                        "model.weights.h5 of a training.")  # fmt: skip


def _cut_off(path: str | os.PathLike) -> DataError:
    return DataError(f"{path} is cut off, its end is missing; copy it from its source again, or "
                     "train again.")  # fmt: skip


def damaged(path: str | os.PathLike, reason: str | Exception) -> DataError:
    """Make the error for a weights file that cannot be used as it is."""
    reason = reason if isinstance(reason, str) else _reason(reason)
    return DataError(f"{path} is damaged: {reason}; copy it from its source again, or train again.")


def checksum_of(file: h5py.File) -> str:
    """Checksum of all arrays of a file that is open: SHA-256, 64 hexadecimal digits."""
    return _numbers(file)[0]


def _numbers(file: h5py.File) -> tuple[str, bool, list[tuple[int, ...]]]:
    """Checksum of all arrays of a file, whether all are finite, shapes of those of the network.

    The checksum is the SHA-256 over each array in the order of their names: name, type, shape, and
    the numbers as C lays them out, little-endian. It does not cover the passport, nor how HDF5
    arranges or compresses arrays.
    """
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "dtype") else None)
    whole, finite, shapes = hashlib.sha256(), True, []
    for name in sorted(names):
        data = file[name]
        if data.chunks is None and data.nbytes > os.path.getsize(file.filename):
            raise ValueError(f"{name} is larger than the file")  # before memory is filled
        array = data[()]
        array = array.astype(array.dtype.newbyteorder("<"))
        finite = finite and bool(np.isfinite(array).all())
        whole.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        whole.update(array.tobytes())
        if name.startswith("layers/"):  # beside it, what an optimiser keeps
            shapes.append(array.shape)
    return whole.hexdigest(), finite, shapes
