"""What of a copy is the student's: answers, checks, what functions did; nothing of the lesson's."""

import nbformat
import pytest
from handed_in import MINE, RIGHT, WORKED, copy_of, lesson, picture, printed
from small_lesson import graded

from ivdlib.course import answers, points

V4 = nbformat.v4


def test_answers_and_what_the_function_did():
    one, two = answers.answered(copy_of(lesson(MINE, "Because.", RIGHT, [printed(WORKED)])))
    assert (one.title, one.question) == ("Exercise 1", "Write `fuse`. Now.")
    assert [cell.source for cell in one.cells] == [MINE]
    kinds = [output.get("text") or "picture" for output in one.outcome]
    assert kinds == [RIGHT[1].text, WORKED, "Dice 0.9\n", "picture", "picture"]
    assert [cell.source for cell in two.cells] == ["Because."] and two.outcome == []
    assert [r.state for r in two.results] == ["to be marked by hand"]


def test_of_a_function_the_question_says_what_it_is_for():
    made = lesson()
    long = "Write `fuse`. " + "It adds, and so on. " * 20
    made.cells[2].source = f"## Exercise 1 (5 minutes)\n\n{long}"
    made.cells[9].source = f"## Exercise 2 (4 minutes)\n\n{long}Why?"
    asked = points.graded_exercises(made)
    copy = points.Copy("01_x", made, asked, points.results(made, asked=asked))
    one, two = answers.answered(copy)
    assert one.question == ("Write `fuse`. " + "It adds, and so on. " * 9).strip()
    assert two.question.endswith("Why?")


def test_of_many_pictures_the_first_two_are_shown():
    made = lesson(MINE, worked=[printed(WORKED), *[picture()] * 5, printed("end\n")])
    one = answers.answered(copy_of(made))[0]
    assert len([o for o in one.outcome if "data" in o]) == 2
    assert [o.text for o in one.outcome if "text" in o] == [WORKED, "end\n", "Dice 0.9\n"]


@pytest.mark.parametrize(
    "said", ["fuse has not passed its check yet, so the library's is used here.\n", ""]
)
def test_what_the_library_did_is_not_the_students(said):
    wrong = V4.new_output("error", ename="WrongAnswer", evalue="❌ no", traceback=["❌ no"])
    one, _ = answers.answered(copy_of(lesson(MINE, check=[wrong], worked=[printed(said)])))
    assert [output.get("evalue") for output in one.outcome] == ["❌ no"]


@pytest.mark.parametrize("count", [5, None])
def test_a_function_that_the_lesson_takes_works_as_soon_as_it_was_run(count):
    made = lesson(MINE, check=RIGHT)
    taking = "step = own.yours(fuse)"
    made.cells[7].update(source=taking, execution_count=count, outputs=[])
    copy = copy_of(made)
    copy = points.Copy("01_x", made, copy.asked, copy.results, given=copy.given | {taking})
    shown = [output for output in answers.answered(copy)[0].outcome if "data" in output]
    assert len(shown) == (2 if count else 1)


def test_of_what_is_not_answered_nothing_is_shown():
    none = V4.new_output("error", ename="W", evalue="❌ fuse is not a function (yet)", traceback=[])
    parts = answers.answered(copy_of(lesson(check=[none])))
    assert [part.cells + part.outcome for part in parts] == [[], []]
    assert [r.state for part in parts for r in part.results] == ["not answered"] * 2


def test_cells_of_ones_own_stand_with_their_exercise_or_last():
    made = lesson(MINE)
    tried, alone = V4.new_code_cell("print(fuse(1, 2))"), V4.new_code_cell("scratch()")
    note = V4.new_markdown_cell("I think so.")
    made.cells[4:4] = [tried, V4.new_code_cell("  ")]
    made.cells[-1:-1] = [note, V4.new_code_cell('model_answers.show("01", 2)')]
    made.cells.append(alone)
    one, two, rest = answers.answered(copy_of(made))
    assert [cell.source for cell in one.cells] == [MINE, tried.source]
    assert [cell.source for cell in two.cells] == [note.source]
    assert rest.title == "" and [cell.source for cell in rest.cells] == ["scratch()"]


def test_an_answer_that_lost_its_mark_is_found_in_its_place():
    made = lesson(MINE)
    made.cells[3].metadata = nbformat.from_dict({})
    assert [c.source for c in answers.answered(copy_of(made))[0].cells] == [MINE]
    made.cells[2].source = "## mine"
    made.cells[3].metadata = nbformat.from_dict(graded("e1_solution", solution=True))
    assert [c.source for c in answers.answered(copy_of(made))[0].cells] == [MINE]
