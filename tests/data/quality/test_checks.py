"""`check_cases`: every case is described, and nothing in one of them stops it."""

import gzip
import itertools
import shutil
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, CONTRASTS, make_volumes, repair_of

from ivdlib import cli
from ivdlib.data import assembly, cases
from ivdlib.data.quality import checks
from ivdlib.data.quality.exchange import Exchange
from ivdlib.errors import ConfigError, DataWarning


def subjects(folder, text):
    (folder / "subjects.csv").write_text(text, encoding="utf-8")


def pretend(monkeypatch, kind, where=None, share=0.25):
    """Make `find_exchange` find this; `where` is a part of the canonical volume."""

    def find(contrasts, spacing, discs=None):
        found = np.zeros(contrasts["wat"].shape, bool)
        if where is not None:
            found[where] = True
        return Exchange(kind, share, found, {"anatomy": -0.5, "border": np.nan})

    monkeypatch.setattr(checks, "find_exchange", find)


def test_a_case_is_described_for_machines(tmp_path, write_case):
    write_case(tmp_path, "A1", copy=("inn", "fat"))
    subjects(tmp_path, "case,subject,stage\nA1,a,2\n")
    (row,) = cases.check_cases(tmp_path)
    numbers = row.pop("consistency")
    assert numbers["inn_error"] == numbers["opp_error"] == 0
    assert row.pop("warnings")[0].startswith("inn is voxel for voxel a copy of fat")
    assert row.pop("spacing_mm") == pytest.approx(np.linalg.norm(AFFINE[:3, :3], axis=0), abs=1e-3)
    exchange = row.pop("exchange")
    assert exchange["kind"] == "none"
    assert set(exchange) == {"kind", "share", "evidence"}
    assert row == {
        "case": "A1",
        "subject": "a",
        "stage": "2",
        "subject_source": "subjects.csv",
        "contrasts": ["wat", "fat", "inn", "opp"],
        "derived": ["inn"],
        "shape": [6, 24, 28],
        "axes": ["L", "P", "S"],
        "labels": [1],
        "discs": 3,
        "copies": [["inn", "fat"]],
        "label_shift": None,
        "errors": [],
        "corrections": [],
    }


def test_axes_are_those_of_the_file_or_the_declared_ones(tmp_path, write_case):
    write_case(tmp_path, "A1")
    write_case(
        tmp_path, "B1", change={"wat": np.zeros_like}, affines={"opp": np.diag([1, 1, 1, 1])}
    )
    write_case(tmp_path, "C1", missing=CONTRASTS)
    first, broken, without = cases.check_cases(tmp_path)
    assert first["axes"] == broken["axes"] == ["L", "P", "S"] and without["axes"] is None
    (tmp_path / "dataset.json").write_text('{"axcodes": "RPS"}')
    assert [row["axes"] for row in cases.check_cases(tmp_path)] == [[*"RPS"], [*"RPS"], None]


def test_each_key_is_documented_in_both_places(tmp_path, write_case):
    write_case(tmp_path, "A1")
    (row,) = cases.check_cases(tmp_path)
    page = Path(__file__).parents[3] / "data" / "README.md"
    for text in (checks.check_cases.__doc__, page.read_text(encoding="utf-8")):
        assert [key for key in row if f"`{key}`" not in text] == []


def test_all_that_is_wrong_is_collected_and_nothing_warned_of(tmp_path, write_case):
    write_case(tmp_path, "A1", truncated="fat", change={"opp": np.zeros_like}, missing=())
    write_case(tmp_path, "B1")
    write_case(tmp_path, "C1", copy=("wat", "fat"))
    subjects(tmp_path, "case,subject\nA1,a\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a, b, c = cases.check_cases(tmp_path)
    assert len(a["errors"]) == 2
    assert a["shape"] is None
    assert a["exchange"] is a["discs"] is None
    assert [e for e in b["errors"] if "not in" in e]
    assert b["shape"] == [6, 24, 28]
    assert len(c["errors"]) == 2
    assert c["copies"] == [["wat", "fat"]]


@pytest.mark.parametrize("lost", CONTRASTS)
def test_a_derived_contrast_is_marked_and_warned_of(tmp_path, write_case, lost):
    write_case(tmp_path, "A1", missing=(lost,))
    (row,) = cases.check_cases(tmp_path)
    assert row["derived"] == [lost]
    assert row["contrasts"] == [name for name in CONTRASTS if name != lost]
    assert row["errors"] == []
    assert row["warnings"][0].endswith("add its file where it was measured")
    (row,) = cases.check_cases(tmp_path, derive_missing=False)
    assert f"contrast '{lost}' is missing" in row["errors"][0]


def test_options_are_those_of_loading(tmp_path, write_case):
    folder = write_case(tmp_path, "A1", change={"Labels": lambda a: a * np.uint8(4)})
    assert "disc values 1" in cases.check_cases(tmp_path)[0]["errors"][0]
    (row,) = cases.check_cases(tmp_path, discs={4})
    assert (row["errors"], row["labels"], row["discs"]) == ([], [4], 3)
    nib.save(nib.as_closest_canonical(nib.load(folder / "A1_Labels.nii.gz")), folder / "l.nii")
    (folder / "A1_Labels.nii.gz").unlink()
    (folder / "l.nii").rename(folder / "A1_Labels.nii")
    (row,) = cases.check_cases(tmp_path, discs={4}, label_grid="affine")
    assert row["errors"] == []
    assert "resampled by the affines" in row["corrections"][0]
    with pytest.raises(ConfigError, match="label_grid"):
        cases.check_cases(tmp_path, label_grid="world")


def test_the_folder_of_one_case_takes_what_stands_above_it(tmp_path, write_case):
    write_case(tmp_path, "A1")
    write_case(tmp_path, "B1")
    subjects(tmp_path, "case,subject\nA1,Anna\nB1,Bert\n")
    (row,) = cases.check_cases(tmp_path / "B1")
    assert row["subject"] == "Bert"


def test_a_correlation_that_does_not_exist_is_null(tmp_path, write_case):
    wat = make_volumes("A1", (6, 24, 28))["wat"]
    write_case(tmp_path, "A1", change={"fat": lambda array: 250 - wat})
    (row,) = cases.check_cases(tmp_path)
    assert row["consistency"]["inn_correlation"] is None
    assert row["consistency"]["inn_error"] > 0


def test_other_contrasts_have_no_exchange(tmp_path):
    volume = make_volumes("A1", (6, 24, 28))["wat"]
    nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / "A1_T2.nii.gz")
    (row,) = cases.check_cases(tmp_path)
    assert (row["exchange"], row["consistency"], row["errors"]) == (None, {}, [])


def test_a_local_exchange_is_a_warning_that_says_where_and_how_much(
    tmp_path, write_case, monkeypatch
):
    where = np.s_[1:4, 10:15, 20:23]
    pretend(monkeypatch, "local", where, share=0.0625)
    write_case(tmp_path, "A1")
    (row,) = cases.check_cases(tmp_path)
    litre = 45 * np.prod(row["spacing_mm"]) / 1000
    assert row["errors"] == []
    (text,) = row["warnings"]
    assert (
        f"exchanged in 6.2 % of the body ({litre:.1f} mL round voxel 3, 11, 21 of the files)"
        in text
    )
    assert "undo_exchange" in repair_of(text)
    assert row["exchange"] == {
        "kind": "local",
        "share": 0.0625,
        "evidence": {"anatomy": -0.5, "border": None},
    }


@pytest.mark.parametrize(
    ("missing", "repair"),
    [
        ((), "exchange the names of A1_wat.nii.gz and A1_fat.nii.gz"),
        (("wat",), "give A1_fat.nii.gz the name of the other contrast"),
        (("fat",), "give A1_wat.nii.gz the name of the other contrast"),
    ],
)
def test_a_whole_exchange_is_an_error_that_names_the_files(
    tmp_path, write_case, monkeypatch, missing, repair
):
    pretend(monkeypatch, "whole", np.s_[:], share=1.0)
    write_case(tmp_path, "A1", missing=missing)
    (row,) = cases.check_cases(tmp_path)
    (text,) = row["errors"]
    assert repair_of(text) == repair
    assert row["shape"] is not None


def exchange_files(folder, where):
    """Swap water and fat in a part of the array as it stands in the files."""
    wat, fat = (folder / "01" / f"01_{name}.nii.gz" for name in ("wat", "fat"))
    images = nib.load(wat), nib.load(fat)
    one, other = (np.array(image.dataobj) for image in images)
    one[where], other[where] = other[where], one[where].copy()
    for path, array, image in zip((wat, fat), (one, other), images, strict=True):
        nib.save(nib.Nifti1Image(array, image.affine, image.header), path)


def test_a_planted_exchange_is_found_in_the_phantom(scan, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(scan, folder)
    (row,) = cases.check_cases(folder)
    assert (row["exchange"]["kind"], row["errors"], row["warnings"]) == ("none", [], [])
    part = np.zeros(row["shape"], bool)
    part[:, 20:40, 26:46] = True  # in the middle of the body, however the axes run
    exchange_files(folder, part)
    (row,) = cases.check_cases(folder)
    assert (row["exchange"]["kind"], row["errors"]) == ("local", [])
    exchange_files(folder, ~part)
    (row,) = cases.check_cases(folder)
    assert row["exchange"]["kind"] == "whole"
    assert "exchange the names of 01_wat.nii.gz and 01_fat.nii.gz" in row["errors"][0]


@pytest.mark.parametrize("order", [*itertools.permutations(CONTRASTS)][2:])
def test_files_under_each_other_s_names_are_told_their_own(scan, tmp_path, order):
    """All but the right names, and an exchange of the names of wat and fat alone."""
    folder = tmp_path / "01"
    folder.mkdir()
    for name, shown in zip(CONTRASTS, order, strict=True):
        shutil.copy(scan / "01" / f"01_{shown}.nii.gz", folder / f"01_{name}.nii.gz")
    (row,) = cases.check_cases(folder)
    if order == ("fat", "wat", "inn", "opp"):
        assert row["exchange"]["kind"] == "whole"
        return
    assert (row["exchange"], row["label_shift"]) == (None, None)
    (text,) = row["errors"]
    wrong = [(name, shown) for name, shown in zip(CONTRASTS, order, strict=True) if name != shown]
    assert f"{len(wrong)} contrasts stand under each other's names" in text
    told = repair_of(text).removeprefix("rename ").split(", ")
    assert sorted(told) == sorted(f"01_{name}.nii.gz to {shown}" for name, shown in wrong)


def test_three_files_tell_their_names_where_opp_is_missing(scan, tmp_path):
    folder = tmp_path / "01"
    folder.mkdir()
    for name, shown in (("wat", "fat"), ("fat", "inn"), ("inn", "wat")):
        shutil.copy(scan / "01" / f"01_{shown}.nii.gz", folder / f"01_{name}.nii.gz")
    (row,) = cases.check_cases(folder)
    (text,) = row["errors"]
    assert "3 contrasts stand under each other's names" in text
    for repair in ("01_wat.nii.gz to fat", "01_fat.nii.gz to inn", "01_inn.nii.gz to wat"):
        assert repair in text


@pytest.mark.parametrize(
    ("change", "sizes"),
    [
        ({"opp": lambda a: 3 * a}, "opp misses |wat - fat| by 67 %"),
        ({"inn": lambda a: a[:, ::-1, ::-1] * 2}, "inn misses wat + fat by "),
        ({"wat": lambda a: a - 1000, "fat": lambda a: a - 1000}, "inn misses wat + fat by "),
    ],
)
def test_images_that_do_not_belong_together_are_warned_of(tmp_path, write_case, change, sizes):
    write_case(tmp_path, "A1", change=change)
    (row,) = cases.check_cases(tmp_path)
    (text,) = [text for text in row["warnings"] if "not images of one scan" in text]
    assert text.startswith(sizes)
    assert repair_of(text).endswith("mend that")
    assert row["errors"] == []


def test_labels_beside_the_discs_are_found_in_the_phantom(scan, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(scan, folder)
    path = folder / "01" / "01_Labels.nii.gz"
    image = nib.load(path)
    moved = np.roll(np.array(image.dataobj), 1, axis=2)  # upwards, by 5 mm
    nib.save(nib.Nifti1Image(moved, image.affine, image.header), path)
    (row,) = cases.check_cases(folder)
    forwards, upwards = row["label_shift"]
    assert -8 <= upwards <= -3 and abs(forwards) <= 5
    assert "the labels lie beside the discs" in row["warnings"][0] and not row["errors"]


def test_a_fault_of_ours_in_one_case_leaves_the_others(tmp_path, write_case, monkeypatch):
    def find(contrasts, spacing, discs=None):
        if contrasts["wat"].shape[0] == 5:
            raise ZeroDivisionError("by zero")
        return Exchange("none", 0.0, np.zeros(contrasts["wat"].shape, bool), {})

    monkeypatch.setattr(checks, "find_exchange", find)
    write_case(tmp_path, "A1", shape=(5, 24, 28))
    write_case(tmp_path, "B1")
    a, b = cases.check_cases(tmp_path)
    assert (
        "case A1: unexpected ZeroDivisionError: by zero; this is a fault of ivdlib"
        in a["errors"][0]
    )
    assert b["errors"] == []


def test_the_slice_is_the_one_with_most_of_the_exchange(tmp_path, write_case, monkeypatch):
    pretend(monkeypatch, "local", np.s_[4, 3:9, 5:7])
    write_case(tmp_path, "A1")
    (one,) = checks.examine(tmp_path, pictures=True)
    case = cases.load_case(tmp_path)
    for panel in one.panels:
        np.testing.assert_array_equal(panel.plane, case.contrasts[panel.title][4])
        np.testing.assert_array_equal(np.argwhere(panel.exchanged)[[0, -1]], [[3, 5], [8, 6]])


@pytest.mark.parametrize("sides", [(-5, 24, 28), (30000, 30000, 30000)])
def test_an_impossible_size_in_a_header_is_a_finding_like_others(tmp_path, write_case, sides):
    """One broken header must not hide what is found in the other cases."""
    for name in ("A1", "B1"):
        write_case(tmp_path, name, ending=".nii")
    path = tmp_path / "A1" / "A1_wat.nii"
    content = bytearray(path.read_bytes())
    content[42:48] = np.array(sides, "<i2").tobytes()
    path.write_bytes(content)
    first, second = checks.check_cases(tmp_path)
    assert any("A1_wat.nii" in error for error in first["errors"]) and second["errors"] == []


def test_a_file_that_unpacks_to_more_than_memory_costs_its_case_only(tmp_path, write_case, capsys):
    for name in ("A1", "B1", "C1"):
        write_case(tmp_path, name)
    fat, wat = tmp_path / "B1" / "B1_fat.nii.gz", tmp_path / "C1" / "C1_wat.nii.gz"
    member = gzip.compress(bytes(1 << 24), 1)
    fat.write_bytes(fat.read_bytes() + 512 * member)  # 8 GB behind what the header declares
    wat.write_bytes(
        gzip.compress(gzip.decompress(wat.read_bytes())[:42] + b"\xff\x7f" * 3) + member
    )
    a, b, c = cases.check_cases(tmp_path)
    assert a["errors"] == [] and len(b["errors"]) == len(c["errors"]) == 1
    assert f"{fat} goes on after the 6 x 24 x 28 voxels" in b["errors"][0]
    assert str(wat) in c["errors"][0]
    assert cli.main(["check", str(tmp_path)]) == 1
    assert f"{fat} goes on" in capsys.readouterr().out


def test_whatever_a_file_raises_the_others_are_checked(tmp_path, write_case, monkeypatch):
    def read(word, path):
        if path.name == "A1_fat.nii.gz":
            raise MemoryError
        return assembly.read_case(word, path)

    for name in ("A1", "B1"):
        write_case(tmp_path, name)
    monkeypatch.setattr(checks, "read_case", read)
    a, b = cases.check_cases(tmp_path)
    assert f"{tmp_path / 'A1' / 'A1_fat.nii.gz'}: it does not fit into memory" in a["errors"][0]
    assert b["errors"] == []


def test_voxels_of_several_sizes_are_one_finding_and_rounding_is_none(tmp_path, write_case):
    other = AFFINE @ np.diag([1, 0.72, 0.72, 1])
    for name, affine in (("A1", AFFINE), ("B1", other), ("C1", AFFINE * 1.001), ("D1", other)):
        write_case(tmp_path, name, affine=affine)
    write_case(tmp_path, "E1", affine=AFFINE)
    rows = {row["case"]: row["warnings"] for row in cases.check_cases(tmp_path)}
    said = {name: [t for t in texts if "voxel size" in t] for name, texts in rows.items()}
    assert [name for name, texts in said.items() if texts] == ["B1", "D1"]
    assert said["B1"] == said["D1"]
    assert "1.98 x 1.26 x 1.25 mm in 3 (A1, C1, E1), 1.98 x 0.90 x 0.90 mm in 2" in said["B1"][0]
    assert "resample" in repair_of(said["B1"][0])
    with pytest.warns(DataWarning, match="the scans of the folder differ in voxel size"):
        cases.load_cases(tmp_path)
