"""Points and states of a graded notebook."""

import nbformat

from ivdlib.course import points


def results(made, book=None):
    """Of a copy that is all there is of its lesson."""
    return points.results(made, book, asked=points.graded_exercises(made))


def test_results_say_points_and_state(notebook):
    found = results(nbformat.read(notebook, as_version=4))
    assert [(r.points, r.most, r.state) for r in found] == [
        (2, 2, "check passed"),
        (0, 2, "check failed"),
        (0, 2, "not answered"),
        (None, 3, "to be marked by hand"),
    ]
    assert [r.title for r in found] == [f"Exercise {k} (5 minutes)" for k in (1, 2, 3, 4)]


def test_nbgraders_points_go_before_those_of_the_checks(notebook):
    made = nbformat.read(notebook, as_version=4)
    found = results(made, {"t1": 1.5, "t2": 0.0, "w4": 2.0})
    assert [r.points for r in found] == [1.5, 0, 0, 2]
    assert results(made, {"w4": None})[3].points is None


def test_a_copy_that_never_ran_and_an_empty_answer(notebook):
    made = nbformat.read(notebook, as_version=4)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "w4":
            cell.source = "*Your answer here.*"
    found = results(made)
    assert [r.state for r in found] == ["not run", "not run", "not run", "not answered"]
    assert sum(r.points for r in found) == 0


def test_a_function_that_is_not_written_is_not_answered(notebook):
    made = nbformat.read(notebook, as_version=4)
    for cell in made.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.evalue = "❌ dice is not a function (yet): write it with def."
    assert [r.state for r in results(made)][1:3] == ["not answered", "not answered"]
