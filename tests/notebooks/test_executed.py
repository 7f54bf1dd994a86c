"""Which lessons have results of their present version."""

import nbformat
from bindery import executed
from nbformat.v4 import new_code_cell


def written(path, *cells):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


def test_an_executed_lesson_is_in_step_until_the_lesson_changes(tmp_path):
    lesson = written(tmp_path / "01_a.ipynb", new_code_cell("n = 1"))
    set_to = new_code_cell("n = 2", metadata={"tags": ["injected-parameters"]})
    done = written(tmp_path / "done" / "01_a.ipynb", new_code_cell("n = 1"), set_to)
    assert executed.is_in_step(done, lesson)
    for cell in (new_code_cell("n = 3"), new_code_cell("n = 1", metadata={"tags": ["card"]})):
        written(lesson, cell)
        assert not executed.is_in_step(done, lesson)
    assert not executed.is_in_step(tmp_path / "none.ipynb", lesson)


def test_the_plain_lesson_has_to_do_without_results(tmp_path):
    assert set(executed.chosen(tmp_path).values()) == {False}
    (name, *_) = [path.name for path in executed.chosen(tmp_path)]
    plain = executed.ROOT / "notebooks" / name
    (tmp_path / name).write_bytes(plain.read_bytes())
    found = executed.chosen(tmp_path)
    assert found[tmp_path / name] and plain not in found


def test_only_lessons_without_results_are_run(tmp_path, monkeypatch):
    done = tmp_path / "reports" / "smoke" / "notebooks"
    done.mkdir(parents=True)
    monkeypatch.setattr(executed, "EXECUTED", done)
    first, *rest = executed.chosen(done)
    (done / first.name).write_bytes(first.read_bytes())
    called = []
    monkeypatch.setattr(executed.lessons, "lesson", lambda *words: called.append(words))
    executed.run_missing()
    assert called == [(path.stem, {"reports_dir": str(tmp_path / "reports")}) for path in rest]
