"""Write, then rename: a reader never sees half a file."""

from __future__ import annotations

import codecs
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib.errors import CannotWrite, DataError
from ivdlib.links import need_content

if TYPE_CHECKING:
    import pandas as pd


SPARE_BYTES = 4_000_000
"""What an HDF5 file needs besides its numbers, generously."""

ASIDE = "saved"
"""Folder, beside files that we make again, of those that somebody worked in; git ignores it."""

READABLE = "readable"
"""How our files are encoded: what is no text (file names that are no UTF-8) becomes a sign."""

PART = re.compile(r"^(\.part-\d+-)+")
"""How the name of a file begins that is not whole yet."""

SIGN = "\N{REPLACEMENT CHARACTER}".encode()  # bytes: letters would have to be ASCII

codecs.register_error(READABLE, lambda error: (SIGN * (error.end - error.start), error.end))


def readable(text: str) -> str:
    """Put a sign in place of what cannot be written as UTF-8; as long as before."""
    return text.encode(errors=READABLE).decode()


def folder(path: str | os.PathLike) -> Path:
    """Make a folder (and its parents) where there is none.

    Raises
    ------
    DataError
        Where the folder cannot be made (no permission, a file of that name, a full disk).
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(_sentence(path, error)) from error
    return path


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it to `path` when the block ends well.

    The temporary name keeps the endings of `path` (``.nii.gz``, ``.weights.h5``), because libraries
    choose the format by them. When the block fails, the temporary file is removed and whatever
    stood at `path` stays as it was.

    Raises
    ------
    DataError
        Where the file cannot be written, e.g. because the disk is full, or where `path` is
        something else than a file.
    """
    path = Path(path)
    temporary = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        if path.exists() and not path.is_file():
            raise CannotWrite(f"cannot write {path}: it is no file; give the name of a file.")
        folder(path.parent)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise CannotWrite(_sentence(path, error)) from error
    finally:
        with suppress(OSError):  # a name too long for the disk is told above
            temporary.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Move a file into the folder `ASIDE` beside it, under a name that is free; give the name.

    Raises
    ------
    DataError
        Where the folder cannot be made.
    """
    place, number = folder(path.parent / ASIDE), 1
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    stem = path.name.removesuffix(ending)
    while (kept := place / f"{stem}-{number}{ending}").exists():
        number += 1
    os.replace(path, kept)
    return kept


def need_room(path: str | os.PathLike, size: int) -> None:
    """Refuse to begin a file of about `size` bytes that the disk cannot hold.

    For HDF5, which on a full disk prints a traceback for each object in the file and then crashes.

    Raises
    ------
    DataError
        Where the disk has less than twice that size, and some megabytes, left.
    """
    path = Path(path)
    if shutil.disk_usage(folder(path.parent)).free < 2 * size + SPARE_BYTES:
        raise CannotWrite(_sentence(path, OSError(errno.ENOSPC, "")))


def _sentence(path: Path, error: OSError) -> str:
    # By number: HDF5 puts a whole paragraph into the text.
    reason = os.strerror(error.errno) if error.errno else str(error)
    path = path.with_name(PART.sub("", path.name))  # a part is called what it becomes
    return (
        f"cannot write {path}: {reason}; free some space or choose another folder, "
        "nothing half-written was left."
    )


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=READABLE)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def json_text(value: Any) -> str:
    """Indented JSON for a pipe that may know no letter but those of ASCII."""
    return json.dumps(json.loads(readable(json.dumps(value, ensure_ascii=False))), indent=1)


def read_json(path: str | os.PathLike) -> Any:
    """Read a JSON file.

    Raises
    ------
    DataError
        Where the file is missing or is not JSON.
    """
    need_content(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON ({error}); mend it or remove it.") from error


def write_csv(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a pandas table without its index, whole or not at all; compressed if it ends in .gz."""
    zipped: Any = {"method": "gzip", "mtime": 0} if str(path).endswith(".gz") else None
    with atomic(path) as temporary:
        table.to_csv(
            temporary, index=False, float_format="%.6g", lineterminator="\n", compression=zipped,
            errors=READABLE,
        )  # fmt: skip


def sha256_file(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON-able value; equal values give equal digests whatever the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
