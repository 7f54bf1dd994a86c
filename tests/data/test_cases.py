import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, make_volumes
from loaded import SHAPE, load_quietly, subjects

from ivdlib.data import cases
from ivdlib.errors import DataError, DataWarning


def test_a_case_in_the_layout_of_the_challenge(data):
    first, second = load_quietly(data)
    assert (first.name, first.subject, first.stage) == ("A1", "A", "1")
    assert second.subject_source == "case name"
    assert list(first.contrasts) == ["wat", "fat", "inn", "opp"]
    assert all(v.dtype == np.float32 and v.shape == SHAPE for v in first.contrasts.values())
    assert first.labels.dtype == np.uint8
    assert first.discs.dtype == bool
    assert first.discs.sum() == make_volumes("A1", SHAPE)["Labels"].sum() > 0
    assert first.spine is None
    assert first.derived == frozenset()
    assert first.sources["fat"] == data / "A1" / "A1_fat.nii.gz"
    assert first.sources["labels"].name == "A1_Labels.nii.gz"
    np.testing.assert_allclose(first.spacing, np.linalg.norm(AFFINE[:3, :3], axis=0), rtol=1e-6)


def test_labels_are_optional_unless_required(tmp_path, write_case):
    write_case(tmp_path, "A1", labels=False)
    (case,) = load_quietly(tmp_path)
    assert case.labels is None
    assert case.discs is None
    assert case.spine is None
    with pytest.raises(DataError, match=r"case A1 has no labels; add A1_Labels"):
        cases.load_cases(tmp_path, labels_required=True)


def test_other_contrasts_are_read_under_their_own_names(tmp_path):
    for name in ("p_1", "p_2"):
        volume = make_volumes(name, SHAPE)["wat"]
        nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / f"{name}_T2.nii.gz")
        nib.save(nib.Nifti1Image(volume[::-1], AFFINE), tmp_path / f"{name}_t1.nii.gz")
    with pytest.warns(DataWarning, match="2 cases .p_1, p_2.: taken as a subject of its own"):
        loaded = cases.load_cases(tmp_path)
    assert [*loaded[0].contrasts] == ["t1", "t2"]
    assert loaded[0].subject != loaded[1].subject
    (tmp_path / "p_2_t1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"case p_\d has the contrasts .*of their own"):
        cases.load_cases(tmp_path)


def test_load_case_takes_one_folder_and_the_files_beside_it(data):
    subjects(data, "case,subject,stage\nA1,Anna,before\nB1,Bert,after\n")
    case = cases.load_case(data / "A1")
    assert (case.subject, case.stage) == ("Anna", "before")
    with pytest.raises(DataError, match="holds 2 cases .A1, B1."):
        cases.load_case(data)


def test_masks_that_do_not_fit_are_refused_and_nothing_is_left(data):
    case = load_quietly(data)[0]
    out = data / "out"
    with pytest.raises(DataError, match="does not lie on the case's grid"):
        cases.save_mask(case, case.discs[1:], out / "m.nii.gz")
    with pytest.raises(DataError, match="whole numbers from 0 to 255"):
        cases.save_mask(case, case.discs * 0.5, out / "m.nii.gz")
    with pytest.raises(DataError, match="ends in .nii or .nii.gz"):
        cases.save_mask(case, case.discs, out / "m.png")
    (data / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        cases.save_mask(case, case.discs, data / "file" / "m.nii.gz")
    assert not out.exists() or not [*out.iterdir()]


def test_the_real_crops(shared):
    folder = shared / "data" / "ivdm3seg_crops"
    began = time.process_time()
    with pytest.warns(DataWarning) as caught:
        loaded = cases.load_cases(folder)
    assert time.process_time() - began < 2
    assert len(caught) == 1
    assert "49 cases" in str(caught[0].message)
    assert len(loaded) == 49
    assert {c.subject for c in loaded} == set("ABCDEF")
    assert all(c.derived == {"wat"} and c.shape == (35, 35, 25) for c in loaded)
    assert all(c.discs.any() and c.spine is None for c in loaded)
    assert loaded[2].columns == {"crop": "3"}
    in_discs = {
        name: np.mean([c.contrasts[name][c.discs].mean() for c in loaded])
        for name in loaded[0].contrasts
    }
    for name, measured in {"inn": 180, "fat": 16, "opp": 162, "wat": 164}.items():
        assert in_discs[name] == pytest.approx(measured, abs=8)
    rows = cases.check_cases(folder)
    assert sum(row["copies"] == [["wat", "inn"]] for row in rows) == 49
    assert not [row for row in rows if row["errors"]]


def test_the_discs_of_the_real_crops_are_taller_in_front(shared):
    """The declared axes are the true ones: axis 1 of the canonical array runs to anterior."""
    with pytest.warns(DataWarning):
        loaded = cases.load_cases(shared / "data" / "ivdm3seg_crops")
    taller = []
    for case in loaded:
        height = case.discs[15:20].sum(axis=2).mean(axis=0)
        inside = np.flatnonzero(height > 0)
        third = len(inside) // 3
        taller.append(height[inside[-third:]].mean() > height[inside[:third]].mean())
    assert np.mean(taller) > 0.7


def test_the_t2_slabs(shared):
    with pytest.warns(DataWarning, match="12 cases .*1 is taken as disc") as caught:
        loaded = cases.load_cases(shared / "data" / "spider_t2_slabs")
    assert len(caught) == 1
    assert len({c.subject for c in loaded}) == len(loaded) == 12
    for case in loaded:
        assert list(case.contrasts) == ["t2"]
        assert case.spine_values == {1, 2, 3}
        assert case.disc_values == {1}
        assert case.spine.sum() > 2 * case.discs.sum() > 0


def test_importing_is_light():
    code = (
        "import sys, ivdlib.data.cases; print(*(m for m in ('pandas', 'nibabel', 'scipy', 'keras', "
    )
    code += "'tensorflow') if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(cases.__file__).parents[2],
    )
    assert done.stdout.split() == []


def test_exact_labels_of_a_phantom_stand_beside_the_drawn_ones(tmp_path, write_case):
    folder = write_case(tmp_path, "01")
    labels = nib.load(folder / "01_Labels.nii.gz")
    exact = np.roll(np.asarray(labels.dataobj), 1, axis=2)
    nib.save(nib.Nifti1Image(exact, labels.affine), folder / "01_Exact.nii.gz")
    case = cases.load_case(folder)
    assert case.exact_mask.dtype == bool and case.exact_mask.shape == case.shape
    np.testing.assert_array_equal(cases.to_file_grid(case, case.exact_mask), exact > 0)
    np.testing.assert_array_equal(cases.to_file_grid(case, case.labels), labels.dataobj)
    assert cases.load_case(write_case(tmp_path / "other", "02")).exact_mask is None


def test_all_cases_that_cannot_be_used_are_named_at_once(tmp_path, write_case):
    for name in ("P1", "P2", "P3", "P4"):
        write_case(tmp_path, name, truncated="fat" if name in ("P2", "P4") else "")
    with pytest.raises(DataError, match=r"P2_fat.nii.gz is trunc.*\. 1 more cannot be used \(P4\)"):
        cases.load_cases(tmp_path)
    (tmp_path / "subjects.csv").write_text("case,subject\nP1,a\nP3,\n")
    with pytest.raises(DataError, match=r"case P2 is not in .*\. 2 more .* \(P3, P4\); mend this"):
        cases.load_cases(tmp_path)
