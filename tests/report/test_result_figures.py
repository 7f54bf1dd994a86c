"""Figures of a finished experiment."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ivdlib import files
from ivdlib.data.discs import LEVELS
from ivdlib.profiles import ARMS
from ivdlib.report import result_figures

TIMES = {"seconds_training": 1.0, "seconds_scoring": 1.0}


def disc_rows(levels):
    every = [
        {"target": "disc", "scope": scope, "network": network, "trained_on": "contrasts",
         "contrast": "t2", "subject": case[0], "case": case, "seed": 0, "fold": 1, "level": level,
         "dice": 0.8, "asd_mm": 1.0}
        for network in ("fds_cnn", "unet")
        for case in ("a1", "b1")
        for scope, level in (("volume", ""), *(("disc", level) for level in levels))
    ]  # fmt: skip
    return pd.DataFrame(every)


def test_what_there_is_is_drawn(tmp_path):
    curve = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5], "seconds": [1.0, 2.0]})
    for number in (1, 2):
        place = tmp_path / "trainings" / str(number)
        files.write_csv(place / "history.csv", curve)
        record = {"target": "disc", "network": "fds_cnn", "arm": "without"} | TIMES
        files.write_json(place / "record.json", record)
    files.write_csv(tmp_path / "metrics.csv", disc_rows(LEVELS))
    drawn = result_figures.write_figures(tmp_path)
    assert set(drawn) == set(result_figures.ALT)
    for path in drawn.values():
        picture = np.asarray(Image.open(path).convert("L"))
        assert min(picture.shape) > 200 and picture.std() > 5  # something is drawn


@pytest.mark.parametrize(("arms", "panels", "lines"), [(3, 1, [6]), (4, 2, [4, 4])])
def test_no_curve_is_left_out(tmp_path, monkeypatch, arms, panels, lines):
    """With more kinds of training than there are markers each network has a panel."""
    curve = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5], "seconds": [1.0, 2.0]})
    for number, network in enumerate(("fds_cnn", "unet")):
        for arm in list(ARMS)[:arms]:
            place = tmp_path / "trainings" / f"{number}{arm}"
            files.write_csv(place / "history.csv", curve)
            record = {"target": "disc", "network": network, "arm": arm} | TIMES
            files.write_json(place / "record.json", record)
    found = {}
    monkeypatch.setattr(result_figures.plotting, "save", lambda drawn, _: found.update(drawn))
    result_figures.write_figures(tmp_path)
    drawn = [axes for axes in found["learning_curves"].axes if axes.axison]
    assert len(drawn) == panels
    assert [len(axes.get_lines()) for axes in drawn] == lines


def test_nothing_is_drawn_of_nothing(tmp_path):
    files.write_csv(tmp_path / "metrics.csv", disc_rows([""]).assign(network="level atlas"))
    assert result_figures.write_figures(tmp_path) == {}


def test_levels_stand_in_their_order_whatever_that_of_the_rows():
    figure = result_figures.levels(disc_rows(LEVELS[::-1]))
    names = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert names == list(LEVELS)
    assert [line.get_label() for line in figure.axes[1].get_lines()] == ["FDS-CNN", "U-Net"]


def test_fused_contrasts_against_water():
    rng = np.random.default_rng(0)
    wat, fat = rng.uniform(50, 100, (3, 8, 9)), rng.uniform(0, 20, (3, 8, 9))
    ideal = {"wat": wat, "fat": fat, "inn": wat + fat, "opp": wat - fat}
    case = SimpleNamespace(contrasts=ideal, discs=wat > 60)
    figure = result_figures.against_water([case, case], ["fat+opp", "wat+inn", "inn+opp"])
    first, middle, last = figure.axes
    for axes, slope in ((first, 1), (last, 2)):
        points = axes.get_lines()[0].get_xydata()
        np.testing.assert_allclose(points[:, 1], slope * points[:, 0], rtol=1e-9)
        assert axes.get_legend().get_texts()[0].get_text() == f"{slope} × water"
    assert middle.get_legend() is None


def test_a_network_has_one_colour_in_every_figure(tmp_path, monkeypatch):
    """Names in their own order would give FDS-CNN another one beside other networks."""
    names = ("deeplabv3plus", "fds_cnn", "unet", "unet:equal_cost")
    curve = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5], "seconds": [1.0, 2.0]})
    for network in names:
        place = tmp_path / "trainings" / network.replace(":", "_")
        files.write_csv(place / "history.csv", curve)
        record = {"target": "disc", "network": network, "arm": "without"} | TIMES
        files.write_json(place / "record.json", record)
    one = disc_rows(LEVELS)
    rows = pd.concat([one[one["network"] == "unet"].assign(network=name) for name in names])
    files.write_csv(tmp_path / "metrics.csv", rows)
    found = {}
    monkeypatch.setattr(result_figures.plotting, "save", lambda drawn, _: found.update(drawn))
    result_figures.write_figures(tmp_path)
    colours = [
        {
            line.get_label().partition(", contrasts")[0]: line.get_color()
            for line in figure.axes[0].get_lines()
            if not line.get_label().startswith("_")
        }
        for figure in found.values()
    ]
    assert len(colours) == 3 and colours[0] == colours[1] == colours[2]
    assert set(colours[0]) == {"FDS-CNN", "U-Net", "DeepLabv3+", "U-Net, equal cost"}
