"""The scripts that set an experiment beside grades and beside labelled bodies."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ivdlib import files
from ivdlib.data.case import Case
from ivdlib.errors import DataError

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch):
    for place in (FOLDER, FOLDER / "weights"):
        monkeypatch.syspath_prepend(str(place))
    import full_fields
    import grades

    yield grades, full_fields
    for name in ("full_fields", "grades", "judge", "material"):
        sys.modules.pop(name, None)


def test_dice_by_grade_averages_a_patient_first(scripts):
    grades, _ = scripts
    discs = pd.DataFrame(
        [("spider_5", 1, 0.9), ("spider_5", 2, 0.7), ("spider_7", 1, 0.4), ("spider_7", 3, 0.1)],
        columns=["subject", "disc", "dice"],
    ).assign(network="fds_cnn", missed=[False, False, True, True])
    table = pd.DataFrame(
        [(5, 1, 2), (5, 2, 2), (7, 1, 2), (9, 1, 5)],
        columns=[grades.PATIENT, grades.DISC, grades.GRADE],
    )
    (row,) = grades.by_grade(discs, table).itertuples()
    assert (row.grade, row.discs, row.patients) == (2, 3, 2)
    assert row.dice == pytest.approx((0.8 + 0.4) / 2) and row.missed == pytest.approx(0.5)
    with pytest.raises(DataError, match="no disc of this experiment has a grade"):
        grades.by_grade(discs, table.assign(Patient=99))


def test_a_gap_is_found_by_one_piece_that_fills_it(scripts, monkeypatch, tmp_path):
    _, full_fields = scripts
    bodies = np.zeros((3, 30, 60), int)
    for number, start in ((3, 5), (2, 25), (1, 45)):
        bodies[:, 5:25, start : start + 10] = number
    mask = np.zeros(bodies.shape, bool)
    mask[:, 6:24, 16:24] = True  # fills the gap
    mask[:, 14:16, 39:41] = True  # a dot in the middle of the other
    case = Case("a", "a", {"wat": bodies.astype(np.float32)}, np.diag([4.0, 1.5, 1.5, 1.0]))
    monkeypatch.setattr(full_fields.engines, "load_network", lambda path: SimpleNamespace())
    monkeypatch.setattr(full_fields.spine_of_scan, "spine_beside", lambda *_: None)
    monkeypatch.setattr(full_fields, "quietly", lambda *_, **__: mask)
    record = {"network": "unet", "arm": "with", "fold": 2, "seed": 1}
    (row,) = full_fields.rows_of(tmp_path / "abc", record, [(case, bodies)])
    assert (row["gaps"], row["found"]) == (2, 1) and row["specks"] == 1
    assert (row["trained_on"], row["fold"], row["seed"]) == ("contrasts+fused", 2, 1)


def test_only_networks_with_weights_are_scored(scripts, tmp_path):
    _, full_fields = scripts
    for name, network in (("a", "unet"), ("b", "fds_cnn:no_aspp"), ("c", "fds_cnn")):
        record = {"target": "disc", "network": network, "arm": "with", "fold": 1, "seed": 0,
                  "seconds_training": 1.0, "seconds_scoring": 1.0}  # fmt: skip
        files.write_json(tmp_path / "trainings" / name / "record.json", record)
    for name in "ab":
        (tmp_path / "trainings" / name / full_fields.WEIGHTS).write_bytes(b"")
    assert [place.name for place in full_fields.trainings(tmp_path)] == ["a"]
    with pytest.raises(DataError, match="no network with weights"):
        full_fields.main([str(tmp_path / "none"), "munich_wat", "--out", str(tmp_path)])


def test_a_scan_is_cut_about_its_bodies_and_stays_where_it_is(scripts):
    """Millimetres of a body must not move, and a scan that is small enough stays whole."""
    _, full_fields = scripts
    bodies = np.zeros((4, 100, 120), int)
    bodies[1:3, 60:70, 80:90] = 3
    affine = np.diag([3.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = 5, 6, 7
    case = Case("p1", "p1", {"t2": bodies * 10.0}, affine)
    cut, inside = full_fields.cut_to_field(case, bodies, [[90, 100], [50, 130]])
    assert cut.shape == inside.shape == (4, 50, 65) and (inside > 0).sum() == (bodies > 0).sum()
    assert np.array_equal(cut.contrasts["t2"], inside * 10.0)

    def corner(of, where):
        return (where.affine @ [*np.argwhere(of)[0], 1])[:3]

    assert np.allclose(corner(inside, cut), corner(bodies, case))
    whole, same = full_fields.cut_to_field(case, bodies, [[1, 900], [1, 900]])
    assert whole.shape == case.shape and np.array_equal(same, bodies)
