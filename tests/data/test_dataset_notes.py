"""dataset.json and tables beside the scans."""

import json
import logging

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import make_volumes
from loaded import SHAPE, load_quietly

from ivdlib.data import cases
from ivdlib.errors import DataError


def test_two_tables_of_subjects_are_ambiguous(data):
    for name in ("A1", "B1"):
        (data / name / "subjects.csv").write_text("case,subject\nA1,a\nB1,b\n")
    with pytest.raises(DataError, match="more than one subjects.csv"):
        cases.load_cases(data)


def test_declared_axes_correct_the_header_and_are_logged(tmp_path, write_case, caplog):
    affine = np.diag([2, 1.25, 1.25, 1])
    affine[:3, 3] = 5, 6, 7
    write_case(tmp_path, "A1", affine=affine)
    before = load_quietly(tmp_path)[0]
    (tmp_path / "dataset.json").write_text(json.dumps({"axcodes": ["R", "P", "S"], "name": "x"}))
    with caplog.at_level(logging.INFO, "ivdlib"):
        after = load_quietly(tmp_path)[0]
    assert "R, P, S as dataset.json declares, not to R, A, S" in caplog.text
    assert after.corrections
    assert not before.corrections
    assert after.dataset["name"] == "x"
    np.testing.assert_array_equal(after.contrasts["wat"], before.contrasts["wat"][:, ::-1])
    np.testing.assert_array_equal(after.labels, before.labels[:, ::-1])
    # the first voxel of the file stays where it was; now it is the most anterior one
    np.testing.assert_allclose(after.affine @ [0, SHAPE[1] - 1, 0, 1], [5, 6, 7, 1])
    path = tmp_path / "out" / "mask.nii.gz"
    cases.save_mask(after, after.discs, path)
    saved = nib.load(path)
    np.testing.assert_array_equal(saved.affine, affine)
    np.testing.assert_array_equal(saved.dataobj, make_volumes("A1", SHAPE)["Labels"])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"axcodes": ["R", "Q", "S"]}', "dataset.json: axcodes .* are unknown"),
        ('{"discs": 1}', "dataset.json: discs must be a list"),
        ('{"spine": ["disc"]}', "dataset.json: spine must be a list"),
        ('{"spine": []}', "dataset.json: spine must be a list"),
        ('["R"]', "one JSON object"),
        ("{", "not valid JSON"),
    ],
)
def test_faults_in_dataset_json(data, content, match):
    (data / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=match):
        cases.load_cases(data)
