"""Run the lessons: papermill over the numbered notebooks, in order, into one experiment folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import provenance
from ivdlib.course.one_lesson import execute_lesson
from ivdlib.course.parameters import checked_values, parameters_of
from ivdlib.errors import ConfigError
from ivdlib.progress import duration, say
from ivdlib.report.lesson_names import is_meant, lessons_in

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

# --- which lessons there are -----------------------------------------------------------------


def series() -> list[Path]:
    """All lessons, in order, see `provenance.brought`.

    Raises
    ------
    ConfigError
        If there are none.
    """
    folder = provenance.brought("notebooks")
    found = lessons_in(folder)
    if not found:
        raise ConfigError(
            f"there are no lessons in {folder}; get the whole repository (git clone, or unpack its "
            "ZIP), or install ivdlib from its wheel."
        )
    return found


def find_lesson(number: int | str) -> Path:
    """Path of one lesson.

    Parameters
    ----------
    number : int or str
        `3`, `03` or `03_fds_cnn`; `1b` or `01b`.

    Raises
    ------
    ConfigError
        If there is no such lesson.
    """
    known = series()
    for path in known:
        if is_meant(number, path.stem):
            return path
    raise ConfigError(f"there is no lesson {number}; known are {', '.join(p.stem for p in known)}.")


# --- lessons of an experiment ----------------------------------------------------------------


def _experiment(parameters: Mapping[str, Any]) -> Experiment:
    """The experiment that lessons with these parameters work in, as they make it themselves.

    Made before the first kernel starts: what does not fit is told at once, and the record holds the
    command that was given instead of a kernel's.
    """
    from ivdlib.training.experiment import of_parameters

    names = ("profile", "data_dir", "name", "reports_dir", "seeds")
    return of_parameters(**{name: parameters[name] for name in names})


def lesson(number: int | str, parameters: Mapping[str, Any]) -> Path:
    """Run one lesson and put the executed copy into its experiment's folder.

    Parameters
    ----------
    number : int or str
        See `find_lesson`.
    parameters : mapping
        Values by name; text is brought to the right type.

    Returns
    -------
    Path
        The executed copy.

    Raises
    ------
    ConfigError, DataError, IvdlibError
        As for `reproduce`.
    """
    notebook = find_lesson(number)
    values = {name: p.default for name, p in parameters_of(notebook).items()}
    values |= checked_values(notebook, parameters)
    folder = _experiment(values).folder / "notebooks"
    return execute_lesson(notebook, values, folder / notebook.name)


def reproduce(
    profile: str = "smoke",
    data_dir: str | os.PathLike = "",
    name: str = "",
    reports_dir: str | os.PathLike = "",
    seeds: int = 0,
) -> Path:
    """Run all lessons in order into one experiment folder, then make the report.

    Parameters
    ----------
    profile : str, default "smoke"
        See `profiles.PROFILES`.
    data_dir : path, optional
        Folder with scans; without it the phantom.
    name : str, optional
        Folder of the experiment; default the profile's name.
    reports_dir : path, optional
        Where experiments lie; default see `provenance.reports_folder`.
    seeds : int, optional
        Number of seeds; 0 leaves it to the profile.

    Returns
    -------
    Path
        The experiment's folder, with `notebooks/`, `tables/`, `report.html` and `report.pdf`.

    Raises
    ------
    ConfigError
        If profile, name or folder do not fit; found before the first lesson starts.
    DataError
        If the data cannot be used; likewise.
    IvdlibError
        If a lesson fails.
    """
    from ivdlib.report import experiment

    todo = series()
    wanted = {
        "profile": profile,
        "data_dir": os.fspath(data_dir),
        "name": name,
        "reports_dir": os.fspath(reports_dir),
        "seeds": seeds,
    }
    for notebook in todo:
        checked_values(notebook, wanted)
    folder, begin = _experiment(wanted).folder, time.monotonic()
    for number, notebook in enumerate(todo, start=1):
        say(f"lesson {number}/{len(todo)}: {notebook.stem}")
        start = time.monotonic()
        execute_lesson(notebook, wanted, folder / "notebooks" / notebook.name)
        say(f"lesson {number}/{len(todo)}: done in {duration(time.monotonic() - start)}")
    made = experiment.build_report(folder, [path.stem for path in todo])
    say(f"all lessons and the report: {duration(time.monotonic() - begin)}")
    if made["note"]:
        say(made["note"])
    return folder
