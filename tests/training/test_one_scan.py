"""One scan: what is averaged, and what is refused."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from predicting import predict, with_passport

from ivdlib.data.cases import load_case
from ivdlib.errors import DataWarning, NothingFound
from ivdlib.preprocessing.region import Region
from ivdlib.training import inference, one_scan
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


@pytest.fixture
def case(tmp_path, write_case):
    return load_case(write_case(tmp_path / "in", "01"))


@pytest.fixture
def network(tiny_experiment):
    return load_model(tiny_experiment / "disc" / "model.weights.h5")


@pytest.fixture
def answer(monkeypatch):
    """Let networks answer with what is given, as often as they are asked."""

    def give(*probabilities):
        answers = iter([np.float32(p) for p in probabilities])
        monkeypatch.setattr(inference, "predict_images", lambda *_: {"wat": next(answers)})

    return give


def test_a_mask_of_specks_is_said_too(case, network, monkeypatch, answer):
    monkeypatch.setattr(one_scan, "LEAST_ML", 1.0)
    for voxels, told in ((5, "the mask holds 0.02 ml, less than any disc"), (400, "")):
        found = np.zeros(case.shape, np.float32)
        found.flat[:voxels] = 0.9
        answer(found)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            one_scan.predict_case(network, case)
        texts = [str(w.message) for w in seen if w.category is NothingFound]
        assert [told in text for text in texts] == ([True] if told else [])


def test_networks_that_are_known_to_find_discs_write_no_mask_of_specks(
    tmp_path, case, tiny_experiment, monkeypatch, answer, capsys
):
    weights = with_passport(tiny_experiment, tmp_path, least_spine=60.0)
    monkeypatch.setattr(one_scan, "LEAST_ML", 1.0)
    monkeypatch.setattr(inference, "predict_spine", lambda *_: np.ones(case.shape, bool))
    answer(np.zeros(case.shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert predict(tmp_path / "in", "--weights", weights, "--out", tmp_path / "out") == 1
    assert "case 01: no disc was found, the mask is empty" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_specks_are_left_out_if_the_passport_or_somebody_says_so(case, network, answer):
    found = np.zeros(case.shape, np.float32)
    found[1:4, 4:12, 4:12] = 0.9  # 192 voxels
    found[1, 4:7, 20:24] = found[0, 20, 20] = 0.9  # 12, and 1
    for known, asked, kept in ((0.0, None, 205), (0.05, None, 204), (0.15, None, 192),
                               (0.15, 0.0, 205), (0.0, 0.1, 192)):  # fmt: skip
        network.passport["specks"] = known
        answer(found)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            mask = one_scan.predict_case(network, case, specks=asked)
        assert mask.sum() == kept
        said = [w for w in told if "specks were left out" in str(w.message)]
        assert len(said) == (kept < 205)


def test_a_share_of_specks_is_a_share(tmp_path, tiny_experiment, case, capsys):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    assert predict(tmp_path / "in", "--weights", weights, "--specks", 15) == 1
    assert "specks is a share from 0 to 1, not 15.0" in capsys.readouterr().err


def test_of_several_networks_the_mean_is_cut(case, network, answer):
    first, second = np.random.default_rng(0).random((2, *case.shape))
    answer(first, second)
    found = one_scan.predict_case(network, case, others=[(network, None)])
    np.testing.assert_array_equal(found, np.float32(first) + np.float32(second) >= 1)
    assert (found != (first >= 0.5)).any()


def test_several_weights_are_one_mask_of_all_of_them(tmp_path, case, tiny_experiment):
    weights = tiny_experiment / "disc" / "model.weights.h5"
    other = with_passport(tiny_experiment, tmp_path, source="somewhere else")
    words = [word for path in (weights, other, weights) for word in ("--weights", path)]
    assert predict(*words, tmp_path / "in", "--out", tmp_path / "out") == 0
    made = (tmp_path / "out" / "01_Discs.json").read_text()
    assert made.count("spine_weights") == 1 and "mirror" in made
    both = [load_model(path) for path in (weights, other)]
    assert both[0].passport != both[1].passport


def test_a_mirrored_scan_is_seen_upside_down_and_turned_back(case, network, monkeypatch):
    seen = []

    def itself(_, images, region):
        seen.append(region)
        return images

    monkeypatch.setattr(inference, "predict_images", itself)
    plain = one_scan.predict_case(network, case, contrast="wat")
    mirrored = one_scan.predict_case(network, case, contrast="wat", mirror=True)
    np.testing.assert_array_equal(plain, mirrored)
    mask = np.random.default_rng(1).random(case.shape) > 0.5
    region = Region(mask, (3, 9))
    turned = region.upside_down()
    np.testing.assert_array_equal(turned.mask, mask[:, :, ::-1])
    assert turned.window == (3, 9) and Region(None, (0, 5)).upside_down() == Region(None, (0, 5))
    assert len(seen) == 3


def test_a_small_field_is_no_crop_for_networks_that_are_known_to_find_spines(case, network):
    """Crops about a disc show no spine; other parts of the body may fit a tile, too."""
    spine = replace(network, passport=network.passport | {"least_spine": 60.0})
    for sides, least, crop in (((35, 25), 0, True), ((35, 25), 60, True), ((97, 13), 60, False),
                               ((97, 13), 0, True), ((180, 200), 0, False)):  # fmt: skip
        small = replace(case, contrasts={"wat": np.zeros((4, *sides), np.float32)},
                        affine=np.diag([2, 1.25, 1.25, 1]))  # fmt: skip
        spine.passport["least_spine"] = least
        assert one_scan._is_crop(small, spine, (112, 128)) == crop


def test_an_image_of_no_known_contrast_is_taken_by_networks_of_many(case, network):
    plain = replace(case, contrasts={"image": case.contrasts["wat"]})
    network.passport["images"] = ["wat", "fat", "t2"]
    with pytest.warns(DataWarning, match="nothing says which contrast the image is"):
        found = one_scan.predict_case(network, plain)
    np.testing.assert_array_equal(found, one_scan.predict_case(network, case, contrast="wat"))
