"""The board on which one draws: its two halves know the same things."""

from pathlib import Path

from ivdlib.course.viewer import board
from ivdlib.course.viewer.picture import COLOURS

SCRIPT = Path(board.__file__).with_suffix(".js").read_text(encoding="utf-8")


def test_the_browser_is_told_what_it_asks_for():
    shared = board.Board().get_state()
    for name in ("picture", "window", "contour", "chosen", "colour"):
        assert name in shared and f'"{name}"' in SCRIPT, name
    assert shared["colour"] == COLOURS["drawing"][1]


def test_what_the_reader_draws_arrives():
    made, heard = board.Board(), []
    made.observe(lambda change: heard.append(change["name"]), ["contour", "chosen"])
    made.set_state({"contour": [[0, 1], [2, 1], [1, 3]], "chosen": 2})
    assert made.contour == [[0, 1], [2, 1], [1, 3]] and sorted(heard) == ["chosen", "contour"]


def test_the_script_asks_no_server():
    assert "http" not in SCRIPT.replace("http://www.w3.org/2000/svg", "")
    assert "fetch(" not in SCRIPT and "import" not in SCRIPT
