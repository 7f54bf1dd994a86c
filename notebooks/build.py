"""Make the notebooks from their one source, src/NN_name.py here.

python notebooks/build.py                 writes NN_name.ipynb, the lesson with its answers folded
                                          away; the student's version is made by ivdlib start
python notebooks/build.py --check         writes nothing, and fails when one is not in step
python notebooks/build.py --nbgrader DIR  writes a course folder for nbgrader

What somebody has worked in is never written over: it stays while its lesson is the same, and else
moves into the folder saved/ beside it. INSTRUCTOR.md here says how an exercise is written.
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ivdlib import files
from ivdlib.course.lesson_versions import CODE_STUB, TEXT_STUB, has_exercises, render_lesson
from ivdlib.errors import ConfigError, IvdlibError
from ivdlib.report import edits

FOLDER = Path(__file__).resolve().parent

COURSE_CONFIG = f'''\
"""Course of the ivdlib lessons; all options: nbgrader --help-all."""

from ivdlib.course import put_back

c = get_config()  # noqa: F821  nbgrader provides it
c.CourseDirectory.course_id = "ivdlib"
c.ClearSolutions.code_stub = {{"python": "{CODE_STUB}"}}
c.ClearSolutions.text_stub = "{TEXT_STUB}"
c.Autograde.sanitize_preprocessors = put_back.preprocessors()  # also after what it cannot bear
c.OverwriteCells.add_missing_cells = True  # a check that a student deleted is put back
c.Execute.timeout = 3600  # seconds a cell: a lesson may train networks
c.Execute.kernel_name = "python3"
'''


def wanted(folder: Path = FOLDER) -> dict[str, str]:
    """Text of each notebook that belongs into `folder`, by its name there.

    Raises
    ------
    ConfigError
        As `lesson_versions.render_lesson` does.
    """
    texts = {}
    for source in sorted((folder / "src").glob("*.py")):
        texts[f"{source.stem}.ipynb"] = render_lesson(source)
    return texts


def out_of_step(folder: Path = FOLDER, texts: dict[str, str] | None = None) -> list[str]:
    """Names of the notebooks that are missing, were made from another source, or have none.

    One that somebody has worked in is in step as long as its source is the same.

    Parameters
    ----------
    folder : path
    texts : dict of str to str, optional
        What `wanted` gives, where that is there already.
    """
    texts = wanted(folder) if texts is None else texts
    there = _notebooks(folder)
    marks = {name: edits.mark(nbformat.reads(text, as_version=4)) for name, text in texts.items()}
    names = {name for name in marks if marks[name] != edits.mark(there.get(name))}
    return sorted(names | {n for n in there.keys() - texts.keys() if not edits.touched(there[n])})


def worked_in(folder: Path = FOLDER) -> list[str]:
    """Names of the notebooks that somebody has run or edited since they were made."""
    return [name for name, notebook in _notebooks(folder).items() if edits.touched(notebook)]


def _notebooks(folder: Path) -> dict[str, NotebookNode | None]:
    return {path.name: edits.read_or_none(path) for path in sorted(folder.glob("[0-9]*.ipynb"))}


def write_notebooks(folder: Path = FOLDER) -> None:
    """Write what is out of step, and say so; what somebody worked in is moved aside, not lost."""
    texts = wanted(folder)
    old, mine = out_of_step(folder, texts), worked_in(folder)
    for name in old:
        if name not in texts:
            print(f"left alone: {name} has no source in notebooks/src; delete it")
            continue
        if name in mine:
            kept = files.set_aside(folder / name).relative_to(folder).as_posix()
            print(f"kept: {name} had saved work in it, which is now in {kept}")
        files.write_text(folder / name, texts[name], newline="\n")
        print(f"written: {name}")
    for name in mine:
        if name in texts and name not in old:
            print(f"left as it is: {name} has saved work in it; rename it to have a new one made")


def check(folder: Path = FOLDER) -> bool:
    """Say which notebooks are not in step, and which have saved work in them; whether all are."""
    old, mine = out_of_step(folder), worked_in(folder)
    saved = [name for name in mine if name not in old and (folder / name).is_file()]
    if saved:
        print(f"Your saved work, which is left as it is: {', '.join(saved)}.")
    lost = [name for name in old if name in mine]
    if lost:
        print(
            f"Your saved work, not made from the present notebooks/src: {', '.join(lost)}. Run: "
            f"make notebooks (it moves your work into the folder {files.ASIDE}/ beside, then "
            "writes new ones)"
        )
    if names := [name for name in old if name not in mine]:
        print(f"Not in step with notebooks/src: {', '.join(names)}. Run: make notebooks")
    return not old


def write_course(course: Path, folder: Path = FOLDER) -> list[str]:
    """Write what `nbgrader generate_assignment` takes: a notebook a lesson, and a configuration.

    What was edited there is kept, and a sentence says so; a configuration that is there already is
    kept too. Git is told to ignore the folder: students' work will lie in it.

    Parameters
    ----------
    course : path
        The course folder; made where there is none.
    folder : path
        Where `src/` lies.

    Returns
    -------
    list of str
        Names of the assignments, `NN_name`.

    Raises
    ------
    ConfigError
        Where no source holds an exercise, or one does not follow the rules.
    """
    sources = [path for path in sorted((folder / "src").glob("*.py")) if has_exercises(path)]
    if not sources:
        raise ConfigError(f"no lesson in {folder / 'src'} has exercises; INSTRUCTOR.md says how.")
    for source in sources:
        path = course / "source" / source.stem / f"{source.stem}.ipynb"
        if path.is_file() and edits.edited(edits.read_or_none(path)):
            print(f"left as it is: {path}, which was edited; rename it to have a new one made")
        else:
            files.write_text(path, render_lesson(source, "nbgrader"), newline="\n")
    for name, text in ((".gitignore", "*\n"), ("nbgrader_config.py", COURSE_CONFIG)):
        if not (course / name).exists():
            files.write_text(course / name, text, newline="\n")
    return [source.stem for source in sources]


def main(arguments: list[str]) -> int:
    """Write the notebooks, tell which are not in step, or write a course for nbgrader."""
    try:
        if not arguments:
            write_notebooks()
        elif arguments == ["--check"]:
            return 0 if check() else 1
        elif arguments[0] == "--nbgrader" and len(arguments) == 2:
            names = write_course(Path(arguments[1]))
            print(f"a course for nbgrader: {arguments[1]} with {', '.join(names)}")
        else:
            print(__doc__)
            return 2
    except IvdlibError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
