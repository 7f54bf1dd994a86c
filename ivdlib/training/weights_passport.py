"""The passport of a weights file: what it may say, and whether the file is whole.

A weights file carries, as an attribute of the file, what is needed to use it: network and
configuration, tile, images it was trained on, the region of interest, the scans it was trained on,
and a checksum of all this and of its numbers. It is JSON; no code is stored in it.
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

from ivdlib import networks
from ivdlib.errors import DataError, memory_full, printable
from ivdlib.files import sha256_json
from ivdlib.links import need_content
from ivdlib.options import LONGEST_MM
from ivdlib.preprocessing.tiles import MULTIPLE
from ivdlib.profiles import TITLES

ATTRIBUTE = "ivdlib"
"""Name of the passport in a weights file."""

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

    def refuse(what: str) -> None:
        raise DataError(
            f"{where}: its passport {what}; take the file from its source again, or train again."
        )

    for key in (*_NEEDED, *(["factor"] if card.get("target") == "spine" else [])):
        if key not in card:
            refuse(f"has no {key}")
    config = card["config"] if isinstance(card["config"], dict) else {}
    said = card | {f"config.{field}": value for field, value in config.items()}
    for key, (allowed, words) in ALLOWED.items():
        if key in said and not _holds(allowed, said[key]):
            refuse(f"says {key} = {_shown(said[key])}, and it may be {words}")
    try:
        networks.config_from_dict(card["network"], card["config"])
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


def seal_weights(path: str | os.PathLike, card: Mapping[str, Any]) -> dict[str, Any]:
    """Write a passport into a file of weights, with the checksum of both; returns it.

    Raises
    ------
    DataError
        If the weights hold NaN or infinite numbers.
    """
    with h5py.File(path, "a") as file:
        checksum, finite, _ = _numbers(file)
        if not finite:
            raise DataError("the weights hold NaN or infinite numbers, so they are not saved; "
                            "train again with a smaller learning_rate.")  # fmt: skip
        sealed = {**card, "checksum": _both(card, checksum)}
        # Of fixed length: HDF5 can hang at a damaged heap, where it keeps text of any length.
        file.attrs[ATTRIBUTE] = np.bytes_(json.dumps(sealed))
    return sealed


def _both(card: Mapping[str, Any], numbers: str) -> str:
    """Checksum of a passport, whatever the order of its keys, and of the numbers of its file."""
    return sha256_json([{key: value for key, value in card.items() if key != "checksum"}, numbers])


def read_passport(path: str | os.PathLike) -> tuple[dict[str, Any], list[tuple[int, ...]]]:
    """Read the passport of a weights file, whatever its name, and look whether the file is whole.

    Returns
    -------
    dict
    list of tuple
        Shapes of the network's weights in the file.

    Raises
    ------
    DataError
        If the file is missing, of another kind, damaged, or its passport is odd.
    """
    need_weights(Path(path))
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
    check_passport(card, path)
    if "checksum" not in card and (newer := sorted(SEALED & card.keys())):
        raise damaged(path, f"its passport has {newer[0]}, but no checksum")
    if "checksum" in card and card["checksum"] != _both(card, checksum):
        raise damaged(path, "its passport or its numbers do not fit its checksum")
    if not finite:
        raise damaged(path, "it holds NaN or infinite numbers")
    return card, shapes


def need_weights(path: Path) -> None:
    """Refuse what cannot be a weights file, by its beginning; the DataError says what it is."""
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
