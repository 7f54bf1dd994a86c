"""Make the notebooks from their one source, src/NN_name.py here.

python notebooks/build.py                 writes NN_name.ipynb, the lesson with its answers folded
                                          away, and exercises/NN_name.ipynb, the student's version
python notebooks/build.py --check         writes nothing, and fails when one is not in step
python notebooks/build.py --nbgrader DIR  writes a course folder for nbgrader

INSTRUCTOR.md here says how an exercise is written in a source.
"""

import ast
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from ivdlib import files
from ivdlib.errors import ConfigError, IvdlibError

FOLDER = Path(__file__).resolve().parent
STATUS = FOLDER.parent / "reports" / "status.md"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CODE_STUB = "# YOUR CODE HERE"
TEXT_STUB = "*Your answer here.*"
# JupyterLab shows the first line of a folded cell, so it must not be the answer.
FOLDED_SOLUTION, FOLDED_TEST = "# A solution: click to unfold it", "# The check: run this cell"
CELL_TYPES = {"solution": "code", "test": "code", "written": "markdown"}
HEADING = re.compile(r"Exercise (\d+) \(\d+ minutes?\)")

SETUP = """\
# Is ivdlib here? If not, it is installed from the folder that this notebook lies in.
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("ivdlib") is None:
    above = (Path.cwd() / "here").resolve().parents
    checkout = next((p for p in above if (p / "ivdlib/__init__.py").is_file()), None)
    if checkout is None:
        raise SystemExit(
            "ivdlib is not installed, and this notebook lies in no checkout of it. Put the whole "
            "repository here (git clone, or its ZIP unpacked) and open the notebook inside it."
        )
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", str(checkout)]
    if subprocess.run(words).returncode:
        raise SystemExit("pip could not install ivdlib; the lines above say why.")
    sys.path.insert(0, str(checkout))  # this kernel has read its paths already
"""
"""First code of every notebook: VS Code and hosted notebooks may run a Python without ivdlib."""

COURSE_CONFIG = f'''\
"""Course of the ivdlib lessons; all options: nbgrader --help-all."""

c = get_config()  # noqa: F821  nbgrader provides it
c.CourseDirectory.course_id = "ivdlib"
c.ClearSolutions.code_stub = {{"python": "{CODE_STUB}"}}
c.ClearSolutions.text_stub = "{TEXT_STUB}"
c.Execute.timeout = 3600  # seconds a cell: a lesson may train networks
c.Execute.kernel_name = "python3"
'''


# --- exercises of a source -----------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """What a cell is to an exercise.

    Attributes
    ----------
    role : str
        `question`, or one of `CELL_TYPES`.
    grade_id : str
        Name of the cell for nbgrader, such as `lesson01_exercise2_test`.
    points : int
        Of a test or a written answer; 0 for the others.
    names : tuple of str
        What a solution assigns and its check needs.
    """

    role: str
    grade_id: str
    points: int = 0
    names: tuple[str, ...] = ()


def exercises(cells: list[NotebookNode], lesson: str) -> dict[int, Part]:
    """Find the exercises among the cells of a source.

    Parameters
    ----------
    cells : list of cells
    lesson : str
        Name of the source without its ending, `NN_name`.

    Returns
    -------
    dict of int to Part
        By place in `cells`; cells of no exercise are left out.

    Raises
    ------
    ConfigError
        Where an exercise does not follow the rules of INSTRUCTOR.md.
    """
    parts, asked = {}, ""
    for index, cell in enumerate(cells):
        role = _role(cell)
        heads = re.findall(r"^## (.*)$", cell.source, re.M) if cell.cell_type == "markdown" else []
        if heads:
            match = HEADING.fullmatch(heads[-1].strip())
            asked = match[1] if match else ""
            if asked and not role:
                parts[index] = Part("question", f"lesson{lesson[:2]}_exercise{asked}_question")
        if role:
            parts[index] = _part(cells, index, role, asked, lesson)
        elif "BEGIN SOLUTION" in cell.source or "END SOLUTION" in cell.source:
            raise ConfigError(
                f"{lesson}: marks of a solution stand in a cell that is tagged neither solution "
                f"nor written ({cell.source.splitlines()[0]}); tag it."
            )
    _refuse_loose_ends(parts, lesson)
    return parts


def _role(cell: NotebookNode) -> str:
    return next((tag for tag in cell.metadata.get("tags", []) if tag in CELL_TYPES), "")


def _part(cells: list[NotebookNode], index: int, role: str, asked: str, lesson: str) -> Part:
    """Read one tagged cell; `asked` is the number of the exercise under whose heading it stands."""
    cell, where = cells[index], f"{lesson}, exercise {asked or '?'}, the cell tagged {role}"
    if not asked:
        raise ConfigError(f"{where}: put it below a heading such as: ## Exercise 1 (5 minutes)")
    if cell.cell_type != CELL_TYPES[role]:
        raise ConfigError(f"{where}: make it a {CELL_TYPES[role]} cell.")
    grade_id = f"lesson{lesson[:2]}_exercise{asked}_{role}"
    if role == "solution":
        if index + 1 == len(cells) or _role(cells[index + 1]) != "test":
            raise ConfigError(f"{where}: let a cell tagged test come right after it.")
        names = _names(cell.source, cells[index + 1].source, where)
        return Part(role, grade_id, names=names)
    if role == "test" and (not index or _role(cells[index - 1]) != "solution"):
        raise ConfigError(f"{where}: put it right after a cell tagged solution.")
    if role == "written":
        _split(cell.source, where)
    points = cell.metadata.get("points")
    if type(points) is not int or points < 1:
        raise ConfigError(f'{where}: say what it is worth: # %% tags=["{role}"] points=2')
    return Part(role, grade_id, points)


def _refuse_loose_ends(parts: dict[int, Part], lesson: str) -> None:
    ids = [part.grade_id for part in parts.values()]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{lesson} has two cells {twice[0]}: number its exercises 1, 2, 3, and give each one "
            "solution with its test, one written answer, or both."
        )
    for part in parts.values():
        stem = part.grade_id.removesuffix("question")
        if part.role == "question" and not {stem + "solution", stem + "written"} & set(ids):
            raise ConfigError(
                f"{lesson}: below the heading of {stem.rstrip('_')} stands no cell tagged "
                "solution or written; add one."
            )


def _split(text: str, where: str) -> tuple[list[str], list[str], list[str], str]:
    """Lines before, between and after the two marks, and the indent of the first mark."""
    lines = text.splitlines()
    marks = [n for n, line in enumerate(lines) if re.search("(BEGIN|END) SOLUTION", line)]
    if [lines[n].strip() for n in marks] != [BEGIN, END]:
        raise ConfigError(f"{where}: put its answer between one line {BEGIN} and one line {END}.")
    first, last = marks
    indent = lines[first][: -len(BEGIN)]
    return lines[:first], lines[first + 1 : last], lines[last + 1 :], indent


def _names(solution: str, test: str, where: str) -> tuple[str, ...]:
    """Names that a solution assigns between its marks and that are read after it."""
    before, inside, after, indent = _split(solution, where)
    try:
        answer = ast.parse(textwrap.dedent("\n".join(inside)))
        rest = ast.parse("\n".join([*before, f"{indent}pass", *after, test]))
    except SyntaxError as error:
        raise ConfigError(f"{where}: it is no Python without its marks ({error.msg}).") from error
    read = {node.id for node in _nodes(rest, ast.Name) if isinstance(node.ctx, ast.Load)}
    names = tuple(name for name in _assigned(answer) if name in read)
    if not names:
        raise ConfigError(
            f"{where}: its check reads nothing that it assigns; let both use one name."
        )
    return names


def _assigned(tree: ast.AST) -> list[str]:
    """Names of the variables and functions that code makes; loops and imports do not count."""
    found = [node.name for node in _nodes(tree, ast.FunctionDef)]
    for node in _nodes(tree, ast.Assign, ast.AnnAssign, ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            names = _nodes(target, ast.Name)
            found += [name.id for name in names if isinstance(name.ctx, ast.Store)]
    return list(dict.fromkeys(found))


def _nodes(tree: ast.AST, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


# --- one source, three notebooks -----------------------------------------------------------------


def _for_readers(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Fold the answer away; its marks go."""
    cell.metadata.pop("points", None)
    if part.role == "question":
        place = f"exercises/{lesson}.ipynb"
        cell.source += f"\n\n*To work on it: `{place}`. The answer is folded below.*"
    elif part.role != "test":
        before, inside, after, _ = _split(cell.source, lesson)
        if part.role == "solution":
            before.insert(0, FOLDED_SOLUTION)
            cell.metadata["jupyter"] = {"source_hidden": True}
        else:
            inside = ["<details><summary>A model answer</summary>", "", *inside, "", "</details>"]
        cell.source = "\n".join([*before, *inside, *after])


def _for_nbgrader(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Add what nbgrader wants to know; the answers stay, between their marks.

    In front of a solution its names become None: that line is left when nbgrader takes the answer.
    """
    if part.role == "question":
        return
    cell.metadata.pop("points", None)
    cell.metadata["nbgrader"] = {
        "grade": part.role != "solution",
        "grade_id": part.grade_id,
        "locked": part.role == "test",
        "schema_version": 3,
        "solution": part.role != "test",
        "task": False,
    }
    if part.points:
        cell.metadata["nbgrader"]["points"] = part.points
    cell.metadata["deletable"] = False
    if part.role == "test":
        # Folded, since the expected value can be read there; the tag lets "Run all" go on.
        cell.source = f"{FOLDED_TEST}\n{cell.source}"
        cell.metadata["jupyter"] = {"source_hidden": True}
        cell.metadata["editable"] = False
        cell.metadata["tags"].append("raises-exception")
    if part.role == "solution":
        before, inside, after, indent = _split(cell.source, lesson)
        nothing = [f"{indent}{name} = None" for name in part.names]
        marked = [indent + BEGIN, *inside, indent + END]
        cell.source = "\n".join([*before, *nothing, *marked, *after])


def _for_students(cell: NotebookNode, part: Part, lesson: str) -> None:
    """Take the answers out, as nbgrader does when it makes an assignment."""
    _for_nbgrader(cell, part, lesson)
    if part.role in ("solution", "written"):
        before, _, after, indent = _split(cell.source, lesson)
        stub = indent + (CODE_STUB if part.role == "solution" else TEXT_STUB)
        cell.source = "\n".join([*before, stub, *after])


VERSIONS = {"lesson": _for_readers, "student": _for_students, "nbgrader": _for_nbgrader}


def render(source: Path, version: str = "lesson") -> str:
    """Text of a notebook made from `source`: no outputs, and the same bytes every time.

    Parameters
    ----------
    source : path
        `NN_name.py`.
    version : {"lesson", "student", "nbgrader"}
        With the answers folded, without them, or with them between their marks.

    Raises
    ------
    ConfigError
        Where an exercise of the source does not follow the rules.
    """
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    parts = exercises(notebook.cells, source.stem)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"  # jupytext draws random ones
        cell.metadata.pop("lines_to_next_cell", None)  # a note of jupytext's to itself
        if number in parts:
            VERSIONS[version](cell, parts[number], source.stem)
    _insert_time(notebook, source.stem)
    _insert_setup(notebook)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def measured(page: Path) -> dict[str, str]:
    """How long lessons took, by name, in words; nothing where the page is not there.

    Parameters
    ----------
    page : path
        `reports/status.md`, as status.py writes it.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    profile = re.search(r"profile `(\w+)`", text)
    rows = re.findall(r"^\| (\d\d_\w+) \| (\d[^|]*) \| ([\d-]+) \| ([^|]+) \|", text, re.M)
    return {
        lesson: f"{time} with profile `{profile[1]}` on {device} ({day})"
        for lesson, time, day, device in rows
    }


def _insert_time(notebook: NotebookNode, lesson: str) -> None:
    """Say in the first cell how long the lesson took, where that was measured."""
    time = measured(STATUS).get(lesson)
    if time:
        first, mark = notebook.cells[0], "> **Paper:**"
        first.source = first.source.replace(mark, f"> **Time:** {time}\n>\n{mark}", 1)


def _insert_setup(notebook: NotebookNode) -> None:
    """Put `SETUP`, folded, behind the parameters, where papermill puts those it was given."""
    cell = nbformat.v4.new_code_cell(SETUP.rstrip(), id="setup")
    cell.metadata = {"tags": ["setup"], "jupyter": {"source_hidden": True}}
    tags = [c.metadata.get("tags", []) for c in notebook.cells]
    place = next((n for n, mine in enumerate(tags, start=1) if "parameters" in mine), 0)
    notebook.cells.insert(place, cell)


def has_exercises(source: Path) -> bool:
    """Whether a source holds exercises in the format of INSTRUCTOR.md.

    Raises
    ------
    ConfigError
        As `render` does.
    """
    return bool(exercises(jupytext.read(source).cells, source.stem))


# --- files ---------------------------------------------------------------------------------------


def wanted(folder: Path = FOLDER) -> dict[str, str]:
    """Text of each notebook that belongs into `folder`, by its name there.

    Raises
    ------
    ConfigError
        As `render` does.
    """
    texts = {}
    for source in sorted((folder / "src").glob("*.py")):
        texts[f"{source.stem}.ipynb"] = render(source)
        if has_exercises(source):
            texts[f"exercises/{source.stem}.ipynb"] = render(source, "student")
    return texts


def out_of_step(folder: Path = FOLDER, texts: dict[str, str] | None = None) -> list[str]:
    """Names of the notebooks that are missing, differ from their source or have none.

    Parameters
    ----------
    folder : path
    texts : dict of str to str, optional
        What `wanted` gives, where that is there already.
    """
    texts = wanted(folder) if texts is None else texts
    made = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in [*folder.glob("*.ipynb"), *folder.glob("exercises/*.ipynb")]
    }
    return sorted(n for n in texts.keys() | made.keys() if texts.get(n) != made.get(n))


def write_course(course: Path, folder: Path = FOLDER) -> list[str]:
    """Write what `nbgrader generate_assignment` takes: a notebook a lesson, and a configuration.

    A configuration that is there already is kept. Git is told to ignore the folder: students' work
    will lie in it.

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
        _write(path, render(source, "nbgrader"))
    _write(course / ".gitignore", "*\n")
    if not (course / "nbgrader_config.py").exists():
        _write(course / "nbgrader_config.py", COURSE_CONFIG)
    return [source.stem for source in sources]


def _write(path: Path, text: str) -> None:
    with files.atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _write_notebooks() -> None:
    texts = wanted()
    for name in out_of_step(texts=texts):
        if name in texts:
            _write(FOLDER / name, texts[name])
            print(f"written: {name}")
        else:
            print(f"left alone: {name} has no source in notebooks/src")


def main(arguments: list[str]) -> int:
    """Write the notebooks, tell which are not in step, or write a course for nbgrader."""
    try:
        if not arguments:
            _write_notebooks()
        elif arguments == ["--check"]:
            names = out_of_step()
            if names:
                print(f"Not in step with notebooks/src: {', '.join(names)}. Run: make notebooks")
            return bool(names)
        elif arguments[0] == "--nbgrader" and len(arguments) == 2:
            names = write_course(Path(arguments[1]))
            print(f"written: {arguments[1]} with {', '.join(names)}")
        else:
            print(__doc__)
            return 2
    except IvdlibError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
