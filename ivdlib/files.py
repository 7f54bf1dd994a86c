"""Write, then rename: a reader never sees half a file."""

from __future__ import annotations

import codecs
import errno
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
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

PART = re.compile(r"^(\.part-(\w{6}-)?(\d+)-)+")
"""How the name of a file begins that is not whole yet: machine and process that write it."""

ABANDONED_S = 86_400
"""What another machine's process has not touched for so many seconds, nobody writes any more."""

MORE_MEMORY = "close other programs, or take a machine with more memory"

REPAIRS = {
    "ENOSPC EDQUOT": "free some space or choose another folder",
    "EACCES EPERM": "ask for the permission to {verb} there, or choose another folder",
    "EROFS": "choose another folder, or have that disk mounted for writing",
    "EFBIG": "choose another folder, or raise the limit (ulimit -f)",
    "ENAMETOOLONG": "choose a shorter name",
    "EINVAL EILSEQ": "choose another name: the disk may not know such",
    "ENOENT": "check the path, and whether its folder is still there",
    "ENOTDIR EEXIST": "choose another path: a file stands where a folder belongs",
    "EISDIR": "give the name of a file",
    "ELOOP": "mend the link, which leads back to itself",
    "EIO ESTALE ENXIO ENODEV ENOTCONN ETIMEDOUT": (
        "look after the disk or its connection, then call again"
    ),
    "EBUSY ETXTBSY": "close it in other programs, then call again",
    "EMFILE ENFILE": "raise the limit of open files (ulimit -n), then call again",
    "ENOMEM": MORE_MEMORY,
}
"""What to do about errors of the system, as it follows the last semicolon; for others we do not
know."""

SIGN = "\N{REPLACEMENT CHARACTER}".encode()  # bytes: letters would have to be ASCII

codecs.register_error(READABLE, lambda error: (SIGN * (error.end - error.start), error.end))


def readable(text: str) -> str:
    """Put a sign in place of what cannot be written as UTF-8; as long as before."""
    return text.encode(errors=READABLE).decode()


def cause(error: OSError, verb: str = "read") -> str:
    """Why the system refuses something, and what to do where we know that; without a full stop.

    `verb` is what was tried, read or write.
    """
    # By number: HDF5 puts a whole paragraph into the text.
    reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
    code = errno.errorcode.get(error.errno or 0, "unknown")
    repair = next((text for codes, text in REPAIRS.items() if code in codes.split()), "")
    return f"{reason.rstrip('.')}{repair and f'; {repair.format(verb=verb)}'}"


def cannot(verb: str, path: str | os.PathLike, error: OSError) -> str:
    """Say why a file cannot be read or written (`verb`); a part is called what it becomes."""
    path = Path(path)
    return f"cannot {verb} {path.parent / PART.sub('', path.name)}: {cause(error, verb)}."


def _concerns(error: OSError, temporary: Path, path: Path) -> bool:
    """Whether an error while a file is written is one of that file or of its folders."""
    ours = {os.path.abspath(p) for p in (temporary, path, *path.parents)}
    named = [error.filename, error.filename2]
    named = [os.path.abspath(os.fsdecode(n)) for n in named if isinstance(n, str | bytes | Path)]
    return not named or any(n in ours or n.startswith(os.path.abspath(temporary)) for n in named)


def folder(path: str | os.PathLike) -> Path:
    """Make a folder (and its parents) if there is none.

    Raises
    ------
    DataError
        If the folder cannot be made (no permission, a file of that name, a full disk).
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(cannot("write", path, error)) from error
    return path


@cache
def _machine() -> str:
    """Six signs for this machine, or for the container that counts its own processes."""
    numbered = ""
    with suppress(OSError):
        numbered = os.readlink("/proc/self/ns/pid")
    return sha256_json([platform.node(), numbered])[:6]


def part_of(path: Path) -> Path:
    """Path beside `path` for what is not whole yet; it says who writes there."""
    return path.with_name(f".part-{_machine()}-{os.getpid()}-{path.name}")


def sweep(place: Path) -> None:
    """Remove what killed processes left half-written in a folder.

    Of other machines, which may be at work in it, only what is older than `ABANDONED_S`.
    """
    for left in place.glob(".part-*"):
        with suppress(OSError):
            if not _abandoned(left):
                continue
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _abandoned(part: Path) -> bool:
    who = PART.match(part.name)
    if who and who[2] == f"{_machine()}-" and os.name == "posix":  # Windows would end the process
        try:
            os.kill(int(who[3]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:  # another user's
            return False
        return False
    return bool(who) and time.time() - part.lstat().st_mtime > ABANDONED_S


_swept: set[Path] = set()


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path in the same folder; rename it to `path` when the block ends well.

    The temporary name keeps the endings of `path` (``.nii.gz``, ``.weights.h5``), because libraries
    choose the format by them. When the block fails, the temporary file is removed and whatever
    stood at `path` stays as it was.

    Raises
    ------
    DataError
        If the file cannot be written, e.g. because the disk is full, or where `path` is
        something else than a file.
    """
    path = Path(path)
    temporary = part_of(path)
    try:
        if path.exists() and not path.is_file():
            raise CannotWrite(f"cannot write {path}: it is no file; give the name of a file.")
        folder(path.parent)
        if path.parent not in _swept:
            _swept.add(path.parent)
            sweep(path.parent)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if not _concerns(error, temporary, path):
            raise
        raise CannotWrite(cannot("write", path, error)) from error
    finally:
        with suppress(OSError):  # a name too long for the disk is told above
            temporary.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Move a file into the folder `ASIDE` beside it, under a name that is free; give the name.

    Raises
    ------
    DataError
        If the folder cannot be made.
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
        If the disk has less than twice that size, and some megabytes, left, or a quota or a
        limit of this process is below that size and these.
    """
    path = Path(path)
    if shutil.disk_usage(folder(path.parent)).free < 2 * size + SPARE_BYTES:
        raise CannotWrite(cannot("write", path, OSError(errno.ENOSPC, "")))
    if not hasattr(os, "posix_fallocate"):
        return
    try:  # quotas and limits of a process are known by trying alone
        with tempfile.TemporaryFile(dir=path.parent) as trial:
            os.posix_fallocate(trial.fileno(), 0, size + SPARE_BYTES)
    except OSError as error:  # others: a disk that cannot be asked, or what writing will tell
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise CannotWrite(cannot("write", path, error)) from error


def write_text(path: str | os.PathLike, text: str, newline: str | None = None) -> None:
    """Write `text` as UTF-8, whole or not at all; `newline` as of `open`."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=READABLE, newline=newline)


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
        If the file is missing or is not JSON.
    """
    need_content(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(cannot("read", path, error)) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON ({error}); mend it or remove it.") from error


def write_csv(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a pandas table without its index, whole or not at all; compressed if it ends in .gz."""
    zipped: Any = {"method": "gzip", "mtime": 0} if str(path).endswith(".gz") else None
    with atomic(path) as temporary:
        table.to_csv(
            temporary, index=False, float_format="%.6g", lineterminator="\n", compression=zipped,
            errors=READABLE,
        )  # fmt: skip


@contextmanager
def private() -> Iterator[None]:
    """Files that are written in the block are for their owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def sha256_file(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_text(path: str | os.PathLike) -> str:
    """SHA-256 of a text file as it reads: unpacked if it ends in .gz, every line ending in LF."""
    with (gzip.open if str(path).endswith(".gz") else open)(path, "rb") as stream:
        return hashlib.sha256(stream.read().replace(b"\r\n", b"\n")).hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON-able value; equal values give equal digests whatever the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
