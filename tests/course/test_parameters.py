"""Parameters of a lesson: read, brought to their types, refused."""

import pytest
from written_lesson import write_notebook

from ivdlib.course.parameters import checked_values, parameters_of
from ivdlib.errors import ConfigError


def test_parameters_are_read_with_types_and_defaults(short_lesson):
    assert [str(p) for p in parameters_of(short_lesson).values()] == [
        "profile: str = 'smoke'",
        "seeds: int = 0",
        "rate: float = 0.5",
        "quick: bool = False",
        "plain: int = 3",
    ]


def test_parameters_that_are_computed_are_refused(tmp_path):
    path = write_notebook(tmp_path / "01_x.ipynb", parameters="a: int = 1\nb: int = 2 * a")
    with pytest.raises(ConfigError, match="01_x.ipynb cannot be read"):
        parameters_of(path)


def test_values_are_brought_to_their_types(short_lesson):
    given = {"profile": "3", "seeds": "3", "rate": 2, "quick": "True", "plain": 4}
    wanted = {"profile": "3", "seeds": 3, "rate": 2.0, "quick": True, "plain": 4}
    found = checked_values(short_lesson, given)
    assert found == wanted
    assert {k: type(v) for k, v in found.items()} == {k: type(v) for k, v in wanted.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [("seeds", "three"), ("seeds", "1.0"), ("seeds", 3.0), ("seeds", True), ("rate", "fast"),
     ("rate", True), ("quick", 1), ("quick", "yes"), ("profile", 3), ("plain", None)],
)  # fmt: skip
def test_values_of_a_wrong_type_are_refused(short_lesson, name, value):
    with pytest.raises(ConfigError, match=f"parameter {name} of 01_lesson is of type"):
        checked_values(short_lesson, {name: value})
