"""Files appear whole or not at all, and a failure is one sentence."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ivdlib import files
from ivdlib.errors import DataError


def names(folder):
    return sorted(p.name for p in Path(folder).iterdir())


def no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_no_file_is_left_alone(tmp_path):
    """Renaming a file over a device would destroy it."""
    for place in (tmp_path, tmp_path / "pipe"):
        if place.name == "pipe":
            os.mkfifo(place)
        with pytest.raises(DataError, match="it is no file"):
            files.write_text(place, "x")
        assert not place.is_file()


def test_text_and_json_come_back(tmp_path):
    files.write_text(tmp_path / "deep" / "er" / "a.txt", "Bandscheibe – 椎间盘\n")
    assert (tmp_path / "deep" / "er" / "a.txt").read_bytes().decode() == "Bandscheibe – 椎间盘\n"
    value = {"a": [1, 2.5, None], "b": {"µ": True}}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    assert names(tmp_path) == ["a.json", "deep"]


def test_the_temporary_name_keeps_the_endings_and_the_folder(tmp_path):
    with files.atomic(tmp_path / "m.weights.h5") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith("m.weights.h5") and temporary.name != "m.weights.h5"
        temporary.write_bytes(b"1")
        assert not (tmp_path / "m.weights.h5").exists()
    assert names(tmp_path) == ["m.weights.h5"]


@pytest.mark.parametrize("fault", [ValueError("no"), KeyboardInterrupt(), MemoryError()])
def test_a_failure_leaves_the_old_file(tmp_path, fault):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(fault)), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise fault
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_disk_that_fills_while_writing(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})
    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(DataError, match=r"cannot write .*a\.json: No space left on device"):
        files.write_json(path, {"new": 1})
    assert json.loads(path.read_text()) == {"old": 1} and names(tmp_path) == ["a.json"]


def test_a_disk_that_fills_at_the_rename(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(DataError, match="No space left"):
        files.write_text(path, "new")
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_an_error_of_hdf5_is_one_short_line(tmp_path):
    with pytest.raises(DataError) as caught, files.atomic(tmp_path / "a.h5"):
        raise OSError(errno.ENOSPC, "Can't write data (file write failed: time = Sun\n, buf = 0x5)")
    assert "\n" not in str(caught.value) and "0x5" not in str(caught.value)
    assert "No space left on device" in str(caught.value)


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk):
    files.write_text(small_disk / "a.txt", "old")
    with pytest.raises(DataError, match="No space left on device"):
        files.write_text(small_disk / "a.txt", "x" * 200_000)
    assert (small_disk / "a.txt").read_text() == "old" and names(small_disk) == ["a.txt"]
    with pytest.raises(DataError, match="No space left on device"):
        files.need_room(small_disk / "m.weights.h5", 10)


def test_need_room_counts_twice_the_size(tmp_path, monkeypatch):
    free = 2 * 1000 + files.SPARE_BYTES
    usage = shutil._ntuple_diskusage(10 * free, 9 * free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    files.need_room(tmp_path / "new" / "a.h5", 1000)
    with pytest.raises(DataError, match=r"a\.h5: No space left on device"):
        files.need_room(tmp_path / "new" / "a.h5", 1001)


def test_a_folder_where_a_file_stands(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot write .*taken"):
        files.folder(tmp_path / "taken")
    with pytest.raises(DataError, match="cannot write"):
        files.write_text(tmp_path / "taken" / "a.txt", "")
    assert files.folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert files.folder(tmp_path / "a" / "b").is_dir()


def test_json_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.json: No such file"):
        files.read_json(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"a": [1, ')
    with pytest.raises(DataError, match=r"half\.json is not valid JSON"):
        files.read_json(tmp_path / "half.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"bytes\.json is not valid JSON"):
        files.read_json(tmp_path / "bytes.json")


def test_a_table_without_its_index(tmp_path):
    frame = pd.DataFrame({"case": ["01", "02"], "dice": [1 / 3, 0.5]}, index=[7, 8])
    files.write_csv(tmp_path / "m.csv", frame)
    assert (tmp_path / "m.csv").read_bytes() == b"case,dice\n01,0.333333\n02,0.5\n"


def test_hashes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256_file(tmp_path / "a") == known
    assert files.sha256_json({"a": 1, "b": (2, 3)}) == files.sha256_json({"b": [2, 3], "a": 1})
    assert files.sha256_json({"a": 1}) != files.sha256_json({"a": "1"})


@pytest.mark.parametrize("length", [250, 300])
def test_a_name_that_is_too_long_is_one_sentence(tmp_path, length):
    with (
        pytest.raises(DataError, match="cannot write .*too long"),
        files.atomic(tmp_path / ("x" * length)) as temporary,
    ):
        temporary.write_text("x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "repair"),
    [
        (errno.ENOSPC, "free some space or choose another folder"),
        (errno.EDQUOT, "free some space or choose another folder"),
        (errno.EACCES, "permission"),
        (errno.EROFS, "mounted for writing"),
        (errno.EFBIG, "limit"),
        (errno.ENAMETOOLONG, "shorter"),
        (errno.ENOENT, "folder"),
        (errno.ELOOP, "link"),
        (errno.EIO, "disk or its connection"),
        (errno.ESTALE, "disk or its connection"),
        (errno.EMFILE, "open files"),
    ],
)
def test_what_cannot_be_written_or_read_has_the_repair_of_its_cause(tmp_path, number, repair):
    path = tmp_path / "a.txt"
    with pytest.raises(DataError) as caught, files.atomic(path) as temporary:
        raise OSError(number, os.strerror(number), str(temporary))
    written = str(caught.value)
    for told, verb in (
        (written, "write"),
        (files.cannot("read", path, caught.value.__cause__), "read"),
    ):
        assert told.startswith(f"cannot {verb} {path}: {os.strerror(number)}")
        assert repair in told.rpartition("; ")[2]
        assert ("free some space" in told) == (number in (errno.ENOSPC, errno.EDQUOT))


def test_a_cause_that_nobody_saw_is_not_told(tmp_path):
    with pytest.raises(DataError) as caught, files.atomic(tmp_path / "a.h5"):
        raise OSError("Unable to synchronously create file (time = Sun\n, buf = 0x5)")
    assert "space" not in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_read_while_a_file_is_written_is_no_fault_of_that_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="source"), files.atomic(tmp_path / "a.txt"):
        (tmp_path / "source.txt").read_text()
    with pytest.raises(PermissionError), files.atomic(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "source.txt"))
    assert names(tmp_path) == []


def test_a_copy_that_fills_the_disk_is_a_fault_of_the_copy(tmp_path):
    """Python names the source first, the copy second."""
    with (
        pytest.raises(DataError, match="cannot write .*a.txt"),
        files.atomic(tmp_path / "a.txt") as p,
    ):
        raise OSError(errno.ENOSPC, "No space left", "/elsewhere/source", None, str(p))


def test_a_file_that_may_grow_no_further(tmp_path):
    """`ulimit -f`: the cause is not a full disk, and what stood there stays."""
    code = (
        "import resource, signal, sys; from ivdlib import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "files.write_text(sys.argv[1], 'x' * 100_000)"
    )
    (tmp_path / "a.txt").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.txt"], capture_output=True, text=True
    )
    assert "a.txt: File too large; " in done.stderr.splitlines()[-1]
    assert (tmp_path / "a.txt").read_text() == "old" and names(tmp_path) == ["a.txt"]


WRITES = """
import sys, time
from ivdlib import files
with files.atomic(sys.argv[1]) as part:
    part.write_text("half")
    print(part.name, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere only age tells")
def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path):
    def begin(name):
        words = [sys.executable, "-c", WRITES, str(tmp_path / name)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        return process, process.stdout.readline().strip()

    (dead, left), (alive, busy) = begin("a.txt"), begin("b.txt")
    try:
        dead.kill()
        dead.wait()
        assert (tmp_path / left).exists()
        other, old, older = ".part-aaaaaa-1-x", ".part-aaaaaa-1-y", ".part-99999999-z"
        own, folder = ".part-mine", left.replace("a.txt", "f")
        for name in (other, old, older, own):
            (tmp_path / name).write_text("x")
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "inside").write_text("x")
        for name in (old, older, own):
            os.utime(tmp_path / name, (0, 0))
        files.write_text(tmp_path / "c.txt", "whole")
        assert names(tmp_path) == sorted([busy, other, own, "c.txt"])
        files.sweep(tmp_path)  # what lives is let alone, however often
        assert (tmp_path / busy).exists()
    finally:
        alive.kill()
        alive.wait()


def test_the_root_and_here_have_a_sentence_too():
    for place in ("/", "."):
        assert files.cannot("read", place, OSError(errno.EIO, "x")).startswith(
            f"cannot read {place}: Input/output error; look after the disk"
        )


def test_need_room_knows_the_limit_of_a_process(tmp_path):
    """HDF5 would crash the process; a quota shows in the same way."""
    code = (
        "import resource, sys; from ivdlib import files\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (files.SPARE_BYTES + 1000,) * 2)\n"
        "files.need_room(sys.argv[1], 1000)\n"
        "files.need_room(sys.argv[1], 1001)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.h5"], capture_output=True, text=True
    )
    assert "a.h5: File too large; " in done.stderr.splitlines()[-1]
    assert "line 4" in done.stderr and names(tmp_path) == []
