"""What is read from the header of a DICOM file."""

import builtins

import numpy as np
import pytest
from made_up_dicom import NAME, PIXELS, frame, header, item, philips_enhanced, read, write

from ivdlib.data.incoming.headers import files_below, read_frames
from ivdlib.errors import ConfigError, DataError


def test_a_classic_file(tmp_path):
    found = frame(tmp_path / "x", MagneticFieldStrength=15000, EchoTime="2.30",
                  ImagePositionPatient=[1, 2, 3], ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
                  PixelSpacing=[1.25, 1.5], RescaleSlope=2, RescaleIntercept=-3)  # fmt: skip
    assert (found.tesla, found.te_ms, found.mhz) == (1.5, 2.3, 63.86)
    assert (found.place, found.pixel, found.size) == ((1, 2, 3), (1.25, 1.5), (4, 5))
    assert (found.slope, found.intercept, found.philips) == (2, -3, 0)
    assert (found.sequence, found.component, found.suppressed) == ("gradient echo", "", False)


@pytest.mark.parametrize(("more", "sequence"), [
    ({"ScanningSequence": ["SE", "IR"]}, "spin echo"), ({"ScanningSequence": "EP"}, "echo planar"),
    ({"ScanningSequence": ["RM", "GR"]}, "gradient echo"), ({"ScanningSequence": "RM"}, ""),
    ({"ScanningSequence": "RM", "EchoTime": 80}, "spin echo"),
])  # fmt: skip
def test_sequences(tmp_path, more, sequence):
    assert frame(tmp_path / "x", **more).sequence == sequence


def test_fat_that_was_suppressed_and_ges_kind_of_image(tmp_path):
    assert frame(tmp_path / "a", ScanOptions=["FS", "PFP"]).suppressed
    ds = header("1.2", "1.3", 4, "t1")
    ds.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", 1)
    write(ds, PIXELS, tmp_path / "b")
    assert read_frames(tmp_path / "b")[1][0].component == "PHASE"


def test_values_that_are_no_numbers_are_none(tmp_path):
    found = frame(tmp_path / "x", EchoTime=None, ImagePositionPatient=[1, 2])
    assert found.te_ms is None and found.place is None


def test_enhanced_frames_take_their_own_values_first(tmp_path):
    philips_enhanced(tmp_path, {"wat": np.ones((2, 4, 4)), "opp": np.ones((2, 4, 4))}, np.eye(4))
    path = tmp_path / "IM_0001.dcm"
    words = [f.words[-1] for f in read_frames(path)[1]]
    assert words == ["WATER", "OUT_OF_PHASE"] * 2
    ds = read(path)
    ds.PerFrameFunctionalGroupsSequence[1].MREchoSequence = [item(EffectiveEchoTime=9.0)]
    ds.save_as(path)
    assert [f.te_ms for f in read_frames(path)[1]] == [2.3, 9.0, 2.3, 2.3]


def test_files_that_hold_no_mr_image_are_told(tmp_path):
    ds = header("1.2", "1.3", 4, "t1", Modality="SR")
    write(ds, PIXELS, tmp_path / "sr", kind="1.2.840.10008.5.1.4.1.1.88.11")
    why, frames, who = read_frames(tmp_path / "sr")
    assert (why, frames, who.name) == ("no MR image, but SR", [], NAME)
    write(ds, PIXELS, tmp_path / "DICOMDIR", kind="1.2.840.10008.1.3.10")
    assert read_frames(tmp_path / "DICOMDIR") == ("a table of contents", [], None)
    (tmp_path / "text").write_text("hello")
    assert read_frames(tmp_path / "text") == ("no DICOM", [], None)


def test_a_damaged_or_missing_file_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 60)
    with pytest.raises(DataError, match="x (is damaged|cannot be read as DICOM)"):
        read_frames(tmp_path / "x")
    with pytest.raises(DataError, match="cannot read .*none"):
        read_frames(tmp_path / "none")


def test_without_pydicom_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    usual = builtins.__import__

    def missing(name, *more):
        if name == "pydicom":
            raise ImportError(name)
        return usual(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"pip install 'ivdlib\[dicom\]'"):
        read_frames(tmp_path)


def test_hidden_files_are_left_alone(tmp_path):
    for name in ("b", "a", ".hidden", ".git/x", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    names = [p.relative_to(tmp_path).as_posix() for p in files_below(tmp_path)]
    assert names == ["a", "b", "c/d"]


def test_names_that_are_single_values_are_whole(tmp_path):
    found = frame(tmp_path / "x", PatientMotherBirthName="Schmidt^Eva", AccessionNumber="ACC-9")
    assert {"SCHMIDT^EVA", "ACC-9"} <= set(found.patient.others)


def test_files_of_old_archives_have_no_preamble(tmp_path):
    ds = header("1.2", "1.3", 4, "t1_dixon_W")
    write(ds, PIXELS, tmp_path / "IM1")
    (tmp_path / "IM2").write_bytes((tmp_path / "IM1").read_bytes()[132:])
    old = read(tmp_path / "IM1")
    del old.file_meta
    old.save_as(tmp_path / "IM3", implicit_vr=True, little_endian=True)
    assert read_frames(tmp_path / "IM3")[1][0].description == "t1_dixon_W"
    (tmp_path / "x.bin").write_bytes(b"\x08\x00 nothing of the kind")
    assert read_frames(tmp_path / "x.bin")[1] == []


def test_frames_without_places_are_refused(tmp_path):
    ds = header("1.2", "1.3", 4, "t1", NumberOfFrames=2)
    write(ds, np.stack([PIXELS, PIXELS]), tmp_path / "x")
    with pytest.raises(DataError, match="is to hold 2 frames, and its header says of 0"):
        read_frames(tmp_path / "x")


def test_junk_in_a_number_loses_no_file(tmp_path):
    ds = header("1.2", "1.3", 4, "t1_dixon_W")
    write(ds, PIXELS, tmp_path / "x")
    whole = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(whole.replace(b"63.86 ", b"6e;86 "))
    assert read_frames(tmp_path / "x")[1][0].mhz in (None, 1.5 * 42.577)


def test_links_are_followed_once(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "pat").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "back").symlink_to(tmp_path / "in")
    assert [p.name for p in files_below(tmp_path / "in")] == ["x"]


def test_what_ge_calls_protocol_is_the_whole_examination(tmp_path):
    assert frame(tmp_path / "x", ProtocolName="LIVER FAT QUANT").description == "t1"
