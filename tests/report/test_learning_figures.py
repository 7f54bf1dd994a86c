"""Drawings of lesson 01b show the numbers that they were given."""

import numpy as np

from ivdlib.report import learning_figures


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_the_chain_has_a_box_a_value_and_a_factor_a_link():
    axes = learning_figures.chain({"weight": 0.5, "sum": -1.1, "loss": 1.387}, [0.6, -4]).axes[0]
    assert {"weight\n0.500", "sum\n-1.100", "loss\n1.387", "× 0.600", "× -4.000"} < set(words(axes))


def test_kernels_are_drawn_as_slices_are():
    table = np.arange(9.0).reshape(3, 3)  # (AP, SI): superior is the last column
    axes = learning_figures.kernels({"k": table}).axes[0]
    assert words(axes)[:3] == ["8.00", "5.00", "2.00"]


def test_a_border_is_where_the_chance_is():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 2))
    weights = np.array([0.5, 1.0, -2.0])
    axes = learning_figures.borders(points, points[:, 0] > 0, "ab", {"end": weights}, 0.2).axes[0]
    (line,) = [line for line in axes.lines if line.get_label() == "end"]
    sums = weights[0] + weights[1] * line.get_xdata() + weights[2] * line.get_ydata()
    assert np.allclose(1 / (1 + np.exp(-sums)), 0.2)


def test_a_step_goes_down_the_slope():
    axes = learning_figures.step_downhill(lambda w: w**2, 2.0, 4.0, 0.25, "weight").axes[0]
    after = next(line for line in axes.lines if line.get_label() == "after the step")
    assert (after.get_xdata()[0], after.get_ydata()[0]) == (1.0, 1.0)


def test_curves_and_histograms_have_names():
    rng = np.random.default_rng(0)
    axes = learning_figures.losses({"one": [1.0, 0.5], "two": [1.0, 0.2]}).axes[0]
    assert [line.get_label() for line in axes.lines] == ["one", "two"]
    figure = learning_figures.grey_values({n: (rng.random(50), rng.random(90)) for n in "ab"})
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert len(learning_figures.sigmoid_and_loss().axes) == 2
