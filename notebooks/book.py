"""Build the book: lessons, front page, docs and reference as an offline site (make book).

Lessons are taken executed from reports/smoke/notebooks, those that were run as they are now; the
others are shown without results (make reproduce makes them). With --copy the site goes, smaller and
with Markdown beside it, to reports/reference/course, and lessons without results are run first
(make course-copy). Needs the extra `book`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bindery import checks, course_copy, executed, front, heads, pages
from bindery.heads import Head
from bindery.pictures import Shelf

from ivdlib.errors import IvdlibError

SITE = heads.ROOT / "reports" / "book"
LIVE = heads.ROOT / "notebooks" / "live" / "live.py"
"""What puts the page that runs the network in the reader's own browser into a site."""


def bind(made: Path, notebooks: dict[Path, Head], shelf: Shelf, *, still: bool) -> None:
    """Build the site of these lessons in an empty folder, which is the shelf's.

    `still`: the live page gets its picture alone, not the engine.

    Raises
    ------
    IvdlibError
        If Sphinx fails, or if a page would fetch something, leads nowhere or names this machine.
    """
    with tempfile.TemporaryDirectory() as name:
        pages.write_source(Path(name), notebooks, shelf)
        words = ["-b", "html", "-d", f"{name}/.doctrees", "-q", "-W", "--keep-going"]
        command = [sys.executable, "-m", "sphinx", *words, name, str(made)]
        done = subprocess.run(command, check=False)
    if done.returncode:
        raise IvdlibError("Sphinx could not build the book; the lines above say why.")
    words = [sys.executable, str(LIVE), str(made), *(["--still"] if still else [])]
    subprocess.run(words, check=True)  # it says how it went
    front.write_front(made, list(notebooks.values()), shelf)
    for told, found in {
        "these would be fetched from elsewhere": checks.remote(made),
        "these lead nowhere": checks.dead(made),
        "these name a folder of this machine": checks.personal(made),
    }.items():
        if found:
            raise IvdlibError("\n".join([f"{told}:", *found]))


def _replaceable(out: Path) -> bool:
    """Whether nothing is lost where the book goes: no folder, an empty one, or an older book."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    inventory = out / "objects.inv"  # Sphinx begins it with lines of text
    return not any(out.iterdir()) or (
        inventory.is_file() and b"# Project: ivdlib\n" in inventory.read_bytes()[:200]
    )


def build(out: Path, *, copy: bool) -> None:
    """Build the book, or the copy of the course that git holds, and put it at `out`.

    Raises
    ------
    IvdlibError
        As `bind` does; if a lesson fails; if the copy is too large.
    """
    stamp = course_copy.fingerprint()  # now: a source may change while a lesson runs
    if copy:
        executed.run_missing()
    found = executed.chosen()
    notebooks = dict(zip(found, heads.heads(found), strict=True))
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "site"
        shelf = Shelf(made)
        bind(made, notebooks, shelf, still=copy)
        if copy:
            course_copy.finish(made, notebooks, shelf, stamp)
        shutil.rmtree(out, ignore_errors=True)  # a book, or empty: see `_replaceable`
        shutil.copytree(made, out)
    for path in [path.stem for path, run in found.items() if not run]:
        print(f"without results: {path} (make reproduce runs it)")


def main(arguments: list[str] | None = None) -> int:
    """Build the site; 1 if something is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--copy", action="store_true", help="the copy of the course for git")
    args = parser.parse_args(arguments)
    out = args.out or (course_copy.COPY if args.copy else SITE)
    if not _replaceable(out):
        print(f"{out} is there and is no book of ivdlib; name another folder.", file=sys.stderr)
        return 1
    try:
        import furo  # noqa: F401
        import myst_nb  # noqa: F401
    except ImportError:
        print("The book needs Sphinx, myst-nb and furo: pip install -e '.[book]'", file=sys.stderr)
        return 1
    try:
        build(out, copy=args.copy)
    except IvdlibError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"the book: {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
