"""A lesson with a function and a written answer, as a student hands it in."""

import nbformat
from report_folder import PNG
from small_lesson import graded

from ivdlib.course import points

V4 = nbformat.v4
STUB = 'def fuse(a, b):\n    """Add."""\n    value = None\n    # YOUR CODE HERE\n    return value'
MINE = 'def fuse(a, b):\n    """Add."""\n    return a + b'


def printed(text):
    return V4.new_output("stream", text=text)


def picture(**more):
    return V4.new_output("display_data", {"image/png": PNG, "text/plain": "a picture", **more})


def lesson(answer=STUB, written="*Your answer here.*", check=(), worked=()):
    """A lesson with a function and a written answer, and the cells in which the function works."""
    heads = {"grade": False, "locked": True}
    found = [
        V4.new_markdown_cell("# 01 · Fuse"),
        V4.new_code_cell("import ivdlib", outputs=[picture()]),
        V4.new_markdown_cell("## Exercise 1 (5 minutes)\n\nWrite `fuse`.\nNow.\n\nHint: add."),
        V4.new_code_cell(answer, metadata=graded("e1_solution", solution=True)),
        V4.new_code_cell("own.check(fuse)", metadata=graded("e1_test", 4) | heads,
                         execution_count=2, outputs=list(check)),
        V4.new_markdown_cell("### Your function at work"),
        V4.new_code_cell("show(before)", outputs=[picture()]),
        V4.new_code_cell("with own.plugged(fuse):\n    run()", outputs=list(worked)),
        V4.new_code_cell("show(after)", execution_count=5, outputs=[
            V4.new_output("display_data", {"text/html": "<table></table>", "text/plain": "t"}),
            picture(**{"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}), picture(),
            printed("Dice 0.9\n")]),
        V4.new_markdown_cell("## Exercise 2 (4 minutes)\n\nWhy?"),
        V4.new_markdown_cell(written, metadata=graded("e2_written", 3, solution=True)),
        V4.new_code_cell("# model_answers.show(1, 2)"),
        V4.new_markdown_cell("## What we have done\n\nMuch."),
    ]  # fmt: skip
    return V4.new_notebook(cells=found)


def copy_of(made):
    asked = points.graded_exercises(lesson())
    found = points.results(made, asked=asked)
    return points.Copy("01_x", made, asked, found, given=points.given(lesson()))


WORKED = "Your fuse worked 3 times in the place of the library's.\n"
RIGHT = [picture(), printed("✅ fuse is right on 5 inputs\n")]
