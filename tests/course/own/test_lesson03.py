"""What is no layer at all."""

import keras
import pytest

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x, f, r: x, "stops with|gives"),
        (lambda x, f, r: 5, "return the result of its last layer"),
        (lambda x, f, r: keras.layers.ReLU(), "return the result of its last layer"),
        (lambda x, f: x, "stops with TypeError"),
    ],
)
def test_what_is_no_layer_gets_a_sentence(function, told):
    with pytest.raises(WrongAnswer, match=told):
        own.check(function, name="separable")
