"""List the licences of everything that requirements.lock installs: docs/licences.md.

    python benchmarks/licences.py          # after `make lock`, in the environment that it made

What each package says of itself, read from what is installed; nothing is fetched.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from ivdlib import files
from ivdlib.evaluation import tables

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"

HEAD = """# Licences of dependencies

What `requirements.lock` installs, and the licence that each package names in its own metadata.
Made by `python benchmarks/licences.py`; do not edit. Extras that are not in the lock (`jax`,
`torch`, `dicom`, …) are listed in `pyproject.toml`; ask `pip show` for theirs.

| package | version | licence |
|---|---|---|
"""

_KNOWN = re.compile(r"(?i)\b(apache|mit|bsd|isc|mpl|psf|python software|l?gpl|zlib|hpnd|cc0|0bsd)")


def licence(name: str) -> str:
    """Licence of an installed package: its SPDX expression, else its classifiers, else its words.

    Parameters
    ----------
    name : str
        As in `requirements.lock`.

    Returns
    -------
    str
        "not said" if its metadata name none.
    """
    about = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return expression
    named = [line.split(" :: ")[-1] for line in about.get_all("Classifier", [])
             if line.startswith("License ::") and line != "License :: OSI Approved"]  # fmt: skip
    words = (about.get("License") or "").strip()
    if named:
        return "; ".join(named)
    if words and len(words) < 60:
        return words
    found = _KNOWN.search(words)  # a whole licence stands there
    return f"{found.group(1).upper()} (by its text)" if found else "not said"


def locked() -> list[tuple[str, str]]:
    """Names and versions of the lock; of TensorFlow's two builds the one that is installed."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ;")[0].strip().split("==") for line in lines if "==" in line]
    return [(name, version) for name, version in pairs if name != "tensorflow"]


def page() -> str:
    """The page."""
    rows = (tables.line((name, version, licence(name))) for name, version in locked())
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Write the page; 1 if a locked package is not installed."""
    try:
        files.write_text(PAGE, page())
    except metadata.PackageNotFoundError as error:
        print(f"{error.name} of requirements.lock is not installed: run make, then this again.",
              file=sys.stderr)  # fmt: skip
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
