"""What the shipped weights are trained on, and how they are judged."""

import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ivdlib.options import TrainingOptions
from ivdlib.profiles import PROFILES

FOLDER = Path(__file__).parents[1] / "benchmarks" / "weights"
RECIPE = tomllib.loads((FOLDER / "recipe.toml").read_text(encoding="utf-8"))


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import judge
    import make
    import material

    yield material, make, judge
    for name in ("judge", "make", "material"):
        sys.modules.pop(name, None)


@pytest.fixture
def scan(modules):
    """Discs are bright on one contrast, so a truth that lies elsewhere is seen."""
    material = modules[0]
    discs = np.zeros((4, 120, 140), bool)
    discs[1:3, 40:70, 20:30] = discs[1:3, 40:70, 80:90] = True
    spine = np.zeros_like(discs)
    spine[:, 35:75, 5:130] = True
    rng = np.random.default_rng(0)
    wat = 100 + 400 * discs + rng.integers(0, 50, discs.shape)
    contrasts = {"wat": wat, "fat": 20 + wat // 3, "inn": wat + 50, "opp": 30 + wat // 2}
    return material.Scan("001", contrasts, discs, spine, (2.0, 1.25, 1.25))


def test_truth_lies_where_the_image_shows_it(modules, scan):
    material = modules[0]
    images = list(material.disc_images([scan], seed=1))
    assert len(images) >= 12
    whole = 0
    for item in images:
        assert item.image.dtype == np.float16 and 0 <= item.image.min() <= item.image.max() <= 1
        assert item.image.shape == item.truth.shape
        if item.truth.any():
            assert item.image[item.truth].mean() > item.image[~item.truth].mean() + 0.1
        whole += (item.image > 0).mean() > 0.9
    assert 0 < whole < len(images)  # some are shown without a region
    again = list(material.disc_images([scan], seed=1))
    for first, second in zip(images, again, strict=True):
        np.testing.assert_array_equal(first.image, second.image)


def test_spine_images_are_whole_shrunken_slices(modules, scan):
    material = modules[0]
    for item in material.spine_images([scan], 2, seed=1):
        assert item.image.shape == item.truth.shape and item.window == (0, item.image.shape[1])
        assert item.image.shape[1] <= 60 and item.truth.any()


def test_the_recipe_can_be_followed(modules):
    make = modules[1]
    for name in RECIPE["networks"]:
        what = make.how(RECIPE, name)
        assert TrainingOptions(**what["training"]).steps > PROFILES["laptop"].training.steps
    spider = RECIPE["spider"]
    assert len(spider["kept_out"]) >= 6 and not {*spider["inner"]} & {*spider["kept_out"]}


def test_slabs_are_drawn_as_often_as_the_recipe_says(modules, scan, monkeypatch):
    material, make, _ = modules
    phantom, slab = [scan] * 10, [material.Scan("s", {"t2": scan.contrasts["wat"]}, scan.discs,
                                                scan.spine, scan.spacing)]  # fmt: skip
    what = make.how(RECIPE, "fds_cnn")
    images = make.drawn(what, {"phantom": phantom, "spider": slab}, spine=False)
    alone = make.drawn(what, {"phantom": phantom, "spider": []}, spine=False)
    share = 1 - len(alone) / len(images)
    assert abs(share - what["spider"]["share"]) < 0.1


def test_the_summary_holds_every_goal(modules):
    judge = modules[2]
    gap = {"scan": ["a", "a", "b"], "pieces": [1, 2, 1], "fill": [0.9, 0.3, 0.8],
           "offset": [0.1, 0.0, 0.2], "bone": [0.0, 0.0, 0.02], "below": [True, True, False],
           "astray": [0, 0, 1], "specks": [2, 2, 0]}  # fmt: skip
    found = judge.summary({"munich_wat": pd.DataFrame(gap)}).set_index("what")["value"]
    assert found["gaps with one piece"] == pytest.approx(2 / 3)
    assert found["deep in bone"] == pytest.approx(0.01)  # by scan, not by gap
    assert found["scans with a disc below"] == 0.5 and found["specks a scan"] == 1


def test_crops_show_a_disc_and_no_region_is_cut_out_of_them(modules, scan):
    material = modules[0]
    for item in [*material.disc_images([scan], seed=1)][-material.CROPS :]:
        for side, (least, most) in zip(item.image.shape[1:], material.CROP, strict=True):
            assert least <= side < most
        assert item.truth.any() and (item.image > 0).mean() > 0.9
        assert (item.image.min(), item.image.max()) == (0, 1)


def test_changes_change_image_and_truth_alike(modules, monkeypatch):
    import stress

    shape = (20, 60, 80)
    truth = np.zeros(shape, np.float32)
    truth[4:16, 20:40, 10:70] = 1
    for name, (change, spacing) in stress.changes(shape).items():
        found = change({"wat": 100 * truth, "truth": truth})
        np.testing.assert_allclose(found["wat"], 100 * found["truth"], atol=1e-3, err_msg=name)
        whole = np.prod(modules[0].SPACING) * truth.sum()
        kept = np.prod(spacing) * found["truth"].sum() / whole
        low = 0.05 if "slice" in name else 0.4  # single slices, halves of the field
        assert low < kept < 1.05, name
        if not any(word in name for word in ("1 slice", "3 slices", "half", "deep")):
            assert kept > 0.95, name
        if "twice" not in name:
            sides = np.multiply(found["truth"].shape, spacing)
            assert (sides <= 1.02 * np.multiply(shape, modules[0].SPACING)).all(), name
    sys.modules.pop("stress")
