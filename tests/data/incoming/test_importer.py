"""From a scanner's files to scans in our layout, end to end."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from made_up_dicom import BORN, NAME, NUMBER, SCANNERS, classic, header, philips, read, siemens
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless, generate_uid

from ivdlib.cli import main
from ivdlib.data.cases import load_cases
from ivdlib.data.incoming import importer
from ivdlib.data.incoming.importer import import_scans
from ivdlib.errors import ConfigError, DataError
from ivdlib.phantom.scanner import simulate


@pytest.fixture(scope="module")
def scan():
    return simulate(1, 1, 0, slices=4, in_plane=64)


@pytest.fixture(scope="module")
def images(scan):
    return {name: np.asarray(array, np.int16) for name, array in scan.contrasts.items()}


def canonical(array, affine):
    image = nib.as_closest_canonical(nib.Nifti1Image(array, affine))
    return np.asarray(image.dataobj), image.affine


def written(out):
    """All bytes and names below a folder."""
    files = [path for path in out.rglob("*") if path.is_file()]
    return [str(p.relative_to(out)).encode() + p.read_bytes() for p in files] + [
        nib.load(p).get_fdata().tobytes() + bytes(nib.load(p).header.binaryblock)
        for p in files if p.name.endswith(".nii.gz")
    ]  # fmt: skip


@pytest.mark.parametrize("maker", SCANNERS)
def test_what_a_scanner_wrote_comes_back_voxel_for_voxel(tmp_path, images, scan, maker, capsys):
    source, out = tmp_path / "cd", tmp_path / "scans"
    SCANNERS[maker](source, images, scan.affine)
    assert main(["import", str(source), str(out)]) == 0
    told = capsys.readouterr()
    (case,) = load_cases(out)
    assert (case.name, case.subject) == ("sub-001", "sub-001")
    assert set(case.contrasts) == set(images)
    for name, array in images.items():
        path = out / "sub-001" / f"sub-001_{name}.nii.gz"
        expected, affine = canonical(array, scan.affine)
        found, where = canonical(np.asarray(nib.load(path).dataobj), nib.load(path).affine)
        assert np.array_equal(found, expected)
        assert np.allclose(where, affine, atol=1e-3)
        assert f"{name} (series" in told.out
    assert main(["check", str(out)]) == 0
    hidden = [NUMBER, BORN, *NAME.split("^"), NAME]
    for content in [*written(out), told.out.encode(), told.err.encode()]:
        for secret in hidden:
            assert secret.lower().encode() not in content.lower()
    key = tmp_path / "scans_key.csv"
    assert NUMBER in key.read_text() and key.stat().st_mode & 0o077 == 0


def test_ges_real_pair_lies_as_two_readers_have_it(tmp_path, shared, capsys):
    sitk = pytest.importorskip("SimpleITK")
    folder = shared / "data" / "dicom_dualecho"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    assert main(["import", str(folder), str(tmp_path / "out")]) == 0
    files = [(float(read(p).EchoTime), p) for p in sorted(folder.glob("*.dcm"))]
    for name, te in {"opp": min(files)[0], "inn": max(files)[0]}.items():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sorted((str(p) for t, p in files if t == te), reverse=True))
        other = reader.Execute()
        ours = nib.load(tmp_path / "out" / "sub-001" / f"sub-001_{name}.nii.gz")
        size, theirs = other.GetSize(), np.eye(4)
        theirs[:3, :3] = np.reshape(other.GetDirection(), (3, 3)) * other.GetSpacing()
        theirs[:3, 3] = other.GetOrigin()
        theirs = np.diag([-1, -1, 1, 1]) @ theirs
        back = np.linalg.inv(ours.affine) @ theirs
        assert ours.shape == size
        values, mine = sitk.GetArrayFromImage(other).T, np.asarray(ours.dataobj)
        for voxel in [(0, 0, 0), (10, 300, 3), tuple(n - 1 for n in size)]:
            there = back @ [*voxel, 1]
            assert np.allclose(there, np.rint(there), atol=2e-3)
            assert mine[tuple(np.rint(there[:3]).astype(int))] == values[voxel]
    assert "opp (series 5, echo time 2.044 ms" in capsys.readouterr().out


def test_a_name_in_a_path_or_a_description_is_hidden(tmp_path, images, scan, capsys):
    source, out = tmp_path / "Annegret Muellerowa 1948", tmp_path / "scans"
    siemens(source, images, scan.affine)
    ds = header(generate_uid(), generate_uid(), 9, "Scout Muellerowa, Annegret")
    classic(source / "scout", images["wat"], scan.affine, ds)
    (source / "001" / "IM0002").write_bytes((source / "001" / "IM0002").read_bytes()[:3000]) if (
        source / "001").is_dir() else None  # fmt: skip
    broken = source / "MUELLEROWA_ANNEGRET.dcm"
    broken.write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    assert main(["import", str(source), str(out)]) == 1
    told = capsys.readouterr()
    text = (told.out + told.err).casefold()
    assert "series 9 (scout …" in text and "a localiser" in text
    assert "muellerowa" not in text.replace(str(source).casefold(), "")
    assert all(b"uellerowa" not in content for content in written(out))


@pytest.mark.parametrize(("tesla", "mhz", "contrast"), [(1.5, 63.86, "opp"), (3.0, 127.7, "inn")])
def test_one_echo_time_is_opposed_at_one_field_and_in_phase_at_another(
    tmp_path, images, scan, capsys, tesla, mhz, contrast
):
    ds = header(generate_uid(), generate_uid(), 2, "fl3d sag", EchoTime=2.3,
                MagneticFieldStrength=tesla, ImagingFrequency=mhz,
                ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])  # fmt: skip
    classic(tmp_path / "in", images["wat"], scan.affine, ds)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert [p.name for p in (tmp_path / "out" / "sub-001").iterdir()] == [
        f"sub-001_{contrast}.nii.gz"
    ]
    assert "nothing but its echo time" in capsys.readouterr().err


def test_a_series_without_enough_to_tell_is_refused_by_name(tmp_path, images, scan, capsys):
    ds = header(generate_uid(), generate_uid(), 2, "sag 3d", EchoTime=3.4,
                ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])  # fmt: skip
    classic(tmp_path / "in", images["wat"], scan.affine, ds)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "series 2 (sag 3d)" in said and "neither in phase nor opposed" in said
    assert not (tmp_path / "out").exists()


def test_a_spin_echo_dixon_is_not_taken_for_a_gradient_echo(tmp_path, images, scan, capsys):
    siemens(tmp_path / "in", images, scan.affine, ScanningSequence="SE")
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert "spin-echo (T2) Dixon" in capsys.readouterr().err
    siemens(tmp_path / "in" / "t1", images, scan.affine, number=20)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out  # there is nothing to mend
    assert "wat (series 20" in told and "left out: series 3 (" in told
    assert "gradient echo" in (tmp_path / "out" / "import.csv").read_text()


def test_slices_in_any_file_order_with_copies_and_compression(tmp_path, images, scan, capsys):
    siemens(tmp_path / "in", images, scan.affine)
    files = sorted((tmp_path / "in").rglob("IM*"))
    for n, path in enumerate(files):
        ds = read(path)
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(path.with_name(f"{97 * n % 89:03d}"), enforce_file_format=True)
        path.unlink()
    some = next(p for p in (tmp_path / "in").rglob("0*") if p.is_file())
    shutil.copy(some, tmp_path / "in" / "copy.dcm")
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert "a copy of a file that is there" in capsys.readouterr().out
    (case,) = load_cases(tmp_path / "out")
    expected, _ = canonical(images["fat"], scan.affine)
    assert np.array_equal(case.contrasts["fat"], expected)


def test_a_missing_slice_and_a_file_cut_short_are_named(tmp_path, images, scan, capsys):
    siemens(tmp_path / "in", images, scan.affine)
    (tmp_path / "in" / "003" / "IM0002").unlink()
    cut = tmp_path / "in" / "004" / "IM0001"
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-500])
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    first, second = [*images][:2]
    assert f"series 3 (t1_vibe_dixon_sag), {first} of sub-001: 1 slice is missing" in said
    assert f"series 4 (t1_vibe_dixon_sag), {second} of sub-001: IM0001: its pixels" in said
    there = {p.name for p in (tmp_path / "out" / "sub-001").iterdir()}
    assert there == {f"sub-001_{name}.nii.gz" for name in [*images][2:]}
    cut.write_bytes(whole)  # mended: the same call adds it
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert (tmp_path / "out" / "sub-001" / f"sub-001_{second}.nii.gz").is_file()


def test_people_visits_and_repeated_scans_get_names_that_stay(tmp_path, images, scan, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    siemens(source / "a", images, scan.affine, PatientID="B2", StudyDate="20240301")
    siemens(source / "b", images, scan.affine, PatientID="A1", StudyDate="20240201")
    result = import_scans(source, out)
    assert [line.partition(":")[0] for line in result.scans] == ["sub-001", "sub-002"]
    siemens(source / "c", images, scan.affine, PatientID="A1", StudyDate="20250201")
    study = read(next((source / "a").rglob("IM*"))).StudyInstanceUID
    siemens(source / "d", images, scan.affine, PatientID="B2", StudyDate="20240301",
            study=study, number=30, AcquisitionTime="113000")  # fmt: skip
    siemens(source / "e", images, scan.affine, PatientID="C3", PatientBirthDate="19500101")
    again = import_scans(source, out)
    assert again.there == 2
    assert {line.partition(":")[0] for line in again.scans} == {
        "sub-001_ses-2", "sub-002_run-2", "sub-003"
    }  # fmt: skip
    assert any("sub-001 and sub-002 have one name" in text for text in again.warnings)
    people = {case.name: (case.subject, case.stage) for case in load_cases(out)}
    assert people == {
        "sub-001": ("sub-001", "1"), "sub-001_ses-2": ("sub-001", "2"),
        "sub-002": ("sub-002", "1"), "sub-002_run-2": ("sub-002", "1"), "sub-003": ("sub-003", "1"),
    }  # fmt: skip
    assert import_scans(source, out).there == 5


def test_dropped_by_name_and_by_kind(tmp_path, images, scan, capsys):
    source = tmp_path / "in"
    siemens(source, images, scan.affine, told_by="names")
    study = generate_uid()
    for n, (words, called, what) in enumerate([
        (["ORIGINAL", "PRIMARY", "P", "ND"], "gre", "a phase image"),
        (["DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION"], "ff", "a map"),
        (["DERIVED", "SECONDARY", "MPR"], "t1_vibe_dixon_W_MPR", "reformatted"),
        (["DERIVED", "SECONDARY", "SUBTRACTION"], "t1", "a subtraction"),
        (["ORIGINAL", "PRIMARY", "FILTERED"], "t1_W", "filtered"),
    ], start=40):  # fmt: skip
        ds = header(study, generate_uid(), n, called, ImageType=words)
        classic(source / str(n), images["wat"], scan.affine, ds)
        assert main(["import", str(source), str(tmp_path / f"out{n}")]) == 0
        assert f"series {n} ({called}) of sub-001: {what}\n" in capsys.readouterr().out


def test_the_record_says_why_and_names_nothing_else(tmp_path, images, scan):
    philips(tmp_path / "in", images, scan.affine)
    (tmp_path / "in" / "report.dcm").write_bytes(b"no dicom")
    import_scans(tmp_path / "in", tmp_path / "out")
    record = json.loads((tmp_path / "out" / "import.json").read_text())
    assert [(x["series"], x["why"]) for x in record["left_out"]] == [("a file", "no DICOM")]
    table = (tmp_path / "out" / "import.csv").read_text()
    assert "image type says IP" in table and "7.5" in table


def test_a_folder_that_holds_something_else_is_refused(tmp_path, images, scan):
    siemens(tmp_path / "in", images, scan.affine)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and holds no import"):
        import_scans(tmp_path / "in", tmp_path / "full")
    with pytest.raises(ConfigError, match="lie in one another"):
        import_scans(tmp_path / "in", tmp_path / "in" / "out")
    with pytest.raises(ConfigError, match="kept apart"):
        import_scans(tmp_path / "in", tmp_path / "out", tmp_path / "out" / "key.csv")
    import_scans(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out_key.csv").unlink()
    with pytest.raises(ConfigError, match="its key .* is not there"):
        import_scans(tmp_path / "in", tmp_path / "out")
    with pytest.raises(DataError, match="is no folder"):
        import_scans(tmp_path / "none", tmp_path / "out2")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no Dixon image"):
        import_scans(tmp_path / "empty", tmp_path / "out3")


def test_contrasts_of_two_acquisitions_are_not_mixed(tmp_path, images, scan):
    """The first lacks its fat: the fat of the second, which comes first there, stays with it."""
    study = generate_uid()
    first = {name: images[name] for name in ("inn", "opp", "wat")}
    second = {name: images[name] for name in ("fat", "inn", "opp", "wat")}
    siemens(tmp_path / "in", first, scan.affine, study=study, number=3)
    siemens(tmp_path / "in", second, scan.affine, study=study, number=9, AcquisitionTime="113000")
    import_scans(tmp_path / "in", tmp_path / "out")
    there = {p.name: len([*p.iterdir()]) for p in (tmp_path / "out").glob("sub*") if p.is_dir()}
    assert there == {"sub-001_run-1": 3, "sub-001_run-2": 4}


def test_phases_of_two_breath_holds_are_one_scan(tmp_path, images, scan):
    study = generate_uid()
    for n, name in enumerate(("inn", "opp")):
        siemens(tmp_path / "in", {name: images[name]}, scan.affine, study=study, number=3 + n,
                AcquisitionTime=f"10{n}000")  # fmt: skip
    (line,) = import_scans(tmp_path / "in", tmp_path / "out").scans
    assert line.startswith("sub-001: inn") and ", opp (" in line


def test_another_gradient_echo_of_the_visit_is_not_a_scan(tmp_path, images, scan):
    study = generate_uid()
    siemens(tmp_path / "in", images, scan.affine, study=study)
    ds = header(study, generate_uid(), 9, "t1 mprage", EchoTime=2.3,
                ImageType=["ORIGINAL", "PRIMARY", "M"])  # fmt: skip
    classic(tmp_path / "in" / "other", images["wat"][:, :32], scan.affine, ds)
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert len(result.scans) == 1
    assert [one.what for one in result.left] == ["series 9 (t1 mprage), opp of sub-001"]


def test_an_import_that_was_stopped_goes_on(tmp_path, images, scan, monkeypatch):
    siemens(tmp_path / "in" / "a", images, scan.affine, PatientID="A1")
    siemens(tmp_path / "in" / "b", images, scan.affine, PatientID="B2")
    usual, calls = importer._save, []

    def stop(*arguments):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(usual(*arguments))

    monkeypatch.setattr(importer, "_save", stop)
    with pytest.raises(KeyboardInterrupt):
        import_scans(tmp_path / "in", tmp_path / "out")
    monkeypatch.undo()
    assert len(import_scans(tmp_path / "in", tmp_path / "out").scans) == 2
    assert {case.name for case in load_cases(tmp_path / "out")} == {"sub-001", "sub-002"}
    assert not [p for p in (tmp_path / "out").rglob(".part*")]


def test_a_later_part_of_a_scan_joins_it(tmp_path, images, scan):
    study = generate_uid()
    siemens(tmp_path / "in", images, scan.affine, study=study)
    import_scans(tmp_path / "in", tmp_path / "out")
    for path in (tmp_path / "in" / "003", tmp_path / "in" / "004"):
        shutil.rmtree(path)
    assert import_scans(tmp_path / "in", tmp_path / "out").there == 1
    table = (tmp_path / "out" / "import.csv").read_text()
    assert all(f"sub-001,{name}," in table for name in images)


def test_slopes_of_philips_without_its_private_tags_are_warned_of(tmp_path, images, scan):
    philips(tmp_path / "in", images, scan.affine)
    for path in (tmp_path / "in").iterdir():
        ds = read(path)
        ds.remove_private_tags()
        ds.save_as(path)
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert "none of its images says how Philips scaled it" in result.warnings[0]


def test_values_that_are_no_image_are_refused(tmp_path, images, scan, capsys):
    siemens(tmp_path / "in", {**images, "fat": 0 * images["fat"]}, scan.affine)
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert "its values are no image" in capsys.readouterr().err


def test_acquisitions_that_were_cut_are_never_mixed_for_good(tmp_path, images, scan):
    """Of each a slice is missing at first, so that one of each is left; then all are there."""
    study, two = generate_uid(), {name: images[name] for name in ("wat", "fat")}
    siemens(tmp_path / "in", two, scan.affine, study=study, number=3, AcquisitionTime="101500")
    siemens(tmp_path / "in", two, scan.affine, study=study, number=9, AcquisitionTime="103000")
    shutil.copytree(tmp_path / "in", tmp_path / "whole")
    for cut in ("004", "009"):
        (tmp_path / "in" / cut / "IM0002").unlink()
    first = import_scans(tmp_path / "in", tmp_path / "out")
    assert any("acquired up to 15 min 00 s apart" in text for text in first.warnings)
    shutil.rmtree(tmp_path / "in")
    shutil.move(tmp_path / "whole", tmp_path / "in")
    again = import_scans(tmp_path / "in", tmp_path / "out")
    assert len({line.partition(":")[0] for line in again.scans}) == 2
    assert import_scans(tmp_path / "in", tmp_path / "out").there == 2


def test_an_image_that_lacks_its_last_slice_is_named(tmp_path, images, scan):
    siemens(tmp_path / "in", images, scan.affine)
    (tmp_path / "in" / "003" / "IM0004").unlink()
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert len(result.scans) == 1
    (one,) = result.serious
    assert "it has 3 slices, other images of its acquisition have 4" in one.why


def test_a_copy_that_is_cut_short_gives_way(tmp_path, images, scan):
    siemens(tmp_path / "in" / "b", images, scan.affine)
    shutil.copytree(tmp_path / "in" / "b", tmp_path / "in" / "a")
    cut = tmp_path / "in" / "a" / "003" / "IM0002"
    cut.write_bytes(cut.read_bytes()[:-500])
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert not result.serious and ", opp (" in result.scans[0]
    assert len([x for x in result.left if "copy of a file" in x.why]) == 16
    full = result.full.read_text().splitlines()
    assert len(full) == 17 and result.full.parent == tmp_path


def test_files_of_old_archives_and_deflated_ones(tmp_path, images, scan):
    siemens(tmp_path / "in", images, scan.affine)
    for n, path in enumerate(sorted((tmp_path / "in").rglob("IM*"))):
        ds = read(path)
        if n % 2:
            ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
            ds.save_as(path, enforce_file_format=True)
        else:
            del ds.file_meta
            ds.save_as(path, implicit_vr=True, little_endian=True)
    result = import_scans(tmp_path / "in", tmp_path / "out")
    assert not result.left
    (case,) = load_cases(tmp_path / "out")
    assert np.array_equal(case.contrasts["opp"], canonical(images["opp"], scan.affine)[0])


def test_the_folder_one_stands_in_can_be_filled(tmp_path, images, scan, monkeypatch):
    siemens(tmp_path / "in", images, scan.affine)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert main(["import", "../in", "."]) == 0
    assert (tmp_path / "out_key.csv").is_file()


def test_large_values_are_written_as_float32(tmp_path, images, scan):
    ds = header(generate_uid(), generate_uid(), 3, "dixon_W", RescaleSlope=300.0)
    classic(tmp_path / "in", images["wat"], scan.affine, ds)
    import_scans(tmp_path / "in", tmp_path / "out")
    path = tmp_path / "out" / "sub-001" / "sub-001_wat.nii.gz"
    assert nib.load(path).get_data_dtype() == np.float32
