"""Build the book: lessons and API reference as an offline site under reports/book/ (make book).

Lessons are taken executed from reports/smoke/notebooks where they are all there (make reproduce),
else as they are in notebooks/, without results. Needs the extra `book`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup

from ivdlib.course.lesson_versions import GLOSSARY
from ivdlib.report.lesson_names import lessons_in
from ivdlib.report.notebook import stand_in

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "reports" / "book"
EXECUTED = ROOT / "reports" / "smoke" / "notebooks"
LIVE = ROOT / "notebooks" / "live" / "live.py"

API = {
    "Data": (
        "data.cases",
        "data.case",
        "data.dixon",
        "data.quality.checks",
        "data.quality.exchange",
        "phantom",
    ),
    "Before the network": (
        *("preprocessing.fusion", "preprocessing.region", "preprocessing.tiles"),
        *("preprocessing.augmentation", "preprocessing.sampler", "preprocessing.folds"),
    ),
    "Layers and networks": (
        *("networks.by_name", "networks.fds_cnn", "networks.unet", "networks.deeplabv3plus"),
        *("networks.convolution", "networks.blocks", "networks.normalisation"),
        *("networks.resize", "networks.losses", "networks.cost"),
    ),
    "Training and use": (
        *("profiles", "options", "training.trainer", "training.weights", "training.inference"),
        *("training.predict", "training.experiment", "training.run"),
    ),
    "Scores and statistics": (
        *("evaluation.metrics", "data.discs", "evaluation.challenge", "evaluation.scoring"),
        "evaluation.statistics",
    ),
    "Tables, audit, reports": (
        *("evaluation.tables", "evaluation.claims", "evaluation.verdicts", "report.experiment"),
        *("course.exercises", "course.viewer"),
    ),
}
"""Modules of the reference by chapter."""

PASSED_ON = {"data.cases": "Case"}
"""What a module gives out that is another's, and stands there."""

CONF = """\
project, author = "ivdlib", "The ivdlib authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme, html_title = "furo", "ivdlib"
html_show_sphinx = False
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # else from a server; a widget's static picture stands in the page
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_ivar = True
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]
"""

INDEX = """\
# ivdlib

Fully dilated separable networks for intervertebral-disc segmentation: the lessons, and the
reference of the library. {origin}

The [glossary](glossary.md) explains every term of the lessons.
<a href="live/index.html">Run the network in your browser</a>: nothing is installed.

```{{toctree}}
:caption: Lessons
{lessons}
glossary
```

```{{toctree}}
:caption: Reference
{chapters}
```
"""


def lessons() -> tuple[list[Path], str]:
    """The notebooks of the series, and a sentence on where they come from."""
    plain = lessons_in(ROOT / "notebooks")
    executed = [EXECUTED / path.name for path in plain]
    if all(path.is_file() for path in executed):
        return executed, "The lessons were run by `make reproduce` on the phantom, profile smoke."
    return plain, "The lessons are shown without results: `make reproduce` makes them."


def write_source(folder: Path) -> None:
    """Write what Sphinx reads: settings, contents, lessons, a page for each chapter of the API."""
    found, origin = lessons()
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    for path in found:
        (folder / path.name).write_text(_folded(path), encoding="utf-8")
    shutil.copy(ROOT / "notebooks" / GLOSSARY, folder)
    (folder / "api").mkdir()
    for number, (title, modules) in enumerate(API.items(), start=1):
        parts = [f"# {title}\n"]
        for module in modules:
            parts.append(f"## ivdlib.{module}\n\n```{{eval-rst}}\n.. automodule:: ivdlib.{module}\n"
                         f"   :members:\n   :exclude-members: {PASSED_ON.get(module, '')}\n"
                         "   :show-inheritance:\n```\n")  # fmt: skip
        (folder / "api" / f"{number}.md").write_text("\n".join(parts), encoding="utf-8")
    index = INDEX.format(
        origin=origin,
        lessons="\n".join(path.stem for path in found),
        chapters="\n".join(f"api/{number}" for number in range(1, len(API) + 1)),
    )
    (folder / "index.md").write_text(index, encoding="utf-8")


def _folded(path: Path) -> str:
    """Text of a lesson whose hidden code myst-nb folds, as JupyterLab does, and what tells answers.

    A solution and its check are folded with their outputs.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        told = stand_in(cell)
        if told or cell.metadata.get("jupyter", {}).get("source_hidden"):
            what, tag = (told, "hide-cell") if told else ("Code", "hide-input")
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
            cell.metadata["mystnb"] = {"code_prompt_show": what, "code_prompt_hide": what}
    return nbformat.writes(notebook)


def remote(site: Path) -> list[str]:
    """Whatever a page of the site would fetch from elsewhere."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in page.find_all(["script", "img", "iframe", "source", "link"]):
            address = str(tag.get("src") or (tag.get("href") if tag.name == "link" else "") or "")
            if re.match(r"(https?:)?//", address):
                found.append(f"{path.relative_to(site)}: {address}")
    return found


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


def main(arguments: list[str] | None = None) -> int:
    """Build the site; 1 where Sphinx fails or a page would fetch something."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SITE, metavar="DIR")
    out = parser.parse_args(arguments).out
    if not _replaceable(out):
        print(f"{out} is there and is no book of ivdlib; name another folder.", file=sys.stderr)
        return 1
    try:
        import furo  # noqa: F401
        import myst_nb  # noqa: F401
    except ImportError:
        print("The book needs Sphinx, myst-nb and furo: pip install -e '.[book]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name) / "source", Path(name) / "site"
        source.mkdir()
        write_source(source)
        words = ["-b", "html", "-q", "-W", "--keep-going", "-j", "auto", str(source), str(made)]
        done = subprocess.run([sys.executable, "-m", "sphinx", *words], check=False)
        if done.returncode:
            return 1
        if strangers := remote(made):
            print("these would be fetched from elsewhere:", *strangers, sep="\n", file=sys.stderr)
            return 1
        shutil.rmtree(made / ".doctrees", ignore_errors=True)
        subprocess.run([sys.executable, LIVE, str(made)], check=True)  # it says how it went
        shutil.rmtree(out, ignore_errors=True)  # a book, or empty: see `_replaceable`
        shutil.copytree(made, out)
    print(f"the book: {out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
