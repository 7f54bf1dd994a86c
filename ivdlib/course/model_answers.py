"""Model answers of written exercises, to compare one's own with, and to mark oneself."""

from __future__ import annotations

from IPython.display import Markdown, display

from ivdlib.course import lesson_source, lesson_versions
from ivdlib.errors import ConfigError


def show(lesson: str | int, exercise: int, mine: float | None = None) -> None:
    """Show the model answer of a written exercise.

    Parameters
    ----------
    lesson : str or int
        Its number, such as ``"03"``.
    exercise : int
    mine : float, optional
        Points that you give yourself after reading it.

    Raises
    ------
    ConfigError
        If there is no such exercise, or more points are claimed than it is worth.
    """
    text, worth = model_answer(str(lesson), exercise)
    if mine is not None:
        if not 0 <= mine <= worth:
            raise ConfigError(f"exercise {exercise} is worth {worth} points, not {mine:g}.")
        print(f"You give yourself {mine:g} of {worth} points for exercise {exercise}.")
        return
    display(Markdown(text))
    print(
        f"You get each point in brackets if your answer says the same. How many of the {worth}? "
        f'Note them: model_answers.show("{lesson}", {exercise}, mine=…)'
    )


def model_answer(lesson: str, exercise: int) -> tuple[str, int]:
    """The text of a model answer, and the points of the exercise.

    Raises
    ------
    ConfigError
        If there is no such written exercise.
    """
    source = lesson_source.source_of(lesson.zfill(2) if lesson.isdigit() else lesson)
    if source is None:
        raise ConfigError(f"there is no lesson {lesson}; lessons have numbers such as 03.")
    cells = lesson_versions.cells_of(source)
    for index, part in lesson_source.exercises(cells, source.stem).items():
        if part.role == "written" and f"_exercise{exercise}_" in part.grade_id:
            _, inside, _, _ = lesson_source.split(cells[index].source, source.stem)
            return "\n".join(inside).strip(), part.points
    raise ConfigError(f"lesson {source.stem} has no written exercise {exercise}.")
