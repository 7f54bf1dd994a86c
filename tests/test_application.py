"""Networks on files: masks on the scan's own grid, whatever its axes; clear refusals."""

import nibabel as nib
import numpy as np
import pytest

from ivdlib import application, cli, inference, models
from ivdlib.cases import load_case
from ivdlib.errors import ConfigError, DataError
from ivdlib.models import UNetConfig

CONFIG = UNetConfig(base=2, levels=1)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Folder of trainings with a spine network and a disc network, both untrained."""
    place = tmp_path_factory.mktemp("trainings")
    card = {"network": "unet", "config": CONFIG.to_dict()}
    spine = models.build("unet", CONFIG, input_shape=(12, 16, 1))
    inference.save_weights(
        spine,
        place / "spine" / "model.weights.h5",
        card | {"target": "spine", "tile": (12, 16), "images": ["wat", "fat"], "factor": 2},
    )
    disc = models.build("unet", CONFIG, input_shape=(16, 16, 1))
    known = ["wat", "fat", "inn", "opp", "wat+opp"]
    more = {"target": "disc", "tile": (16, 16), "images": known, "spine": "spine", "margin": 5.0}
    inference.save_weights(disc, place / "disc" / "model.weights.h5", card | more)
    return place


# All 48 axis orders are tested with `save_mask`; here a few go through the networks.
@pytest.mark.parametrize(
    "oblique_affine",
    [((0, 1, 2), (1, 1, 1)), ((0, 1, 2), (-1, -1, 1)), ((2, 0, 1), (1, -1, -1))],
    indirect=True,
    ids=["RAS", "LPS", "SLP"],
)
def test_mask_lies_on_the_file(tmp_path, write_case, oblique_affine, experiment):
    write_case(tmp_path / "in", "01", affine=oblique_affine)
    (tmp_path / "in" / "01" / "01_Labels.nii.gz").unlink()
    weights = experiment / "disc" / "model.weights.h5"
    (path,) = application.predict_folder(tmp_path / "in", weights, tmp_path / "out")
    mask, scan = nib.load(path), nib.load(tmp_path / "in" / "01" / "01_wat.nii.gz")
    assert mask.shape == scan.shape
    np.testing.assert_allclose(mask.affine, scan.affine, atol=1e-5)
    case = load_case(tmp_path / "in" / "01")
    network, spine = (
        inference.load_model(experiment / n / "model.weights.h5") for n in ("disc", "spine")
    )
    expected = application.predict_case(network, case, spine=spine)
    assert np.count_nonzero(mask.get_fdata()) == np.count_nonzero(expected)


def test_one_file_is_enough(tmp_path, write_case, experiment):
    write_case(tmp_path / "in", "01")
    weights = experiment / "disc" / "model.weights.h5"
    scan = tmp_path / "in" / "01" / "01_wat.nii.gz"
    (path,) = application.predict_folder(scan, weights, tmp_path / "out")
    assert path.name == "01_Discs.nii.gz"
    assert nib.load(path).shape == nib.load(scan).shape


def test_contrast_is_chosen_and_refused(tmp_path, write_case, experiment):
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    network = inference.load_model(experiment / "disc" / "model.weights.h5")
    one = application.predict_case(network, case, contrast="fat+opp")
    assert one.shape == case.shape and one.dtype == bool
    with pytest.raises(ConfigError, match="t2"):
        application.predict_case(network, case, contrast="t2")


def test_a_network_of_channels_takes_all_of_them_or_none(tmp_path, write_case):
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    model = models.build("unet", CONFIG, input_shape=(16, 16, 6))
    card = {"network": "unet", "config": CONFIG.to_dict(), "target": "disc", "tile": (16, 16)}
    card |= {"images": ["wat&opp"], "channels": 6, "neighbours": 1}
    path = tmp_path / "stacked.weights.h5"
    inference.save_weights(model, path, card)
    network = inference.load_model(path)
    assert application.predict_case(network, case).shape == case.shape
    with pytest.raises(ConfigError, match="knows wat&opp and wat was asked for"):
        application.predict_case(network, case, contrast="wat")
    del case.contrasts["opp"]
    with pytest.raises(ConfigError, match="knows wat&opp"):
        application.predict_case(network, case)


def test_refusals(tmp_path, write_case, experiment):
    write_case(tmp_path / "in", "01")
    disc, spine = (experiment / n / "model.weights.h5" for n in ("disc", "spine"))
    with pytest.raises(ConfigError, match="spine"):
        list(application.predict_folder(tmp_path / "in", spine, tmp_path / "out"))
    with pytest.raises(ConfigError, match="not a network for the spine"):
        list(application.predict_folder(tmp_path / "in", disc, tmp_path / "o", spine_weights=disc))
    alone = tmp_path / "alone.weights.h5"
    alone.write_bytes(disc.read_bytes())
    with pytest.raises(DataError, match="--spine-weights"):
        list(application.predict_folder(tmp_path / "in", alone, tmp_path / "out"))
    masks = application.predict_folder(tmp_path / "in", alone, tmp_path / "out", use_region=False)
    assert len(list(masks)) == 1


def test_prediction_asks_for_nothing_that_it_does_not_need(tmp_path, write_case, experiment):
    """Odd labels do not matter, nor does a contrast that was not asked for."""
    folder = write_case(tmp_path / "in", "01", change={"Labels": lambda a: a * np.uint8(9)})
    weights = experiment / "disc" / "model.weights.h5"
    assert list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))
    for name in ("fat", "inn"):
        (folder / f"01_{name}.nii.gz").unlink()
    with pytest.raises(DataError, match="fat"):
        list(application.predict_folder(tmp_path / "in", weights, tmp_path / "out"))
    for one in ("wat", "wat+opp"):
        assert list(
            application.predict_folder(tmp_path / "in", weights, tmp_path / "out", contrast=one)
        )
    with pytest.raises(ConfigError, match="a single file, which is one contrast, not wat.opp"):
        list(application.predict_folder(
            folder / "01_wat.nii.gz", weights, tmp_path / "out", contrast="wat+opp"
        ))  # fmt: skip


def test_predict_then_score_folders(tmp_path, write_case, experiment, capsys):
    for name in ("01", "02"):
        write_case(tmp_path / "in", name)
    weights = experiment / "disc" / "model.weights.h5"
    arguments = ["predict", tmp_path / "in", "--weights", weights, "--out", tmp_path / "out"]
    assert cli.main([str(a) for a in arguments]) == 0
    assert cli.main(["score", str(tmp_path / "out"), str(tmp_path / "in")]) == 0
    assert "mean over 2 scans\n  Dice per scan" in capsys.readouterr().out
