"""The playground shows what a network answers, and moves at once."""

import re
from dataclasses import replace

import numpy as np
import pytest
from widgets import controls, make_case, pixels, said

from ivdlib.course import viewer
from ivdlib.errors import DataError, DataWarning
from ivdlib.evaluation import metrics
from ivdlib.training import engines, one_scan, shipped, spine_of_scan


@pytest.fixture(scope="module")
def whole(scan):
    """The mask of `predict` from wat+opp, specks and all."""
    network = engines.load_network(shipped.find(), "openvino")
    spine, _ = spine_of_scan.spine_beside(network, shipped.find(), engine="openvino")
    return one_scan.predict_case(network, scan, spine=spine, contrast="wat+opp", specks=0)


def numbers(shown) -> list[float]:
    """Dice, millilitres found, millilitres of the truth."""
    return [float(n) for n in re.findall(r"\d+\.\d+", said(shown).partition("disc.")[0])]


@pytest.mark.slow
def test_at_the_start_the_mask_is_that_of_predict(scan, whole):
    shown = viewer.network_playground(scan)
    k = controls(shown)["sagittal slice"].value
    assert np.array_equal(shown._masks["found"], whole[k])
    voxel = np.prod(scan.spacing) / 1000
    assert numbers(shown) == pytest.approx(
        [metrics.dice(whole[k], scan.discs[k]), whole[k].sum() * voxel,
         scan.discs[k].sum() * voxel], abs=0.006
    )  # fmt: skip
    assert numbers(shown)[0] > 0.7
    controls(shown)["sagittal slice"].value = 1 - k
    assert np.array_equal(shown._masks["found"], whole[1 - k])


def test_a_higher_threshold_leaves_less(scan):
    shown = viewer.network_playground(scan)
    found = []
    for value in (0.05, 0.5, 0.95):
        controls(shown)["threshold"].value = value
        found.append(numbers(shown)[1])
    assert found[0] > found[1] > found[2] > 0


def test_a_lesion_is_told_from_a_network_trained_without(scan):
    shown = viewer.network_playground(scan)
    control = controls(shown)
    before = pixels(shown)
    control["lesion"].value = "skips"
    assert "what the skips bring is set to zero" in said(shown)
    assert "This is no ablation: the rest never learnt to do without the part." in said(shown)
    assert not np.array_equal(pixels(shown), before)
    cut = numbers(shown)[0]
    control["trained network"].value = "no_skips"
    assert control["lesion"].value == "" and "lesion" not in said(shown).lower()
    assert [value for _, value in control["lesion"].options] == ["", "dilation", "pyramid"]
    assert "trained without skips saw 1 × water + 1 × opposed phase" in said(shown)
    assert numbers(shown)[0] > cut + 0.1
    control["trained network"].value = "fds_cnn"
    assert np.array_equal(pixels(shown), before)


def test_noise_and_exchange_change_what_is_seen(scan):
    shown = viewer.network_playground(scan)
    control = controls(shown)
    clean = pixels(shown)
    control["noise"].value = 0.2
    assert "noise 0.20 of the largest value" in said(shown)
    assert (
        np.abs(np.diff(pixels(shown)[:, :400].astype(int), axis=0)).mean()
        > 2 * np.abs(np.diff(clean[:, :400].astype(int), axis=0)).mean()
    )
    control["noise"].value = 0
    control["water and fat exchanged"].value = True
    exchanged = pixels(shown)
    assert "water and fat exchanged" in shown.alt
    control["water and fat exchanged"].value = False
    control["fat+opp"].click()
    assert np.array_equal(pixels(shown), exchanged)


def test_it_takes_scans_without_truth_or_fat():
    with pytest.warns(DataWarning, match="pixels of 2.5 x 2 mm are brought to"):
        shown = viewer.network_playground(make_case(("wat", "opp"), labels=False))
    assert "nobody has marked the truth" in said(shown) and "truth in orange" not in shown.alt
    assert "water and fat exchanged" not in controls(shown)
    assert "fat" not in controls(shown)


def test_it_says_why_there_is_no_answer():
    with pytest.warns(DataWarning):
        shown = viewer.network_playground(make_case())
    for name in ("water", "opposed phase"):
        controls(shown)[name].value = 0
    assert "constant" in said(shown) and "saw" not in said(shown)
    assert pixels(shown)[:, 412:].max() == 0
    controls(shown)["fat"].value = 1
    assert "constant" not in said(shown)


def test_a_case_without_contrasts_is_refused():
    with pytest.raises(DataError, match="has no contrasts"):
        viewer.network_playground(replace(make_case(), contrasts={}))
