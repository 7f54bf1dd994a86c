"""The package as people install it: from the wheel, far from a checkout, with an empty HOME.

The wheel is built from the sdist, which is what one gets without git. Its environment borrows the
packages of the present one, so that nothing is downloaded; ivdlib itself is the wheel's. The
network is shut off where the system lets us.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ivdlib.training import engines, shipped, weights_file
from ivdlib.training.shipped import WEIGHTS

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 8_000_000
MOST_BYTES_OF_WHEEL = 10_000_000
HARDENED = (
    *("test_errors.py", "test_links.py", "data/test_odd_names.py", "report/test_hostile.py"),
    *("report/test_harmless_html.py", "report/test_nothing_else_written.py"),
)
"""Tests of what a hostile or odd input must not do."""
ONLY_LOOPBACK = (
    "import fcntl, os, socket, struct, sys; up = struct.pack('16sh', b'lo', 0x41); "
    "fcntl.ioctl(socket.socket(), 0x8914, up); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Kernels talk to each other on this machine; nothing else is reached."""


def build(kind, source, place):
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(place)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("built")
    build("sdist", ROOT, place)
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    build("wheel", place / archive.name.removesuffix(".tar.gz"), place)
    (made,) = place.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def desk(wheel, tmp_path_factory):
    """A user's folder and environment; `run` calls a program of it, `ivdlib` ours."""
    place = tmp_path_factory.mktemp("user")
    folder, home, venv = place / "work", place / "home", place / "venv"
    for new in (folder, home):
        new.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    (library,) = venv.glob("lib/python*/site-packages")
    (library / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    shut = ["unshare", "-rn", str(python), "-c", ONLY_LOOPBACK]
    can = shutil.which("unshare") and not subprocess.run([*shut, shutil.which("true")]).returncode
    env = {"PATH": f"{python.parent}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8",
           "IVDLIB_PROGRESS": "off", "PYTHONSAFEPATH": "1",
           "JUPYTER_PATH": str(Path(sysconfig.get_path("data"), "share", "jupyter"))}  # fmt: skip

    def run(program, *words):
        call = [*(shut if can else []), str(python.parent / program), *map(str, words)]
        return subprocess.run(call, cwd=folder, env=env, capture_output=True, text=True)

    def ivdlib(*words):
        done = run("ivdlib", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    return SimpleNamespace(folder=folder, home=home, library=library, run=run, ivdlib=ivdlib)


@pytest.mark.slow
def test_the_wheel_brings_weights_that_work(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if name.startswith("ivdlib/weights/")]
        packed.extractall(tmp_path, names)
    assert "ivdlib/weights/LICENSE" in names
    assert sorted(name for name in names if name.endswith(".h5")) == sorted(
        f"ivdlib/weights/{name}/{WEIGHTS}" for name in (*shipped.names(), "spine")
    )
    files = [tmp_path / name for name in names]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    for path in files:
        if path.suffix == ".h5":
            card, _ = weights_file.read_passport(path)
            assert card["target"] == ("spine" if path.parent.name == "spine" else "disc")
            assert "CC BY 4.0" in card["source"]
            assert engines.load_network(path).model.input_shape[1:3] == tuple(card["tile"])
            assert (path.parent / "record.json").is_file()


@pytest.mark.slow
def test_the_wheel_brings_lessons_and_declared_experiments(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name.removeprefix("ivdlib/packed/") for name in packed.namelist()}
    assert wheel.stat().st_size <= MOST_BYTES_OF_WHEEL
    for pattern in ("notebooks/src/*.py", "notebooks/0*.ipynb", "benchmarks/audit/*.toml"):
        wanted = {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
        assert wanted and wanted <= names, pattern
    assert {"notebooks/glossary.md", "reports/reference/AUDIT.md"} <= names
    about = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"ivdlib", "notebooks", "benchmarks", "reports", about}


@pytest.mark.slow
def test_scans_are_made_checked_segmented_and_scored(desk):
    place = desk.run("python", "-c", "import ivdlib; print(ivdlib.__file__)").stdout.strip()
    assert Path(place).parent == desk.library / "ivdlib"
    desk.ivdlib("phantom", "scans", "--subjects", 2, "--stages", 1, "--slices", 6)
    assert "2 cases: 2 ok" in desk.ivdlib("check", "scans", "--html", "check.html")
    desk.ivdlib("predict", "scans", "--out", "discs")
    assert "mean" in desk.ivdlib("score", "discs", "scans")
    assert len(list((desk.folder / "discs").glob("0?.html"))) == 2


@pytest.mark.slow
def test_lessons_are_begun_and_sheets_made(desk):
    out = desk.ivdlib("start")
    assert (desk.folder / "my_lessons" / "00_start_here.ipynb").is_file() and "make lab" not in out
    desk.ivdlib("report", "--lesson", "03", "--blank", "--out", "sheet")
    assert (desk.folder / "sheet.html").is_file()
    assert "phantom of 16 scans is not made yet" in desk.ivdlib("audit", "--plan")
    declared = "benchmarks/audit/crops.toml"  # is there; the scans that it names are not
    done = desk.run("ivdlib", "grid", "--experiment", declared, "--plan")
    assert done.returncode == 1 and "ivdm3seg_crops" in done.stderr, done.stderr


@pytest.mark.long
def test_the_whole_job(desk):
    desk.ivdlib("lesson", "00", "-p", "profile", "test", "-p", "name", "one")
    desk.ivdlib("reproduce", "--profile", "test")
    desk.ivdlib("grid", "--profile", "test", "--name", "alone", "--networks", "unet")
    reports = desk.folder / "reports"
    for made in ("one/notebooks/00_start_here.ipynb", "test/report.html", "alone/tables/table1.md"):
        assert (reports / made).is_file(), made
    desk.ivdlib("report", "test", "--out", "again")
    assert (desk.folder / "again.html").is_file()
    desk.ivdlib("audit", "--page")
    page = (reports / "reference" / "AUDIT.md").read_text(encoding="utf-8")
    assert page == (ROOT / "reports" / "reference" / "AUDIT.md").read_text(encoding="utf-8")


@pytest.mark.long
def test_what_is_hardened_is_so_from_the_wheel(desk):
    tests = [ROOT / "tests" / name for name in HARDENED]
    options = ["-q", "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT]
    done = desk.run("python", "-m", "pytest", *options, *tests)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-3000:]
