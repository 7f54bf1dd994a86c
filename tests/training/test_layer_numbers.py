"""Numbers of one layer of a weights file."""

import numpy as np
import pytest

from ivdlib.training.layer_numbers import LayerNumbers

NUMBERS = {
    "layers/norm/vars/0": np.array([2.0, 1.0]),
    "layers/norm/vars/1": np.array([0.5, 0.0]),
    "layers/norm/vars/2": np.array([1.0, -1.0]),
    "layers/norm/vars/3": np.array([3.0, 0.0], np.float16),
    "layers/pair/first/vars/0": np.array([7.0]),
}


def test_arrays_are_found_by_layer_part_and_number():
    assert LayerNumbers(NUMBERS, "layers/pair")(0, "first") == 7
    assert LayerNumbers(NUMBERS, "layers/norm")(3).dtype == np.float32
    with pytest.raises(KeyError):
        LayerNumbers(NUMBERS, "layers/norm")(4)


def test_a_normalisation_is_a_factor_and_a_summand():
    factor, summand = LayerNumbers(NUMBERS, "layers/norm").normalisation(1.0)
    x = np.array([[4.0, -2.0]])
    by_hand = [[2 * (4 - 1) / np.sqrt(3 + 1) + 0.5, (-2 + 1) / np.sqrt(0 + 1)]]
    assert x * factor + summand == pytest.approx(np.array(by_hand))
