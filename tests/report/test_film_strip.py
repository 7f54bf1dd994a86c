"""The film strip: which frames, what stands beside and below them, what is told."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ivdlib.report.film_strip import FRAMES, Frame, draw_film, picked, words_of


def make_frame(step, dice=0.5, shape=(20, 40)):
    truth = np.zeros(shape, bool)
    truth[5:10, 10:20] = True
    plane = np.random.default_rng(step).random(shape)
    masks = {"truth": truth, "found": np.roll(truth, step, axis=1)}
    return Frame(step, plane, masks, dice, (4.0, 1.25, 1.25))


@given(st.integers(1, 60))
def test_first_and_last_are_among_the_few_that_are_picked(count):
    frames = [make_frame(step) for step in range(count)]
    steps = [frame.step for frame in picked(frames)]
    assert steps[0] == 0 and steps[-1] == count - 1
    assert len(steps) == min(count, FRAMES) and steps == sorted(set(steps))


def test_each_strip_is_a_row_and_the_curves_hold_every_look():
    trains = [make_frame(step, step / 20) for step in range(0, 20, 2)]
    held_out = [make_frame(step, step / 40) for step in range(0, 20, 2)]
    figure = draw_film({"trains": trains, "held out": held_out}, {"loss": {0: 2.0, 19: 0.5}})
    slices = [axes for axes in figure.axes if axes.images]
    assert len(slices) == 2 * FRAMES
    assert [axes.get_title() for axes in slices[:2]] == ["step 0", "step 4"]
    assert slices[FRAMES - 1].get_xlabel() == "Dice 0.90"
    assert [axes.get_ylabel() for axes in (slices[0], slices[FRAMES])] == ["trains", "held out"]
    loss, dice = figure.axes[-2:]
    assert [len(line.get_xdata()) for line in loss.lines] == [2]
    assert [len(line.get_xdata()) for line in dice.lines] == [10, 10]
    assert len({line.get_marker() for line in dice.lines}) == 2
    (legend,) = figure.subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["truth", "found"]


def test_one_frame_is_a_film_too():
    figure = draw_film({"held out": [make_frame(0)]}, {"loss": {}})
    assert len([axes for axes in figure.axes if axes.images]) == 1


def test_words_tell_each_frame_that_is_drawn():
    told = words_of({"held out": [make_frame(step, step / 100) for step in range(0, 61, 5)]})
    assert told.startswith("Film strip, ") and "step 0: Dice 0.00" in told
    assert told.count("Dice") == FRAMES and "step 60: Dice 0.60." in told
