"""How nbgrader puts back the checks that a student's copy lost; part of a course's configuration.

nbgrader's own way (`OverwriteCells.add_missing_cells`) stops, and leaves the student without any
grade, where the answer of the exercise is gone too, or a cell is there twice (nbgrader 0.9.6).
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode


def preprocessors() -> list[type]:
    """What ``c.Autograde.sanitize_preprocessors`` is to be; imports nbgrader."""
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import OverwriteCells

    class PutBack(OverwriteCells):
        """As its parent, whatever else of the copy is missing."""

        def add_missing_grade_cells(
            self, nb: NotebookNode, resources: dict[str, Any]
        ) -> tuple[NotebookNode, dict[str, Any]]:
            """Put each missing check before what follows it in the lesson, else at the end.

            So it runs after whatever the student wrote in the place of the answer.
            """
            for cell in nb.cells:  # the first of two, and cells of another lesson
                if not cell.metadata.get("nbgrader", {}).get("grade_id"):
                    cell.metadata.pop("nbgrader", None)
            lesson = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
            graded = {cell.name: cell.max_score for cell in lesson.grade_cells}
            written = {cell.name for cell in lesson.solution_cells}
            later: set[str] = set()
            for cell in reversed(lesson.source_cells):
                names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in nb.cells]
                if cell.name in graded and cell.name not in names:
                    self.log.warning("The cell %s was missing and is put back", cell.name)
                    made = self.missing_cell_transform(
                        cell, graded[cell.name], is_solution=cell.name in written
                    )
                    place = (n for n, name in enumerate(names) if name in later)
                    nb.cells.insert(next(place, len(names)), made)
                later.add(cell.name)
            return nb, resources

    usual = Autograde().sanitize_preprocessors
    return [PutBack if one is OverwriteCells else one for one in usual]
