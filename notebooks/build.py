"""Make the notebooks from their one source: src/NN_name.py here becomes NN_name.ipynb.

python notebooks/build.py           writes them
python notebooks/build.py --check   writes nothing, and fails when one is missing or not in step
"""

import sys
from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def render(source: Path) -> str:
    """Text of the notebook made from `source`: no outputs, and the same bytes every time."""
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"  # jupytext draws random ones
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def out_of_step(folder: Path = FOLDER) -> list[str]:
    """Names of the notebooks that are missing, differ from their source or have none."""
    sources = {path.stem: path for path in (folder / "src").glob("*.py")}
    made = {path.stem: path for path in folder.glob("*.ipynb")}
    return sorted(
        f"{stem}.ipynb"
        for stem in sources.keys() | made.keys()
        if stem not in sources
        or stem not in made
        or made[stem].read_text(encoding="utf-8") != render(sources[stem])
    )


def main(arguments: list[str]) -> int:
    """Write the notebooks or, with `--check`, tell which are not in step."""
    names = out_of_step()
    if arguments == ["--check"]:
        if names:
            print(f"Not in step with notebooks/src: {', '.join(names)}. Run: make notebooks")
        return bool(names)
    if arguments:
        print(__doc__)
        return 2
    for name in names:
        source = FOLDER / "src" / Path(name).with_suffix(".py")
        if source.exists():
            (FOLDER / name).write_text(render(source), encoding="utf-8", newline="\n")
            print(f"written: {name}")
        else:
            print(f"left alone: {name} has no source in notebooks/src")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
