"""The learning-rate slider: each rate trains, from the same start, and its sentence fits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from widgets import controls, said

from ivdlib.course.viewer import rate_slider
from ivdlib.course.viewer.rate_slider import rate_of, verdict


@pytest.fixture(scope="module")
def explorer():
    """Bright blobs to be found; 8 steps are enough to tell rates apart."""
    rng = np.random.default_rng(0)
    truths = np.zeros((6, 32, 32), bool)
    for truth in truths:
        row, column = rng.integers(2, 18, 2)
        truth[row : row + 10, column : column + 10] = True
    tiles = np.float32(0.3 * rng.random(truths.shape) + 0.6 * truths)
    held_out = tiles[-1], truths[-1]
    return rate_slider.learning_rate(tiles[:-1], truths[:-1], held_out, (4.0, 1.25, 1.25), steps=8)


def slider(explorer):
    return controls(explorer)["learning rate"]


def test_the_rates_are_half_powers_of_ten(explorer):
    control = slider(explorer)
    assert (control.base, control.min, control.max, control.step) == (10, -4, 1, 0.5)
    assert not control.continuous_update  # a training for each pixel would be too many
    numbers = [rate_of(power) for power in np.arange(-4, 1.5, 0.5)]
    assert len(set(numbers)) == 11 and numbers[0] == "0.0001" and numbers[-1] == "10"


def test_each_rate_shows_another_film_curve_and_sentence(explorer):
    control, seen = slider(explorer), set()
    for power in (-4, -1.5, 1):
        control.value = 10.0**power
        seen.add((explorer.widget.children[1].value, said(explorer), explorer.alt))
        assert f"Learning rate {rate_of(power)}: " in said(explorer)
        assert f"Learning rate {rate_of(power)}: " in explorer.alt
    assert len(seen) == 3 and len({text for _, text, _ in seen}) == 3


def test_all_rates_start_from_the_same_weights_and_one_is_trained_once(explorer):
    control = slider(explorer)
    for power in (-3, -1):
        control.value = 10.0**power
    runs = explorer._runs
    assert runs[-3].losses[0] == runs[-1].losses[0] != runs[-1].losses[1]
    before = runs[-3]
    control.value = 10.0**-3
    assert explorer._runs[-3] is before and len(before.losses) == 8


def test_the_figure_has_the_lowest_rate_the_chosen_one_and_the_highest(explorer):
    slider(explorer).value = 10.0**-1.5
    assert list(explorer.verdicts()) == ["0.0001", "0.03", "10"]
    figure = explorer.figure()
    names = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel().startswith("rate")]
    assert names == ["rate 0.0001", "rate 0.03", "rate 10"]
    curves = next(axes for axes in figure.axes if axes.get_ylabel() == "training loss")
    assert [len(line.get_xdata()) for line in curves.lines] == [8, 8, 8]


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        (np.linspace(1.5, 1.42, 40), "too low"),
        (1.5 * 0.9 ** np.arange(40), "about right"),
        ([1.5, 1.2, 0.9, 0.7, 0.6, 0.55, 0.5, 0.4], "still falls"),
        ([1.5, *[1.93] * 39], "too high"),
        ([1.5, 1.84, *np.linspace(1.5, 0.8, 38)], "too high"),
        ([1.5, float("nan")], "too high"),
        ([1.5], "too low"),
    ],
)
def test_the_verdict_follows_from_the_curve(losses, word):
    assert word in verdict(list(losses))


def test_a_loss_that_stays_high_is_told_apart_by_how_sure_the_network_is():
    """A network that says "no disc" everywhere has a loss that may lie below the first one."""
    losses = [1.56, *[1.52] * 20]
    assert verdict(losses, sure=True).startswith("too high")
    assert verdict(losses, sure=False).startswith("too low")


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60), st.booleans())
def test_every_curve_gets_exactly_one_verdict(losses, sure):
    words = ("too high", "too low", "about right")
    assert sum(verdict(losses, sure).startswith(word) for word in words) == 1
