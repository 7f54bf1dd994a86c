import numpy as np
import pandas as pd
import pytest

from ivdlib.preprocessing.folds import patient_folds
from ivdlib.report import diagrams


@pytest.mark.parametrize(
    ("rates", "holes"),
    [
        ((1, 2, 5), 0),
        ((1, 2, 3), 0),
        ((2, 2, 2), 6),
        ((1, 2, 9), 4),
        ((3, 4, 5), 4),
        ((2, 4, 8), 14),
    ],
)
def test_holes_of_known_stacks(rates, holes):
    ways = diagrams.coverage(rates)
    assert len(ways) == 1 + 2 * sum(rates)
    assert ways.sum() == 3 ** len(rates)
    assert np.count_nonzero(ways == 0) == holes


def test_receptive_field_draws_holes_white():
    figure = diagrams.draw_receptive_field([(1, 1), (2, 2)])
    dense, chequered = (np.ma.filled(a.images[0].get_array(), np.nan) for a in figure.axes)
    assert not np.isnan(dense).any()
    assert np.isnan(chequered).sum() == 81 - 25
    assert "0 % holes" in figure.axes[0].get_title()


def test_receptive_fields_without_holes_say_nothing_of_them():
    titles = [axes.get_title() for axes in diagrams.draw_receptive_field([(1,), (1, 1)]).axes]
    assert titles == ["rates 1\n3 × 3 pixels", "rates 1, 1\n5 × 5 pixels"]


def test_learning_curve_has_a_named_line_for_each_training():
    history = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]})
    axes = diagrams.learning_curve({"one": history, "two": history / 2}).axes[0]
    assert [line.get_label() for line in axes.lines] == ["one", "two"]
    assert list(axes.lines[1].get_ydata()) == [0.5, 0.25]


def test_dice_by_patient_draws_every_scan_above_its_patient():
    rows = pd.DataFrame(
        {
            "network": ["a", "a", "a", "b", "b", "b"],
            "subject": ["10", "9", "9", "10", "9", "9"],
            "dice": [0.5, 0.6, 0.8, 0.1, 0.2, 0.4],
        }
    )
    axes = diagrams.dice_by_patient(rows).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["9", "10"]
    for line, name in zip(axes.lines, "ab", strict=True):
        mine = rows[rows["network"] == name]
        assert line.get_label() == name
        assert list(line.get_ydata()) == list(mine["dice"])
        assert np.array_equal(np.round(line.get_xdata()), mine["subject"].astype(int) - 9)


def test_fold_map_names_the_side_of_every_patient():
    folds = patient_folds({"a1": "a", "a2": "a", "b1": "b", "c1": "c"}, 3)
    axes = diagrams.fold_map(folds).axes[0]
    shown = np.array([text.get_text() for text in axes.texts]).reshape(3, 3)
    assert ((shown == "test").sum(axis=0) == 1).all()
    for fold, row in zip(folds, shown, strict=True):
        tested = {fold.subjects[case] for case in fold.test}
        assert [word == "test" for word in row] == [subject in tested for subject in "abc"]


def test_a_forest_shows_each_mean_with_its_interval():
    rows = pd.DataFrame({
        "claim": ["first", "first", "second"], "series": ["crops", "slabs", "crops"],
        "mean": [0.01, -0.02, 0.03], "low": [0.0, -0.05, 0.02], "high": [0.03, 0.01, 0.04],
    })  # fmt: skip
    figure = diagrams.forest(rows, "difference", ["slabs", "phantom", "crops"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["first", "", "second"]
    drawn = {}
    for group in axes.containers:
        dots, _, (lines,) = group
        for (x, y), segment in zip(dots.get_xydata(), lines.get_segments(), strict=True):
            drawn[y] = x, *segment[:, 0]
            assert dots.get_color() == diagrams.MARKERS[0 if x < 0 else 2][0]
    top_down = [drawn[height] for height in (3, 2, 1)]
    np.testing.assert_allclose(top_down, rows[["mean", "low", "high"]])
