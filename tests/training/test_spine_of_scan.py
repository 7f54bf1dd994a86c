"""The spine stage where networks are applied: what is said and refused."""

import warnings

import numpy as np
import pytest
from predicting import predict, with_passport

from ivdlib.errors import DataWarning, NothingFound
from ivdlib.training import inference

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


def test_a_spine_network_that_finds_nothing_is_said_with_a_status(
    tmp_path, silent, write_case, monkeypatch
):
    write_case(tmp_path / "in", "01")
    monkeypatch.setattr(inference, "THRESHOLD", -1.0)  # a mask that is not empty
    monkeypatch.setattr(inference, "predict_spine", lambda *_: np.zeros((6, 24, 28), bool))
    weights = silent / "disc" / "model.weights.h5"
    with pytest.warns(NothingFound, match="the spine network found nothing") as told:
        assert predict(tmp_path / "in", "--weights", weights, "--out", tmp_path / "out") == 3
    assert sum(w.category is NothingFound for w in told) == 1


@pytest.mark.parametrize(
    ("rows", "deep", "told"),
    [
        (0, 20, "nothing looks like one"),
        (9, 20, "11 mm high"),
        (28, 9, "35 mm high and 11 mm from front to back"),
    ],
)
def test_a_network_that_knows_spines_refuses_a_scan_without_one(
    tmp_path, tiny_experiment, write_case, monkeypatch, rows, deep, told, capsys
):
    weights = with_passport(tiny_experiment, tmp_path, least_spine=60.0)
    write_case(tmp_path / "in", "01")
    mask = np.zeros((6, 24, 28), bool)
    mask[:, 2 : 2 + deep, :rows] = True
    monkeypatch.setattr(inference, "predict_spine", lambda *_: mask)
    words = ("--weights", weights, "--out", tmp_path / "out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert predict(tmp_path / "in", *words) == 1
    err = capsys.readouterr().err
    assert "case 01: no spine was found" in err and told in err and "--no-region" in err
    assert not list((tmp_path / "out").glob("*.nii.gz"))
