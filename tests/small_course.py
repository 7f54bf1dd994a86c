"""A lesson of three exercises as students hand it in."""

import nbformat
import pandas as pd
from bs4 import BeautifulSoup

from ivdlib.course import class_reports

V4 = nbformat.v4
ONE, TWO = "01_tiny", "02_small"


def cells(lesson=ONE, answers=(10, 20, 30), ran=True):
    """A lesson with an exercise an answer (right where it is 10 k), and a written one."""
    found = [V4.new_markdown_cell(f"# {lesson[:2]} · A lesson")]

    def marked(make, ident, source, points=None):
        graded = {"grade": points is not None, "solution": not ident.endswith("test"),
                  "locked": ident.endswith("test"), "grade_id": f"lesson{lesson[:2]}_{ident}",
                  "schema_version": 3, "task": False}  # fmt: skip
        graded |= {} if points is None else {"points": points}
        found.append(make(source, metadata={"nbgrader": graded}))
        return found[-1]

    for k, answer in enumerate(answers, start=1):
        found.append(V4.new_markdown_cell(f"## Exercise {k} (5 minutes)\n\nTask {k}."))
        marked(V4.new_code_cell, f"exercise{k}_solution", f"x{k} = {answer}")
        check = marked(V4.new_code_cell, f"exercise{k}_test", f"check(x{k}, {10 * k})", points=2)
        if ran:
            right = V4.new_output("stream", text="✅ right\n")
            wrong = V4.new_output("error", ename="WrongAnswer", evalue="❌ expected", traceback=[])
            check.update(execution_count=1, outputs=[right if answer == 10 * k else wrong])
    found.append(V4.new_markdown_cell("## Exercise 9 (5 minutes)\n\nWhy?"))
    marked(V4.new_markdown_cell, "exercise9_written", "Because." if ran else "", points=4)
    return found


def without(*words):
    return [c for c in cells() if not any(word in str(c.metadata) for word in words)]


def bare():
    """As a hosted notebook leaves it: no metadata."""
    found = cells()
    for cell in found:
        cell.metadata = nbformat.from_dict({})
    return found


class Course:
    """A course folder, filled step by step as nbgrader does."""

    def __init__(self, folder):
        self.folder = folder
        self.write("release", "", ONE, cells(ran=False))

    def write(self, step, student, lesson, content, name=""):
        path = self.folder / step / student / lesson / (name or f"{lesson}.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            nbformat.write(V4.new_notebook(cells=content), path)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def hand_in(self, student, content, lesson=ONE, graded=True):
        """Nothing is mended between handing in and grading: as without `add_missing_cells`."""
        self.write("submitted", student, lesson, content)
        if graded:
            self.write("autograded", student, lesson, content)

    def marks(self):
        made = class_reports.class_reports(self.folder)
        return made, pd.read_csv(made.table, index_col="student", dtype=str, keep_default_na=False)

    def row(self, student):
        """Columns of exercises, points, of, waiting."""
        return self.marks()[1].loc[student].tolist()[:-1]

    def page(self, student):
        text = (self.folder / "reports" / f"{student}.html").read_text(encoding="utf-8")
        return BeautifulSoup(text, "html.parser").get_text(" ")


WHOLE = ["2", "2", "2", "", "6", "10", "4"]
