"""How long the lessons took, on what, with which versions: reports/status.md.

python notebooks/status.py REPORT_FOLDER  reads the executed lessons of an experiment, for example
                                          reports/smoke, and writes the page
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat

from ivdlib import files, provenance
from ivdlib.errors import DataError, IvdlibError
from ivdlib.progress import duration
from ivdlib.report.lesson_names import lessons_in


def lesson_row(path: Path) -> dict[str, Any]:
    """Read what papermill noted in an executed lesson.

    Parameters
    ----------
    path : path
        `NN_name.ipynb`, or `NN_name.failed.ipynb` where it stopped.

    Returns
    -------
    dict
        `lesson`, `started` (datetime), `seconds`, and `failed` (bool).

    Raises
    ------
    DataError
        Where papermill has not run this notebook to an end.
    """
    noted = nbformat.read(path, as_version=4).metadata.get("papermill", {})
    if noted.get("duration") is None:
        raise DataError(f"{path} holds no time of papermill; run the lesson again.")
    return {
        "lesson": path.name.split(".")[0],
        "started": datetime.fromisoformat(noted["start_time"]),
        "seconds": float(noted["duration"]),
        "failed": bool(noted.get("exception")),
    }


def page(report: Path) -> str:
    """Write the page about the lessons of one experiment, as Markdown.

    Parameters
    ----------
    report : path
        Folder of the experiment, with `record.json` and `notebooks/`.

    Raises
    ------
    DataError
        Where the folder holds no record or no executed lesson.
    """
    record = files.read_json(report / "record.json")
    folder = report / "notebooks"
    paths = [*lessons_in(folder), *lessons_in(folder, ".failed.ipynb")]
    rows = [lesson_row(path) for path in sorted(paths)]
    if not rows:
        raise DataError(f"{report} holds no executed lesson; make one: make lesson N=01")
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        f"| {row['lesson']} | {_time(row)} | {row['started']:%Y-%m-%d} | {record['device']} "
        f"| {versions} |"
        for row in rows
    ]
    total = duration(sum(row["seconds"] for row in rows))
    return "\n".join([
        "# How long the lessons take",
        "",
        f"Experiment `{report.resolve().name}`, profile "
        f"`{record['config']['profile']['name']}`; all lessons together: {total}. What an earlier "
        "lesson or run has trained is not trained again, so a second run is quicker.",
        "Made by `python notebooks/status.py` from what papermill noted; do not edit.",
        "",
        "| lesson | time | run on | device | versions |",
        "|---|---:|---|---|---|",
        *lines,
        "",
    ])  # fmt: skip


def _time(row: dict[str, Any]) -> str:
    return f"{'stopped after ' if row['failed'] else ''}{duration(row['seconds'])}"


def main(arguments: list[str]) -> int:
    """Write reports/status.md of the checkout one stands in."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    try:
        path = provenance.reports_folder() / "status.md"
        files.write_text(path, page(Path(arguments[0])))
    except IvdlibError as error:
        print(error)
        return 1
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
