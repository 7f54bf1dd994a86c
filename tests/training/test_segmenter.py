"""One scan of a job."""

import nibabel as nib
import pytest

from ivdlib.errors import ConfigError
from ivdlib.training.segmenter import Job, Segmenter
from ivdlib.training.to_segment import find_scans

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


def job(weights, out, **changes):
    usual = {
        "spine_weights": None, "use_region": True, "contrast": None, "derive_missing": True,
        "clip": None, "mirror": False, "specks": None, "engine": "openvino",
        "precision": "float32", "beside": None,
    }  # fmt: skip
    return Job((weights,), out, **usual | changes)


def test_a_mask_is_made_once_and_again_if_it_is_asked_otherwise(
    tmp_path, write_case, tiny_experiment
):
    write_case(tmp_path / "in", "01")
    weights = tiny_experiment / "disc" / "model.weights.h5"
    (scan,) = find_scans(tmp_path / "in", None, True)
    do = Segmenter(job(weights, tmp_path / "out"))
    first, second = do(scan), do(scan)
    assert (first.there, second.there) == (False, True)
    assert first.warned == second.warned and first.kept == []
    path = do.job.path(scan)
    assert path.is_file()
    path.unlink()
    assert not do(scan).there
    assert not Segmenter(job(weights, tmp_path / "out", mirror=True))(scan).there


def test_a_mask_of_somebody_is_moved_aside_and_that_is_told(tmp_path, write_case, tiny_experiment):
    write_case(tmp_path / "in", "01")
    (scan,) = find_scans(tmp_path / "in", None, True)
    do = Segmenter(job(tiny_experiment / "disc" / "model.weights.h5", tmp_path / "out"))
    path = do.job.path(scan)
    path.parent.mkdir()
    mine = nib.load(tmp_path / "in" / "01" / "01_Labels.nii.gz")
    nib.save(mine, path)
    (told,) = do(scan).kept
    assert told.startswith(f"kept: {path} was not made by ivdlib")
    assert (tmp_path / "out" / "saved").is_dir()


def test_weights_that_are_not_of_discs_are_refused(tmp_path, tiny_experiment):
    with pytest.raises(ConfigError, match="is a network for the spine"):
        Segmenter(job(tiny_experiment / "spine" / "model.weights.h5", tmp_path))
