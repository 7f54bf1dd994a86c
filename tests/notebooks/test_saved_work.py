"""What somebody wrote into a notebook outlives `make notebooks` and `make course`."""

import nbformat
import pytest
import scripts
from small_source import NAME, SOURCE

from ivdlib.report import edits

COPY = f"{NAME}.ipynb"
NEWER = SOURCE.replace("How many voxels has the mask?", "How large is the mask?")
ANSWER = "answer = 4  # mine"


@pytest.fixture
def build():
    return scripts.load("build")


@pytest.fixture
def folder(build, tmp_path):
    """A folder like `notebooks`, its notebooks made."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / f"{NAME}.py").write_text(SOURCE, encoding="utf-8")
    build.write_notebooks(tmp_path)
    return tmp_path


def newer(folder):
    """The lesson changes, as after `git pull`."""
    (folder / "src" / f"{NAME}.py").write_text(NEWER, encoding="utf-8")


def edit(path, change):
    """What JupyterLab does: read, change, save in its own way."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(nbformat.writes(notebook, indent=2), encoding="utf-8")


def answer(notebook):
    (cell, *_) = [c for c in notebook.cells if "as_numbers" in c.source]
    cell.source = ANSWER


def run(notebook):
    cell = notebook.cells[2]
    cell.execution_count = 1
    cell.outputs = [nbformat.v4.new_output("stream", text="4\n")]


def forget(notebook):
    """As hosted notebooks do that know nothing of our metadata."""
    notebook.metadata.pop(edits.KEY)
    notebook.cells[-1].source += "\nmine = 4"


@pytest.mark.parametrize("change", [run, forget, lambda notebook: notebook.cells.pop()])
def test_what_one_worked_in_is_kept_beside_the_new_lesson(build, folder, capsys, change):
    path = folder / COPY
    edit(path, change)
    mine = path.read_bytes()
    newer(folder)
    assert not build.check(folder)
    told = capsys.readouterr().out
    assert f"Your saved work, not made from the present notebooks/src: {COPY}." in told
    build.write_notebooks(folder)
    kept = path.parent / "saved" / f"{NAME}-1.ipynb"
    assert kept.read_bytes() == mine
    assert f"which is now in {kept.relative_to(folder).as_posix()}" in capsys.readouterr().out
    assert "How large" in path.read_text(encoding="utf-8")
    assert build.check(folder)
    assert capsys.readouterr().out == ""


def test_no_kept_work_takes_the_place_of_another(build, folder):
    for number, text in ((1, NEWER), (2, SOURCE)):
        edit(folder / COPY, answer)
        (folder / "src" / f"{NAME}.py").write_text(text, encoding="utf-8")
        build.write_notebooks(folder)
        kept = folder / "saved" / f"{NAME}-{number}.ipynb"
        assert ANSWER in kept.read_text(encoding="utf-8")


def test_answers_to_the_present_lesson_stay_and_are_no_fault(build, folder, capsys):
    edit(folder / COPY, answer)
    mine = (folder / COPY).read_bytes()
    capsys.readouterr()
    assert build.check(folder)
    assert capsys.readouterr().out == (f"Your saved work, which is left as it is: {COPY}.\n")
    build.write_notebooks(folder)
    assert capsys.readouterr().out.startswith(f"left as it is: {COPY} has saved work in it")
    assert (folder / COPY).read_bytes() == mine
    assert not (folder / "saved").exists()


def test_a_lesson_that_nobody_worked_in_is_made_again(build, folder, capsys):
    def saved(notebook):  # opened in JupyterLab, which notes its Python and adds a cell
        notebook.metadata.language_info.version = "3.12.1"
        notebook.cells.append(nbformat.v4.new_code_cell())

    edit(folder / COPY, saved)
    capsys.readouterr()
    assert build.check(folder)
    assert capsys.readouterr().out == ""
    newer(folder)
    assert not build.check(folder)
    assert capsys.readouterr().out.startswith("Not in step with notebooks/src: ")
    build.write_notebooks(folder)
    assert "How large" in (folder / COPY).read_text(encoding="utf-8")
    assert not (folder / "saved").exists()


def test_a_notebook_that_a_merge_broke_is_kept(build, folder):
    path = folder / COPY
    broken = "<<<<<<< HEAD\n" + path.read_text(encoding="utf-8")
    path.write_text(broken, encoding="utf-8")
    build.write_notebooks(folder)
    assert build.out_of_step(folder) == []
    kept = folder / "saved" / f"{NAME}-1.ipynb"
    assert kept.read_text(encoding="utf-8") == broken


def test_notebooks_of_ones_own_are_no_fault(build, folder):
    for name in ("Untitled.ipynb", "exercises.ipynb"):
        nbformat.write(nbformat.v4.new_notebook(), folder / name)
    assert build.check(folder)


def test_a_course_keeps_what_the_lecturer_wrote(build, folder, capsys):
    course = folder / "course"
    build.write_course(course, folder)
    path = course / "source" / NAME / f"{NAME}.ipynb"
    edit(path, lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell("hidden()")))
    (course / ".gitignore").write_text("submitted/\n")
    newer(folder)
    capsys.readouterr()
    build.write_course(course, folder)
    assert "hidden()" in path.read_text(encoding="utf-8")
    assert (course / ".gitignore").read_text() == "submitted/\n"
    assert capsys.readouterr().out.startswith(f"left as it is: {path}, which was edited")
    path.unlink()
    build.write_course(course, folder)
    assert "How large" in path.read_text(encoding="utf-8")
