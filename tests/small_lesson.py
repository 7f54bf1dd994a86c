"""Cells that nbgrader marks, and their sheet."""

from ivdlib.course import sheet


def graded(ident, points=0, *, solution=False):
    marks = {"grade": points > 0, "solution": solution, "grade_id": ident, "points": points}
    return {"nbgrader": {**marks, "schema_version": 3, "locked": not solution}}


def sheet_of(wish, author, out):
    name, made, _ = sheet.unanswered(str(wish))
    return sheet.sheet(name, made, author, out)
