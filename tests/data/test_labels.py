"""Labels: which values are discs, and on which grid they lie."""

import logging

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, make_volumes
from loaded import SHAPE, canonical, load_quietly, moved

from ivdlib.data import cases
from ivdlib.errors import ConfigError, DataError, DataWarning


def test_an_inverted_mask_is_warned_of(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"Labels": lambda a: np.uint8(1) - a})
    with pytest.warns(DataWarning, match=r"\d\d % of the scan is labelled as disc; look at"):
        cases.load_case(tmp_path)


def many_values(array):
    """Discs 4, the slice before last 2, the last one 3."""
    array = array * np.uint8(4)
    array[-2], array[-1] = 2, 3
    return array


def test_values_beyond_the_discs_are_spine_and_one_warning_says_so(tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path, name, change={"Labels": many_values})
    with pytest.warns(DataWarning, match="2 cases .A1, B1.*2, 3, 4: 4 is taken as disc") as caught:
        case = cases.load_cases(tmp_path, discs=[4])[0]
    assert len(caught) == 1
    assert case.spine_values == {2, 3, 4}
    assert case.spine.sum() == (case.labels > 0).sum() > case.discs.sum() > 0
    with pytest.raises(DataError, match=r"holds the values 2, 3, 4 and none of the disc values 1"):
        cases.load_cases(tmp_path)


def test_declared_values_need_no_warning_and_arguments_win(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"Labels": many_values})
    (tmp_path / "dataset.json").write_text('{"discs": [4], "spine": [3, 4]}')
    (case,) = load_quietly(tmp_path)
    assert case.spine.sum() == np.isin(case.labels, (3, 4)).sum()
    (case,) = load_quietly(tmp_path, discs={3}, spine={np.int64(2), 3})
    assert case.disc_values == {3}
    assert case.spine_values == {2, 3}


def test_a_declared_spine_is_none_where_only_discs_are_labelled(data):
    assert load_quietly(data, spine={1, 2, 3})[0].spine is None


def test_the_spine_of_a_file_of_its_own(tmp_path, write_case):
    folder = write_case(tmp_path, "A1", spine=True)
    (case,) = load_quietly(tmp_path)
    assert case.spine.dtype == bool
    assert case.spine.sum() == make_volumes("A1", SHAPE)["Spine"].sum()
    assert case.sources["spine"] == folder / "A1_Spine.nii.gz"
    write_case(tmp_path, "A1", spine=True, change={"Spine": np.zeros_like})
    with pytest.raises(DataError, match="case A1: .*A1_Spine.nii.gz is empty"):
        cases.load_cases(tmp_path)


def test_labels_with_a_wrong_affine_are_read_by_voxel_and_the_warning_says_how_far(
    tmp_path, write_case
):
    write_case(tmp_path, "A1", affines={"Labels": moved(10.8)})
    with pytest.warns(DataWarning, match="case A1: the affine of labels is off by up to 10.8 mm"):
        (case,) = cases.load_cases(tmp_path)
    np.testing.assert_array_equal(case.labels, canonical("A1", "Labels"))


def test_labels_resampled_by_a_wrong_affine_move_by_it_and_the_log_says_how_far(
    tmp_path, write_case, caplog
):
    step = np.linalg.norm(AFFINE[:3, 2])
    affine = AFFINE.copy()
    affine[:3, 3] += 2 * AFFINE[:3, 2]  # two voxels along the last axis
    write_case(tmp_path, "A1", affines={"Labels": affine})
    with caplog.at_level(logging.INFO, "ivdlib"):
        (case,) = load_quietly(tmp_path, label_grid="affine")
    assert f"case A1: labels lie on another grid (a corner {2 * step:.1f} mm away)" in caplog.text
    np.testing.assert_array_equal(case.labels[..., 2:], canonical("A1", "Labels")[..., :-2])
    affine[:3, 3] += 400
    write_case(tmp_path, "A1", affines={"Labels": affine})
    with pytest.raises(DataError, match="no voxel of A1_Labels.nii.gz lies within the scan"):
        cases.load_cases(tmp_path, label_grid="affine")


def test_labels_in_another_orientation_are_resampled_on_request(tmp_path, write_case):
    def turned(array):
        return nib.as_closest_canonical(nib.Nifti1Image(array, AFFINE))

    write_case(tmp_path, "A1", change={"Labels": turned})
    with pytest.raises(DataError, match='label_grid="affine"'):
        cases.load_cases(tmp_path)
    (case,) = load_quietly(tmp_path, label_grid="affine")
    true = turned(make_volumes("A1", SHAPE)["Labels"])
    np.testing.assert_array_equal(case.labels, np.asarray(true.dataobj))
    assert "resampled" in case.corrections[0]
    with pytest.raises(ConfigError, match="label_grid='world' is unknown"):
        cases.load_cases(tmp_path, label_grid="world")


def test_a_scaled_mask_is_one(tmp_path, write_case):
    """255 times 1/255, as some programs write a mask."""
    folder = write_case(tmp_path, "A1")
    path = folder / "A1_Labels.nii.gz"
    image = nib.load(path)
    mask = np.asarray(image.dataobj) > 0
    scaled = nib.Nifti1Image(np.uint8(mask) * 255, image.affine)
    scaled.header.set_slope_inter(1 / 255, 0)
    nib.save(scaled, path)
    np.testing.assert_array_equal(load_quietly(tmp_path)[0].discs.sum(), mask.sum())


@pytest.mark.parametrize("label_grid", ["voxel", "affine"])
@pytest.mark.parametrize("affine", [np.eye(4), None])
def test_labels_without_a_geometry_are_never_laid_somewhere(
    tmp_path, write_case, affine, label_grid
):
    """As arrays are that were saved without an affine: no header to go by."""
    bare = {"Labels": lambda array: nib.Nifti1Image(array, affine)}
    folder = write_case(tmp_path, "A1", change=bare)
    with pytest.raises(DataError, match="A1_Labels.nii.gz has no geometry of its own"):
        cases.load_case(folder, label_grid=label_grid)


def test_labels_that_lie_half_outside_are_said(tmp_path, write_case):
    moved = AFFINE.copy()
    moved[:3, 3] += 14 * moved[:3, 2]  # half the scan upwards
    folder = write_case(tmp_path, "A1", affines={"Labels": moved})
    with pytest.warns(DataWarning, match="by the affines .* % of labels lie outside the scan"):
        cases.load_case(folder, label_grid="affine")
