"""Try ivdlib on other Pythons, and with the oldest and the newest packages that it allows.

python benchmarks/versions.py            each Python that pyproject.toml names, the newest packages;
                                         the oldest direct ones and the core on the oldest Python
python benchmarks/versions.py 3.13 lowest   these alone

The wheel goes into a fresh environment outside the checkout with the extra cpu, makes, checks,
segments and scores a scan there with an empty HOME, and then `make quick` runs; of the core, which
has no framework, the first half. Each environment takes up to 2.7 GB and some minutes, and is
deleted again. A Python that is not on this machine is said to be absent; exit status 1 means that
something failed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TESTS = [
    line for line in PROJECT["optional-dependencies"]["dev"] if re.match("pytest|hypo|pyyaml", line)
]
KINDS = ("newest", "lowest", "core")
SMOKE = (
    ("phantom", "scans", "--subjects", "2", "--stages", "1", "--slices", "4"),
    ("check", "scans"),
    ("predict", "scans", "--out", "discs"),
    ("score", "discs", "scans"),
)


def pythons() -> list[str]:
    """The versions of Python that the classifiers name, oldest first."""
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line)
             for line in PROJECT["classifiers"])  # fmt: skip
    return sorted((match[1] for match in found if match), key=lambda v: int(v.split(".")[1]))


def interpreter(version: str) -> str | None:
    """A Python of this version that runs: on the path, else of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for place in filter(None, places):
        asked = [place, "-c", "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"]
        if subprocess.run(asked, capture_output=True, text=True).stdout.strip() == version:
            return str(place)
    return None


def call(*words: object, **options: object) -> None:
    """Run a program; what it says is shown only where it fails."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, **options)
    if done.returncode:
        said = (done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"{' '.join(map(str, words[:6]))} ended with {done.returncode}:\n{said}")


def install(python: Path, wheel: Path, kind: str, place: Path) -> None:
    """Install the wheel: alone, or with the extra cpu and what the tests need."""
    pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
    if kind == "lowest":
        call(*pip, "uv")
        oldest = place / "oldest.txt"
        compiled = ("-q", "--resolution", "lowest-direct", "--extra", "cpu", "--python", python)
        call(python, "-m", "uv", "pip", "compile", *compiled, "-o", oldest, ROOT / "pyproject.toml")
        call(*pip, "-r", oldest)
    call(*pip, *([wheel] if kind == "core" else [f"{wheel}[cpu]", *TESTS]))


def size(folder: Path) -> str:
    """What a folder takes on disk; a file that has two names counts once."""
    files = {(s.st_dev, s.st_ino): s.st_size for s in (p.lstat() for p in folder.rglob("*"))}
    return f"{sum(files.values()) / 1e6:,.0f} MB"


def tried(version: str, kind: str, wheel: Path) -> str:
    """What came of one environment, in a few words."""
    base = interpreter(version)
    if base is None:
        return "absent: no such Python on this machine"
    with tempfile.TemporaryDirectory() as folder:
        place, begin = Path(folder), time.monotonic()
        venv, desk = place / "venv", place / "desk"
        (place / "home").mkdir()
        desk.mkdir()
        env = {"PATH": os.environ["PATH"], "HOME": str(place / "home"), "IVDLIB_PROGRESS": "off"}
        try:
            call(base, "-m", "venv", venv)
            install(venv / "bin" / "python", wheel, kind, place)
            installed = f"{size(venv)} installed in {time.monotonic() - begin:.0f} s"
            for words in SMOKE:
                call(venv / "bin" / "ivdlib", *words, cwd=desk, env=env)
            if kind != "core":
                (venv / ".installed").touch()  # so that make installs nothing over it
                call("make", "quick", f"VENV={venv}", cwd=ROOT)
        except RuntimeError as error:
            return f"FAILED: {error}"
        return f"works, {installed}, tried in {time.monotonic() - begin:.0f} s"


def main(wanted: list[str]) -> int:
    """Try each environment that is asked for, and print a line on it."""
    kinds = [word for word in wanted if word in KINDS]
    versions = [word for word in wanted if word in pythons()]
    if len(kinds) + len(versions) < len(wanted):
        print(__doc__)
        return 2
    every = [(version, "newest") for version in pythons()]
    every += [(pythons()[0], kind) for kind in KINDS[1:]]
    if wanted:
        every = [(v, kind) for v in versions or pythons() for kind in kinds or ["newest"]]
    failed = False
    with tempfile.TemporaryDirectory() as built:
        call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built, cwd=ROOT)
        (wheel,) = Path(built).glob("*.whl")
        for version, kind in every:
            told = tried(version, kind, wheel)
            failed |= told.startswith("FAILED")
            print(f"Python {version}, {kind} packages: {told}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
