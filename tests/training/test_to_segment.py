"""Which scans and images are segmented."""

import warnings

import nibabel as nib
import numpy as np
import pytest
from predicting import CONFIG

from ivdlib import networks
from ivdlib.data.cases import load_case
from ivdlib.errors import ConfigError, DataWarning
from ivdlib.training import one_scan, segmenter
from ivdlib.training import predict as application
from ivdlib.training.weights import load_model, save_weights

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


def test_one_file_is_enough(tmp_path, write_case, tiny_experiment):
    write_case(tmp_path / "in", "01")
    weights = tiny_experiment / "disc" / "model.weights.h5"
    scan = tmp_path / "in" / "01" / "01_wat.nii.gz"
    (path,) = application.predict_folder(scan, weights, tmp_path / "out")
    assert path.name == "01_Discs.nii.gz"
    assert nib.load(path).shape == nib.load(scan).shape


def test_one_file_is_read_with_the_declared_axes_as_its_folder_is(
    tmp_path, write_case, tiny_experiment, monkeypatch
):
    def lowest(network, case, **_):
        mask = np.broadcast_to(np.arange(case.shape[2]) < 3, case.shape)
        return one_scan.Segmented(mask, np.float32(mask), {"wat": mask}, None)

    monkeypatch.setattr(segmenter, "segment_case", lowest)
    folder = write_case(tmp_path / "in", "01")
    weights = tiny_experiment / "disc" / "model.weights.h5"

    def masks():
        return [
            np.asarray(nib.load(next(application.predict_folder(source, weights, out))).dataobj)
            for source, out in ((folder, tmp_path / "a"), (folder / "01_wat.nii.gz", tmp_path))
        ]

    plain, _ = masks()
    (tmp_path / "in" / "dataset.json").write_text('{"axcodes": ["R", "A", "I"]}')
    whole, one = masks()
    np.testing.assert_array_equal(one, whole)
    assert not (one & plain).any()


def test_one_file_whose_header_is_odd_is_told_so(tmp_path, tiny_experiment):
    image = nib.Nifti1Image(np.random.default_rng(0).random((24, 28, 4)), np.diag([2, 2, 5, 1]))
    image.header["pixdim"][3] = 2
    image.header["sform_code"] = 2
    nib.save(nib.Nifti1Image(image.get_fdata(), None, image.header), tmp_path / "01_wat.nii")
    weights = tiny_experiment / "disc" / "model.weights.h5"
    with pytest.warns(DataWarning) as caught:
        list(application.predict_folder(tmp_path / "01_wat.nii", weights, tmp_path / "out"))
    told = "".join(str(one.message) for one in caught)
    assert "pixdim says voxels of 2 x 2 x 2 mm" in told and "the slices are axial" in told


def test_contrast_is_chosen_and_refused(tmp_path, write_case, tiny_experiment):
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    network = load_model(tiny_experiment / "disc" / "model.weights.h5")
    one = one_scan.predict_case(network, case, contrast="fat+opp")
    assert one.shape == case.shape and one.dtype == bool
    with pytest.raises(ConfigError, match="t2"):
        one_scan.predict_case(network, case, contrast="t2")


def test_a_network_of_channels_takes_all_of_them_or_none(tmp_path, write_case):
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    model = networks.build("unet", CONFIG, input_shape=(16, 16, 6))
    card = {"network": "unet", "config": CONFIG.to_dict(), "target": "disc", "tile": (16, 16)}
    card |= {"images": ["wat&opp"], "channels": 6, "neighbours": 1}
    path = tmp_path / "stacked.weights.h5"
    save_weights(model, path, card)
    network = load_model(path)
    assert one_scan.predict_case(network, case).shape == case.shape
    with pytest.raises(ConfigError, match="trained on wat&opp, and wat was asked for"):
        one_scan.predict_case(network, case, contrast="wat")
    del case.contrasts["opp"]
    with pytest.raises(ConfigError, match="trained on wat&opp"):
        one_scan.predict_case(network, case)


def test_the_order_of_a_fused_name_does_not_matter(tmp_path, tiny_experiment, write_case):
    case = load_case(write_case(tmp_path / "in", "01"))
    network = load_model(tiny_experiment / "disc" / "model.weights.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        turned = one_scan.predict_case(network, case, contrast="opp+wat")
    np.testing.assert_array_equal(turned, one_scan.predict_case(network, case, contrast="wat+opp"))


def test_a_contrast_that_the_scan_has_not_is_said_plainly(tmp_path, tiny_experiment, write_case):
    case = load_case(write_case(tmp_path / "in", "01"))
    network = load_model(tiny_experiment / "disc" / "model.weights.h5")
    with pytest.raises(ConfigError, match="wat, fat, inn, opp and no t2; name one that it has"):
        one_scan.predict_case(network, case, contrast="wat+t2")
