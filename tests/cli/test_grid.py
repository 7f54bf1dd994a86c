"""`grid`: what it refuses before it loads anything, a plan, a small run."""

import pytest
from commands import grid, is_one_sentence, run

BAD_GRIDS = {
    "unknown profile": (["--profile", "huge"], "unknown profile"),
    "unknown field": (["--set", "training.stepz=3"], "training.stepz"),
    "wrong type": (["--set", "training.steps=many"], "training.steps"),
    "no value": (["--set", "training.steps"], "FIELD=VALUE"),
    "unknown network": (["--networks", "resnet"], "resnet"),
    "one fold": (["--folds", "1"], "folds"),
    "unknown recipe": (["--recipe", "best"], "unknown recipe 'best'"),
}


@pytest.mark.parametrize("kind", BAD_GRIDS)
def test_grid_refuses_before_it_loads_anything(capsys, tmp_path, kind):
    arguments, word = BAD_GRIDS[kind]
    reports = tmp_path / "reports"
    status, _, err = run(capsys, "grid", *arguments, "--reports", reports)
    assert status == 1 and is_one_sentence(err) and word in err
    assert not reports.exists()


def test_a_plan_writes_nothing(capsys, tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path / "data", name)
    more = ("--plan", "--recipe", "better", "--set", "arms=stacked")
    status, out, _ = grid(capsys, tmp_path / "data", tmp_path, *more)
    assert status == 0 and "contrasts as channels: 2 of 2 trainings left" in out
    assert not (tmp_path / "reports").exists()


@pytest.mark.slow
def test_a_grid_leaves_tables_and_figures(capsys, tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path / "data", name)
    words = ("--networks", "unet", "--set", "arms=without", "--set", "training.tile=16,16",
             "--set", "spine.region=none", "--name", "mine")  # fmt: skip
    status, out, err = grid(capsys, tmp_path / "data", tmp_path, *words)
    assert status == 0, err
    folder = tmp_path / "reports" / "mine"
    assert "Table 1. Networks trained WITHOUT fusion" in out and str(folder) in out
    drawn = {path.stem for path in (folder / "figures").iterdir()}
    assert {"learning_curves", "patients"} <= drawn


def test_grid_on_bad_data(capsys, tmp_path, write_case):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, _, err = grid(capsys, empty, tmp_path)
    assert status == 1 and is_one_sentence(err)
    faults = {
        "missing": ({"missing": ["fat", "inn"]}, "fat"),
        "truncated": ({"truncated": "fat"}, "truncated"),
        "unlabelled": ({"labels": None}, "abel"),
    }
    for name, (fault, word) in faults.items():
        data = tmp_path / name
        write_case(data, "A1")
        write_case(data, "B1", **fault)
        status, _, err = grid(capsys, data, tmp_path)
        assert status == 1 and is_one_sentence(err) and word in err, (name, err)
    assert not (tmp_path / "reports").exists()


def test_grid_refuses_a_patient_on_both_sides(capsys, tmp_path, write_case):
    data = tmp_path / "data"
    for name in ("A1_01", "A1_02", "B1_01"):
        write_case(data, name)
    split = tmp_path / "split.csv"
    split.write_text("case,fold\nA1_01,1\nA1_02,2\nB1_01,2\n")
    status, _, err = grid(capsys, data, tmp_path, "--split", split)
    assert status == 1 and is_one_sentence(err)
    assert "patient A" in err
