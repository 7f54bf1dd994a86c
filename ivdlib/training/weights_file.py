"""A weights file (`*.weights.h5`): its passport, its numbers, and whether it is whole.

The passport is an attribute of the file, see `weights_passport`. Beside the arrays of Keras stand
the network's layers, see `networks.structure`, so that others than Keras can run it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ivdlib.errors import DataError, memory_full
from ivdlib.files import sha256_json
from ivdlib.links import need_content
from ivdlib.training import weights_passport
from ivdlib.training.weights_passport import reason_of

ATTRIBUTE = "ivdlib"
"""Name of the passport in a weights file."""

STRUCTURE = "structure"
"""Name of the array that holds the layers as JSON."""


def seal_weights(
    path: str | os.PathLike, card: Mapping[str, Any], layers: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Write a passport into a file of weights, with the checksum of both; returns it.

    Parameters
    ----------
    path : path
        As Keras has written it.
    card : mapping
        The passport.
    layers : sequence of dict
        See `networks.structure.layers_of`; none leaves those that are there.

    Raises
    ------
    DataError
        If the weights hold NaN or infinite numbers.
    """
    with h5py.File(path, "a") as file:
        if layers:
            file[STRUCTURE] = np.frombuffer(json.dumps(layers).encode(), np.uint8)
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
        raise damaged(path, reason_of(error)) from error
    if text is None:
        kind = "it is the checkpoint of a training" if checkpoint else "other programs wrote it"
        raise DataError(f"{path} has no passport of ivdlib ({kind}, or it is damaged); give the "
                        "model.weights.h5 of a finished training.")  # fmt: skip
    try:
        card = dict(json.loads(text).items())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, "its passport cannot be read") from error
    weights_passport.check_passport(card, path)
    if "checksum" not in card and (newer := sorted(weights_passport.SEALED & card.keys())):
        raise damaged(path, f"its passport has {newer[0]}, but no checksum")
    if "checksum" in card and card["checksum"] != _both(card, checksum):
        raise damaged(path, "its passport or its numbers do not fit its checksum")
    if not finite:
        raise damaged(path, "it holds NaN or infinite numbers")
    return card, shapes


def read_numbers(
    path: str | os.PathLike,
) -> tuple[list[dict[str, Any]] | None, dict[str, np.ndarray]]:
    """Read what a weights file holds; ask `read_passport` first whether it is whole.

    Returns
    -------
    list of dict or None
        The layers; None in files that are older than they.
    dict of str to ndarray
        The arrays by their names in the file.
    """
    with h5py.File(path) as file:
        arrays = {name: _whole(file[name][()]) for name in _names(file)}
    text = arrays.pop(STRUCTURE, None)
    return None if text is None else json.loads(text.tobytes()), arrays


def _whole(array: np.ndarray) -> np.ndarray:
    return np.float32(array) if array.dtype == np.float16 else array


def halve(path: str | os.PathLike) -> None:
    """Keep the kernels in a file of weights as float16: half the size, before it is sealed.

    Vectors (statistics, scales) stay as they are: there are few, and some are very small. Whoever
    reads the file computes in float32 all the same.

    Raises
    ------
    DataError
        If a number is too large for that.
    """
    path = Path(path)
    other = path.with_name(f"{path.name}.half")  # what is taken out of a file leaves a hole in it
    try:
        # The newer layout spends less on each of the many small arrays.
        with h5py.File(path) as file, h5py.File(other, "w", libver="latest") as smaller:

            def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
                if isinstance(item, h5py.Group):
                    new = smaller.create_group(name)
                else:
                    new = smaller.create_dataset(name, data=_half(name, item[()]))
                new.attrs.update(item.attrs)

            file.visititems(take)
            smaller.attrs.update(file.attrs)
        other.replace(path)
    finally:
        other.unlink(missing_ok=True)


def _half(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim < 2 or array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        small = np.float16(array)
    if not np.isfinite(small).all():
        raise DataError(f"{name} holds numbers too large for float16; keep the weights as they "
                        "are.")  # fmt: skip
    return small


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
    reason = reason if isinstance(reason, str) else reason_of(reason)
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
    whole, finite, shapes = hashlib.sha256(), True, []
    for name in _names(file):
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


def _names(file: h5py.File) -> list[str]:
    """Names of all arrays of a file."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "dtype") else None)
    return sorted(names)
