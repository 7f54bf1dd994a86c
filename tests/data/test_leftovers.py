"""What is not read is said: which files, why, and what they look like."""

import json
import os
import shutil
import warnings

import pytest
from dixon_cases import write_case

from ivdlib.cli import main
from ivdlib.data import cases
from ivdlib.data.remarks import Remark
from ivdlib.data.scans import look
from ivdlib.errors import DataError, DataWarning, SomeFailed
from ivdlib.evaluation.scoring import score_folders


@pytest.fixture
def data(tmp_path):
    for name in ("ana", "bob"):
        write_case(tmp_path / "data", name)
    (tmp_path / "data" / "subjects.csv").write_text("case,subject\nana,a\nbob,b\n")
    return tmp_path / "data"


def rename(data, person, word, name):
    path = data / person / f"{person}_{word}.nii.gz"
    path.rename(path.with_name(name))


def said(folder):
    return [
        (one.level == "warning", one.where, str(Remark(one.what, one.repair)))
        for one in look(folder).left
    ]


SCANNERS = {
    "W": "wat", "water": "wat", "WATER": "wat", "wata": "wat", "F": "fat", "Fett": "fat",
    "in": "inn", "InPhase": "inn", "IP": "inn",
    "oppa": "opp", "OutPhase": "opp", "OOP": "opp", "opp_1": "opp",
    "outofphase": "opp", "wat (1)": "wat", "seg": "labels", "mask": "labels",
    "Segmentation": "labels", "label": "labels",
}  # fmt: skip


@pytest.mark.parametrize("word", SCANNERS)
def test_names_that_are_not_ours_are_said_with_what_they_look_like(data, word):
    right = SCANNERS[word]
    rename(data, "bob", "Labels" if right == "labels" else right, f"bob_{word}.nii.gz")
    ((serious, where, text),) = said(data)
    assert serious and where == f"bob/bob_{word}.nii.gz"
    shown = "Labels" if right == "labels" else right
    us = "" if right == "labels" else ", or let ivdlib import do it"
    assert text.endswith(f"is like {right}; rename to …_{shown}.nii.gz{us}")
    with pytest.warns(DataWarning, match="rename to"):
        cases.load_cases(data) if right != "inn" else cases.load_case(data / "bob")


@pytest.mark.parametrize(
    ("word", "right"), [("t1_dixon_F", "fat"), ("in_phase", "inn"), ("opp_e2", "opp")]
)
def test_a_name_that_makes_a_case_of_its_own_is_told_as_such(data, word, right):
    rename(data, "bob", right, f"bob_{word}.nii.gz")
    (data / "subjects.csv").unlink()
    with pytest.raises(DataError, match=rf"or rename the files \((\w+) is like {right}\)"):
        cases.load_cases(data)


@pytest.mark.parametrize("ending", [".mha", ".nrrd", ".nii.bz2", ".mgz", ".hdr"])
def test_a_scan_in_another_format_is_said(data, ending):
    path = data / "cem" / f"cem_wat{ending}"
    path.parent.mkdir()
    path.write_bytes(b"x")
    ((serious, where, text),) = said(data)
    assert serious and where == f"cem/cem_wat{ending}" and text.endswith("to .nii.gz")
    path.rename(data / "ana" / f"ana_wat{ending}")  # this one was converted
    path.parent.rmdir()
    assert [one[0] for one in said(data)] == [False]


def test_what_lies_too_deep_is_said(data):
    write_case(data / "a" / "b" / "c" / "d", "cem")
    ((serious, where, text),) = said(data)
    assert serious and where.startswith("5 files (a/b/c/d/cem/cem_Labels.nii.gz, ")
    assert "more than 3 folders down; give a folder nearer to it" in text


def test_a_scan_without_a_word_is_said_and_labels_under_a_plain_name_are_only_listed(data):
    shutil.copy(data / "ana" / "ana_wat.nii.gz", data / "cem.nii.gz")
    (data / "vertebrae").mkdir()
    for name in ("ana", "bob"):
        shutil.copy(data / name / f"{name}_Labels.nii.gz", data / "vertebrae" / f"{name}.nii.gz")
    scan, plain = said(data)
    assert scan[:2] == (True, "cem.nii.gz") and "; rename it if it is one" in scan[2]
    assert "…_t2.nii.gz" in scan[2] and scan[2].endswith("or give it to ivdlib predict alone")
    assert plain[:2] == (False, "2 files (vertebrae/ana.nii.gz, vertebrae/bob.nii.gz)")
    assert "; rename it if it is one" in plain[2]


@pytest.mark.parametrize("name", ["ana_fat_1", "ana_.fat", "ana_fat (1)"])
def test_another_fat_is_not_taken_for_labels(data, name):
    """Whoever renamed it as it was said would lose the labels that are there."""
    shutil.copy(data / "ana" / "ana_fat.nii.gz", data / "ana" / f"{name}.nii.gz")
    ((serious, where, text),) = said(data)
    assert not serious and where.endswith(f"{name}.nii.gz")
    assert "the name is like fat" in text and "Labels" not in text


@pytest.mark.parametrize("word", ["dseg", "segm", "roi", "manual", "Maske", "Masque", "annotation"])
def test_labels_by_other_words(data, word):
    (data / "ana" / "ana_Labels.nii.gz").rename(data / "ana" / f"ana_{word}.nii.gz")
    ((serious, _, text),) = said(data)
    assert serious and text.endswith("rename to …_Labels.nii.gz")


@pytest.mark.parametrize(
    "name",
    [
        "participants.tsv",
        "patients.csv",
        "Probanden.xlsx",
        "subject_list.csv",
        "subjects (1).csv",
        "subjects_old.csv",
    ],
)
def test_a_table_of_people_that_is_not_read(data, name):
    (data / name).write_text("participant_id\tgroup\nana\t1\n")
    (data / "subjects.csv").unlink(missing_ok=True)
    ((serious, where, text),) = said(data)
    assert serious and where == name and "write a subjects.csv" in text
    (data / "subjects.csv").write_text("case,subject\nana,1\nbob,2\n")
    assert not said(data)


@pytest.mark.parametrize(
    ("content", "shown", "repair"),
    [
        ('{"orientation": "RAS"}', "'orientation'", "call it 'axcodes' if it is that"),
        (
            '{"corrections": {"axcodes": ["R", "A", "S"]}}',
            "'corrections.axcodes'",
            "put 'axcodes' at",
        ),
        ('{"ana": {"axcodes": ["R", "A", "S"]}}', "'ana.axcodes'", "put 'axcodes' at the top"),
        ('{"disc_labels": [1]}', "'disc_labels'", "call it 'discs' if it is that"),
        ('{"ivd": [1]}', "'ivd'", "call it 'discs' if it is that"),
        ('{"labels": {"disc": 1}}', "'labels'", "call it 'discs' if it is that"),
    ],
)
def test_corrections_that_are_not_read(data, content, shown, repair):
    (data / "dataset.json").write_text(content)
    ((serious, _, text),) = said(data)
    assert serious and text.startswith(f"{shown} is not read") and repair in text


@pytest.mark.parametrize("name", ["t2", "mask", "prediction", "T1map", "wat_2"])
def test_what_lies_beside_a_whole_scan_is_listed_and_not_warned_of(data, name, capsys):
    shutil.copy(data / "ana" / "ana_wat.nii.gz", data / "ana" / f"ana_{name}.nii.gz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cases.load_cases(data)
    assert main(["check", str(data)]) == 0
    out = capsys.readouterr().out
    assert f"left out  ana/ana_{name}.nii.gz: not read" in out and "2 cases: 2 ok" in out


@pytest.mark.parametrize(
    "name", ["ana_Discs.nii.gz", "._ana_wat.nii.gz", ".hidden.nii", "ana_Exact.nii.gz",
             "ana_Tissue.nii.gz", "ana_Swap.nii.gz", "ana_scan.json", "notes.txt"]
)  # fmt: skip
def test_what_is_ours_or_hidden_or_no_image_is_not_mentioned(data, name):
    shutil.copy(data / "ana" / "ana_Labels.nii.gz", data / "ana" / name)
    assert said(data) == []


def test_what_a_fault_names_is_not_said_again(data):
    shutil.copy(data / "ana" / "ana_wat.nii.gz", data / "ana" / "ana-WAT.nii.gz")
    assert said(data) == []


def test_many_files_are_counted(data):
    for n in range(40):
        (data / f"1-{n:02d}.dcm").write_bytes(b"x")
    ((serious, where, text),) = said(data)
    assert not serious and where.startswith("40 files (1-00.dcm, ") and "and 35 more)" in where
    assert text.startswith("DICOM is not read")


def test_a_folder_without_scans_says_what_it_holds_instead(tmp_path):
    (tmp_path / "1-01.dcm").write_bytes(b"x")
    said = r"\(1-01.dcm: DICOM is not read\); bring it in with ivdlib import"
    with pytest.raises(DataError, match=said):
        cases.find_cases(tmp_path)
    (tmp_path / "1-01.dcm").rename(tmp_path / "W.nii.gz")
    with pytest.raises(DataError, match=r"W.nii.gz: .* like wat\); rename to …_wat.nii.gz"):
        cases.find_cases(tmp_path)


def test_links_in_circles_end(data):
    (data / "subjects.csv").unlink()
    os.symlink(data, data / "again")
    assert look(data / "ana").left == ()
    with pytest.raises(DataError, match="is there"):
        cases.load_cases(data)


# ---- the sentences that refuse -----------------------------------------------------------------


def test_the_sentence_that_misses_a_contrast_names_the_file_that_looks_like_it(data):
    rename(data, "ana", "fat", "ana_F.nii.gz")
    rename(data, "ana", "inn", "ana_in.nii.gz")
    with pytest.raises(DataError, match="rename ana_F.nii.gz, ana_in.nii.gz, which"):
        cases.load_cases(data)


def test_a_contrast_that_is_derived_says_which_file_looks_like_it(data):
    rename(data, "ana", "opp", "ana_oppa.nii.gz")
    with pytest.warns(DataWarning, match=r"opp has no file \(…_oppa.nii.gz looks like it\), so"):
        cases.load_cases(data)
    with pytest.raises(DataError, match=r"'opp' is missing \(…_oppa.nii.gz looks like it\); add"):
        cases.load_cases(data, derive_missing=False)


def test_missing_labels_say_which_file_looks_like_them(data):
    rename(data, "ana", "Labels", "ana_seg.nii.gz")
    with pytest.raises(DataError, match=r"ana has no labels \(…_seg.nii.gz looks like it\); add"):
        cases.load_cases(data, labels_required=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cases.load_cases(data, masks=False)  # nobody asked for labels


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (
            ("W", "F", "ip", "op"),
            "f, ip, op, w, whose names are like fat, inn, opp, wat; rename to",
        ),
        (("t2", "seg", None, None), "seg, whose names are like labels; rename to …_Labels, or"),
    ],
)
def test_images_of_their_own_that_are_named_like_ours_are_told(tmp_path, names, match):
    place = write_case(tmp_path, "A1", labels=False)
    for word, name in zip(("wat", "fat", "inn", "opp"), names, strict=True):
        path = place / f"A1_{word}.nii.gz"
        path.rename(place / f"A1_{name}.nii.gz") if name else path.unlink()
    with pytest.warns(DataWarning, match=match):
        cases.load_cases(tmp_path)


# ---- beside the scans --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Subjects.csv", "subject.csv", "subjects.xlsx", "subjects.tsv", "subjects.csv.txt"]
)
def test_a_table_of_another_name_is_said(data, name):
    (data / "subjects.csv").rename(data / name)
    assert said(data) == [(True, name, "it is not read under this name; call it subjects.csv")]
    (data / "subjects.csv").write_text("case,subject\nana,a\nbob,b\n")
    assert said(data) == []


@pytest.mark.parametrize("key", ["axcode", "Axcodes", "disc", "disks", "spines"])
def test_a_key_that_is_misspelt_is_said(data, key):
    (data / "dataset.json").write_text(json.dumps({key: "RAS", "name": "x", "note": "y"}))
    ((serious, where, text),) = said(data)
    assert serious and where.endswith("dataset.json") and text.startswith(f"{key!r} is not read;")
    with pytest.warns(DataWarning, match=f"'{key}' is not read; call it"):
        cases.load_cases(data)


def test_rows_of_scans_that_are_not_here_are_listed(data, capsys):
    (data / "subjects.csv").write_text("case,subject\nana,a\nbob,b\ncem,c\ndora,d\n")
    ((serious, _, text),) = said(data)
    assert not serious and text == "of its cases cem, dora are not here"
    assert main(["check", str(data), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["left_out"]) == 1


# ---- masks and their truth ---------------------------------------------------------------------


@pytest.fixture
def masks(data, tmp_path):
    """A folder with a mask of each case."""
    (tmp_path / "out").mkdir()
    for name in ("ana", "bob"):
        shutil.copy(
            data / name / f"{name}_Labels.nii.gz", tmp_path / "out" / f"{name}_Discs.nii.gz"
        )
    return tmp_path / "out"


def test_masks_are_paired_whatever_the_spelling(masks, data):
    (masks / "ana_Discs.nii.gz").rename(masks / "ANA_discs.nii.gz")
    assert [row["volume"]["dice"] for row in score_folders(masks, data)] == [1, 1]


def test_masks_of_other_names_are_said(masks, data):
    (masks / "bob_Discs.nii.gz").rename(masks / "bob_seg.nii.gz")
    with pytest.warns(DataWarning, match=r"no mask for bob: .*\(bob_seg.nii.gz is not read\)"):
        score_folders(masks, data)
    (masks / "ana_Discs.nii.gz").rename(masks / "ana_pred.nii.gz")
    with pytest.raises(DataError, match="Discs.nii.gz, but ana_pred.nii.gz, bob_seg.nii.gz; run"):
        score_folders(masks, data)


def test_a_mask_that_belongs_to_no_case_says_which_it_may_be(masks, data):
    (masks / "ana_Discs.nii.gz").rename(masks / "anna_Discs.nii.gz")
    told = r"left out: case anna: .* no labels for anna \(ana looks like anna\)"
    with pytest.warns(DataWarning, match=told), pytest.raises(SomeFailed):
        score_folders(masks, data)


# ---- no false alarms ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "listed"),
    [("ivdm3seg_crops", 0), ("dixon_real", 0), ("spider_t2_slabs", 0), ("spider_t2_slabs_2", 0),
     ("berlin_t2", 1), ("munich_wat", 1), ("ribeirao_discs", 0)],
)  # fmt: skip
def test_no_warning_over_the_real_scans(shared, name, listed):
    found = look(shared / "data" / name).left
    assert [one for one in found if one.level == "warning"] == [] and len(found) == listed


def test_what_is_left_over_of_a_phantom_is_nothing(tmp_path):
    from ivdlib.phantom import make_phantom

    make_phantom(tmp_path, subjects=2, stages=2, slices=2, in_plane=64, workers=1)
    assert look(tmp_path).left == ()


def test_folders_that_hold_no_scan_are_said(data):
    (data / "eva").mkdir()
    (data / "bob" / "bob_seg.nii.gz").mkdir()
    (data / ".git" / "refs").mkdir(parents=True)
    assert said(data) == [
        (
            True,
            "bob/bob_seg.nii.gz",
            "a folder is no image; put the file that lies in it in its place",
        ),
        (False, "eva", "an empty folder; copy the scan into it, or delete it"),
    ]


def test_masks_that_were_moved_aside_are_ours(data):
    place = data / "saved"
    place.mkdir()
    for name in ("ana_Discs-1.nii.gz", "ana_other.nii.gz"):
        (place / name).write_bytes(b"x")
    assert [item.where for item in look(data).left] == ["saved/ana_other.nii.gz"]
