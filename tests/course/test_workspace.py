"""A student's own folder: filled once, never written over, unseen by git."""

import subprocess

import nbformat
import pytest
import scripts
from small_source import NAME, SOURCE

from ivdlib.course import workspace
from ivdlib.errors import CannotWrite, ConfigError

NEWER = SOURCE.replace("How many voxels has the mask?", "How large is the mask?")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one lesson."""
    root = tmp_path / "checkout"
    scripts.one_lesson(root, NAME, SOURCE)
    (root / "notebooks" / "glossary.md").write_text("**Dice**: overlap\n")
    monkeypatch.chdir(root)
    return root


def lesson(root, text):
    (root / "notebooks" / "src" / f"{NAME}.py").write_text(text, encoding="utf-8")


def answer(path):
    """What a student does: write an answer, save."""
    notebook = nbformat.read(path, as_version=4)
    next(c for c in notebook.cells if "YOUR CODE HERE" in c.source).source = "answer = 4  # mine"
    nbformat.write(notebook, path)
    return path.read_bytes()


def test_lessons_come_without_answers_and_git_leaves_them_alone(checkout):
    subprocess.run(["git", "init", "-q"], check=True)
    done = workspace.start()
    (path,) = done.made
    assert path == checkout / "my_lessons" / f"{NAME}.ipynb"
    text = path.read_text(encoding="utf-8")
    assert (path.parent / "glossary.md").read_text() == "**Dice**: overlap\n"
    assert "YOUR CODE HERE" in text and "BEGIN SOLUTION" not in text
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    assert "my_lessons" not in subprocess.run(status, capture_output=True, text=True).stdout


def test_nothing_is_written_over(checkout):
    (path,) = workspace.start().made
    mine = answer(path)
    done = workspace.start()
    assert (done.made, done.newer, done.kept) == ([], [], [path])
    lesson(checkout, NEWER)
    (newer,) = workspace.start().newer
    assert newer.name == f"{NAME}-new.ipynb" and "How large" in newer.read_text(encoding="utf-8")
    assert path.read_bytes() == mine
    assert workspace.start().kept == [newer]  # said once
    theirs = answer(newer)
    lesson(checkout, SOURCE.replace("How many voxels", "What number of voxels"))
    (third,) = workspace.start().newer
    assert third.name == f"{NAME}-new-2.ipynb"
    assert (path.read_bytes(), newer.read_bytes()) == (mine, theirs)


def test_a_lesson_that_nobody_worked_in_makes_room(checkout):
    (path,) = workspace.start().made
    lesson(checkout, NEWER)
    done = workspace.start()
    assert done.made == [path] and "How large" in path.read_text(encoding="utf-8")


def test_notes_in_the_glossary_stay(checkout):
    page = workspace.start().folder / "glossary.md"
    page.write_text("my notes")
    workspace.start()
    assert page.read_text() == "my notes"
    assert (page.parent / "glossary-new.md").read_text() == "**Dice**: overlap\n"


def test_what_is_no_notebook_any_more_stays(checkout):
    (path,) = workspace.start().made
    path.write_text("<<<<<<< HEAD\n")
    assert [p.name for p in workspace.start().newer] == [f"{NAME}-new.ipynb"]
    assert path.read_text() == "<<<<<<< HEAD\n"


def test_folders_that_will_not_do(checkout, tmp_path):
    for name in ("notebooks", "notebooks/mine"):
        with pytest.raises(ConfigError, match="belongs to ivdlib"):
            workspace.start(checkout / name)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        workspace.start(tmp_path / "file")
    with pytest.raises(CannotWrite):
        workspace.start(tmp_path / "file" / "inside")


def test_outside_a_checkout_the_lessons_come_with_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = workspace.start()
    assert done.folder == tmp_path / workspace.FOLDER
    assert [path.name for path in done.made][0] == "00_start_here.ipynb" and len(done.made) >= 8
    assert (done.folder / "glossary.md").is_file()
