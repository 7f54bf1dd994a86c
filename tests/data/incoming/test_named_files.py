"""NIfTI files under the scanner's names, and in BIDS."""

import json

import nibabel as nib
import numpy as np
import pytest

from ivdlib.cli import main
from ivdlib.data.cases import load_cases
from ivdlib.data.incoming.importer import import_scans
from ivdlib.data.incoming.named_files import find_named
from ivdlib.errors import DataError

AFFINE = np.diag([2.0, 1.25, 1.25, 1.0])


def save(path, seed=0, shape=(4, 20, 20), sidecar=None, affine=AFFINE, descrip=""):
    rng = np.random.default_rng([seed, len(path.name)])
    image = nib.Nifti1Image(rng.integers(0, 500, shape).astype(np.int16), affine)
    image.header["descrip"] = descrip.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    if sidecar is not None:
        name = path.name.removesuffix(".gz").removesuffix(".nii")
        (path.parent / f"{name}.json").write_text(json.dumps(sidecar))


def told(folder):
    """Contrast by file, of what is understood, and why not of the others."""
    found, left = find_named(folder)
    return {v.label: v.contrast for v in found}, {x.what: x.why for x in left}


NAMES = {
    "siemens": ["t1_vibe_dixon_sag_W", "t1_vibe_dixon_sag_F", "t1_vibe_dixon_sag_in",
                "t1_vibe_dixon_sag_opp"],
    "biobank": ["Dixon_BH_17s_W", "Dixon_BH_17s_F", "Dixon_BH_17s_in", "Dixon_BH_17s_opp"],
    "ge": ["LAVA_WATER", "LAVA_FAT", "LAVA_InPhase", "LAVA_OutPhase"],
    "dcm2niix": ["t1_vibe_dixon_W_20240102101112_5", "t1_vibe_dixon_F_20240102101112_4",
                 "t1_vibe_dixon_in_20240102101112_2", "t1_vibe_dixon_opp_20240102101112_3a"],
    "ours": ["wat", "fat", "inn", "oppa"],
    "words": ["sag water", "sag fat", "sag in-phase", "sag out of phase"],
    "middle": ["water_tra", "fat_tra", "in-phase_tra", "out-of-phase_tra"],
    "short": ["mDIXON_w", "mDIXON_f", "mDIXON_ip", "mDIXON_op"],
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_scanners_are_understood(tmp_path, kind):
    for person in ("P1", "P2"):
        for n, name in enumerate(NAMES[kind]):
            save(tmp_path / "in" / f"{person}_{name}.nii.gz", n, descrip="Muellerowa")
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert not result.left
    cases = load_cases(tmp_path / "out", derive_missing=False)
    assert [case.name for case in cases] == ["sub-001", "sub-002"]
    assert all(set(case.contrasts) == {"wat", "fat", "inn", "opp"} for case in cases)
    first = nib.load(tmp_path / "in" / f"P1_{NAMES[kind][1]}.nii.gz")
    second = nib.load(tmp_path / "out" / "sub-001" / "sub-001_fat.nii.gz")
    assert np.array_equal(first.get_fdata(), second.get_fdata())
    assert np.array_equal(first.affine, second.affine)
    assert b"Muellerowa" not in bytes(second.header.binaryblock)


def test_a_folder_a_person_with_bare_names(tmp_path):
    for person in ("Hans Meier", "Eva Meier"):
        for n, name in enumerate(["WATER", "FAT", "InPhase", "OutPhase"]):
            save(tmp_path / "in" / person / f"LAVA_{name}.nii", n)
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert len(result.scans) == 2
    assert not [p for p in (tmp_path / "out").rglob("*") if "meier" in p.name.lower()]
    assert "Meier" not in (tmp_path / "out" / "import.csv").read_text()
    assert "Hans Meier" in result.key.read_text()


def test_bids_keeps_its_names_and_parts(tmp_path, capsys):
    for ses in ("1", "2"):
        place = tmp_path / "in" / "sub-07" / f"ses-{ses}" / "anat"
        for n, name in enumerate(["water", "fat", "inphase", "outphase"]):
            save(place / f"sub-07_ses-{ses}_acq-dixon_rec-{name}_part-mag_T1w.nii.gz", n)
            save(place / f"sub-07_ses-{ses}_acq-dixon_rec-{name}_part-phase_T1w.nii.gz", n)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert "a phase image" in capsys.readouterr().out
    cases = load_cases(tmp_path / "out", derive_missing=False)
    assert [(c.name, c.subject, c.stage) for c in cases] == [
        ("sub-07_ses-1", "sub-07", "1"), ("sub-07_ses-2", "sub-07", "2")
    ]  # fmt: skip


def test_a_sidecar_speaks_where_the_name_does_not(tmp_path):
    gre = {"ScanningSequence": "GR", "MagneticFieldStrength": 3}
    for n, te in enumerate((0.00115, 0.0023), start=1):
        name = f"sub-01_echo-{n}_part-mag_MEGRE.nii.gz"
        save(tmp_path / name, n, sidecar={**gre, "EchoTime": te})
    for n, word in enumerate(("WATER", "FAT", "FAT_FRACTION"), start=5):
        save(tmp_path / f"sub-01_acq-x_{n}.nii.gz", n,
             sidecar={"ImageType": ["DERIVED", "PRIMARY", "DIXON", word]})  # fmt: skip
    found, left = told(tmp_path)
    assert found == {
        "sub-01_echo-1_part-mag_MEGRE.nii.gz": "opp", "sub-01_echo-2_part-mag_MEGRE.nii.gz": "inn",
        "sub-01_acq-x_5.nii.gz": "wat", "sub-01_acq-x_6.nii.gz": "fat",
    }  # fmt: skip
    assert left == {"sub-01_acq-x_7.nii.gz": "a map"}
    assert len(import_scans(tmp_path, tmp_path.with_name("out")).scans) == 1


def test_what_is_not_understood_is_named(tmp_path, capsys):
    for name in ("P1_W", "P1_T2w", "P1_seg", "P1_ff"):
        save(tmp_path / "in" / f"{name}.nii.gz")
    save(tmp_path / "in" / "P1_F.nii.gz", shape=(4, 20, 20, 3))
    (tmp_path / "in" / "P1_in.nii.gz").write_bytes(b"\x1f\x8b broken")
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "P1_T2w.nii.gz: neither its name nor a sidecar says" in said.err
    assert "P1_F.nii.gz: it is 4-dimensional" in said.err
    assert "P1_in.nii.gz: " in said.err
    assert "P1_seg.nii.gz: labels" in said.out and "P1_ff.nii.gz: a map" in said.out


def test_images_that_are_no_scan_alone_are_refused(tmp_path):
    save(tmp_path / "in" / "P1_T2w.nii.gz")
    with pytest.raises(DataError, match="P1_T2w.nii.gz: neither its name"):
        import_scans(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out_key.csv").exists()


def test_numbers_of_people_are_not_taken_for_numbers_of_series(tmp_path):
    for person in ("1001", "1002"):
        for n, word in enumerate(("WATER", "FAT"), start=3):
            said = {"ImageType": ["DERIVED", "PRIMARY", "DIXON", word], "SeriesNumber": n}
            save(tmp_path / "in" / f"P_{person}_{n}.nii.gz", n, sidecar=said)
    assert [line[:8] for line in import_scans(tmp_path / "in", tmp_path / "out").scans] == [
        "sub-001:",
        "sub-002:",
    ]


def test_a_sidecar_that_names_the_patient_tells_people_apart_and_is_not_written(tmp_path, capsys):
    for n, (word, letter) in enumerate({"WATER": "W", "FAT": "F"}.items(), start=3):
        who = {"PatientID": "PID-99", "PatientName": "Mueller^Anna", "SeriesNumber": n,
               "ImageType": ["DERIVED", "PRIMARY", "DIXON", word]}  # fmt: skip
        save(tmp_path / "in" / f"Mueller_Anna_dixon_{letter}_{n}.nii.gz", n, sidecar=who)
    bad = {"PatientName": "Mueller^Anna", "PatientID": "PID-99"}
    save(tmp_path / "in" / "Mueller_Anna_in.nii.gz", shape=(4, 20, 20, 2), sidecar=bad)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    said = "".join(capsys.readouterr())
    assert said.count("sub-001: wat") == 1 and ", fat (" in said
    written = "".join(p.read_text() for p in (tmp_path / "out").glob("*.*"))
    assert not any(secret in said + written for secret in ("Mueller", "Anna", "PID-99"))


def test_a_label_of_bids_that_is_a_name_is_not_kept(tmp_path):
    save(tmp_path / "in" / "sub-Hans Meier_W.nii.gz")
    save(tmp_path / "in" / "sub-MeierHans_W.nii.gz", 1, sidecar={"PatientName": "MeierHans"})
    found = import_scans(tmp_path / "in", tmp_path / "out").scans
    assert {line.partition(":")[0] for line in found} == {"sub-001", "sub-002"}


def test_folders_of_visits_are_not_one_person(tmp_path):
    for person in ("P01", "P02"):
        save(tmp_path / "in" / person / "ses-1" / "x_W.nii.gz", len(person) + ord(person[-1]))
    assert len(import_scans(tmp_path / "in", tmp_path / "out").scans) == 2


def test_scans_of_another_folder_are_other_scans(tmp_path):
    for site in ("A", "B"):
        save(tmp_path / site / "P1_W.nii.gz", ord(site))
        import_scans(tmp_path / site, tmp_path / "out")
    people = (tmp_path / "out" / "subjects.csv").read_text().split()
    assert people == ["case,subject,stage", "sub-001,sub-001,1", "sub-002,sub-002,1"]
    (tmp_path / "A").rename(tmp_path / "moved")
    assert import_scans(tmp_path / "moved", tmp_path / "out").there == 1


def test_a_name_of_bids_that_is_taken_is_refused(tmp_path, capsys):
    for site in ("A", "B"):
        save(tmp_path / site / "sub-01_W.nii.gz", ord(site))
    assert main(["import", str(tmp_path / "A"), str(tmp_path / "out")]) == 0
    assert main(["import", str(tmp_path / "B"), str(tmp_path / "out")]) == 1
    assert "another scan is called sub-01 there" in capsys.readouterr().err


def test_what_a_word_says_goes_before_an_echo_time(tmp_path):
    said = {"ScanningSequence": "GR", "EchoTime": 0.0023, "MagneticFieldStrength": 1.5}
    save(tmp_path / "sub-01_acq-dixon_desc-water_T1w.nii.gz", sidecar=said)
    save(tmp_path / "sub-02_acq-dixon_W.nii.gz", sidecar=said)
    save(tmp_path / "sub-03_acq-dixon_rec-water_T2w.nii.gz",
         sidecar={"ScanningSequence": "SE_IR", "EchoTime": 0.02})  # fmt: skip
    save(tmp_path / "sub-04_T1w.nii.gz", sidecar={**said, "ScanOptions": "IR_WE"})
    found, left = told(tmp_path)
    assert {name[:6]: c for name, c in found.items()} == {"sub-01": "wat", "sub-02": "wat"}
    assert "spin-echo" in left["sub-03_acq-dixon_rec-water_T2w.nii.gz"]
    assert "suppressed" in left["sub-04_T1w.nii.gz"]


def test_runs_of_bids_stay_and_derivatives_are_left_out(tmp_path):
    for name in ("fat_run-1", "water_run-1", "water_run-2", "fat_run-3"):
        save(
            tmp_path / "in" / "sub-05" / f"sub-05_acq-{name}_T1w.nii.gz", len(name) + ord(name[-1])
        )
    save(tmp_path / "in" / "derivatives" / "x" / "sub-05_desc-water_T1w.nii.gz", 99)
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert {line.partition(" (")[0] for line in result.scans} == {
        "sub-05_run-1: wat", "sub-05_run-2: wat", "sub-05_run-3: fat"
    }  # fmt: skip
    assert [x.why for x in result.left] == ["made of others (derivatives of BIDS)"]


def test_what_begins_with_sub_is_no_subtraction(tmp_path):
    save(tmp_path / "sub_anna_mDIXON_water.nii.gz")
    assert told(tmp_path)[0] == {"sub_anna_mDIXON_water.nii.gz": "wat"}
