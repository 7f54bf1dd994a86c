"""DICOM files in the manner of scanners: made up, for no scanner but GE's was at hand.

What is written follows conformance statements and what users report; the pixels are the phantom's.
"""

import copy
import os
from pathlib import Path

import numpy as np
import pytest

if os.environ.get("IVDLIB_CI") != "1":  # an extra: without it these tests are skipped
    for name in ("pydicom", "highdicom"):
        pytest.importorskip(name)

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from ivdlib.data.incoming.headers import read_frames

NAME, NUMBER, BORN = "Muellerowa^Annegret", "PID-7734-XQ", "19481231"
"""Identifiers that must stand in no file but the key."""

PIXELS = np.arange(20).reshape(4, 5)

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])

SIEMENS = {"wat": "W", "fat": "F", "inn": "in", "opp": "opp"}
PHILIPS = {"wat": "W", "fat": "F", "inn": "IP", "opp": "OP"}
FRAME_TYPES = {"wat": "WATER", "fat": "FAT", "inn": "IN_PHASE", "opp": "OUT_OF_PHASE"}
GE = {"wat": "WATER", "fat": "FAT", "inn": "InPhase", "opp": "OutPhase"}
SCALE = {"wat": (0.5, 2.0), "fat": (3.25, 3.0), "inn": (1.75, 4.0), "opp": (7.5, 1.0)}
"""Philips: rescale slope and scale slope, another pair for each contrast."""


def sagittal(array, affine):
    """Slices of a volume as a scanner shows them, and where each first pixel lies.

    Yields (pixels, place, turn, pixel distances): columns run along axis 1 of the array, rows down
    along axis 2, slices along axis 0.
    """
    lps = FLIP @ affine
    step = np.linalg.norm(lps[:3, :3], axis=0)
    turn = [*(lps[:3, 1] / step[1]), *(-lps[:3, 2] / step[2])]
    top = array.shape[2] - 1
    for i in range(array.shape[0]):
        place = (lps @ [i, 0, top, 1])[:3]
        yield array[i, :, ::-1].T, [*place], turn, [step[2], step[1]]


def header(study, series, number, description, **more):
    """Everything of a classic file but its pixels."""
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = NAME, NUMBER, BORN
    ds.PatientSex, ds.Modality, ds.StudyDate, ds.StudyTime = "F", "MR", "20240102", "101500"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.SeriesNumber, ds.SeriesDescription = number, description
    ds.ScanningSequence, ds.AcquisitionDate, ds.AcquisitionTime = "GR", "20240102", "102000"
    ds.MagneticFieldStrength, ds.ImagingFrequency, ds.EchoTime = 1.5, 63.86, 2.3
    ds.SliceThickness, ds.Manufacturer = 2.0, "SIEMENS"
    for key, value in more.items():
        setattr(ds, key, value)
    return ds


def write(ds, pixels, path, kind=MRImageStorage, syntax=ExplicitVRLittleEndian, instance=1):
    """Write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID, ds.SOPInstanceUID = kind, generate_uid()
    ds.file_meta.MediaStorageSOPClassUID = kind
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = syntax
    ds.InstanceNumber = instance
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = np.ascontiguousarray(pixels.astype("<i2")).tobytes()
    ds.save_as(path, enforce_file_format=True)


def classic(folder, array, affine, ds, *, first=1, **how):
    """One file a slice."""
    for n, (pixels, place, turn, apart) in enumerate(sagittal(array, affine), start=first):
        one = copy.deepcopy(ds)
        one.ImagePositionPatient, one.ImageOrientationPatient = place, turn
        one.PixelSpacing = apart
        write(one, pixels, Path(folder) / f"IM{n:04d}", instance=n, **how)


def siemens(folder, images, affine, study=None, number=3, told_by="words", **more):
    """Four series; told by the image type, or by nothing but the names of the series."""
    study = study or generate_uid()
    for n, (name, array) in enumerate(images.items(), start=number):
        words = {"wat": "WATER", "fat": "FAT", "inn": "IN_PHASE", "opp": "OPP_PHASE"}[name]
        words = ["DERIVED", "PRIMARY", "DIXON", words] if told_by == "words" else [
            "ORIGINAL", "PRIMARY", "M", "ND", "NORM"]  # fmt: skip
        called = f"t1_vibe_dixon_sag_{SIEMENS[name]}" if told_by == "names" else "t1_vibe_dixon_sag"
        # Flexible echoes: the echo time is that of neither phase.
        ds = header(study, generate_uid(), n, called, ImageType=words, EchoTime=1.29, **more)
        classic(Path(folder) / f"{n:03d}", array, affine, ds)


def philips(folder, images, affine):
    """One series, scaled for display: each contrast with slopes of its own, in private tags."""
    study, series = generate_uid(), generate_uid()
    for k, (name, array) in enumerate(images.items()):
        slope, scale = SCALE[name]
        letter = PHILIPS[name]
        ds = header(study, series, 401, "mDIXON sag", Manufacturer="Philips Healthcare",
                    ImageType=["ORIGINAL", "PRIMARY", letter, letter, "DERIVED"])  # fmt: skip
        ds.RescaleSlope, ds.RescaleIntercept = slope, 0
        ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(
            0x0E, "FL", scale
        )
        first = 1 + k * array.shape[0]
        classic(folder, array * scale, affine, ds, first=first, syntax=ImplicitVRLittleEndian)


def philips_enhanced(folder, images, affine):
    """One file: frames of all contrasts by turns, what each shows in its FrameType."""
    ds = header(generate_uid(), generate_uid(), 501, "mDIXON sag", Manufacturer="Philips",
                ImageType=["ORIGINAL", "PRIMARY", "T1", "MIXED"])  # fmt: skip
    del ds.ScanningSequence, ds.EchoTime, ds.ImagingFrequency
    ds.EchoPulseSequence = "GRADIENT"
    shared, ds.PerFrameFunctionalGroupsSequence, pixels = Dataset(), [], []
    slices = {name: [*sagittal(array, affine)] for name, array in images.items()}
    for i in range(len(next(iter(slices.values())))):
        for name, some in slices.items():
            stored, place, turn, apart = some[i]
            slope, scale = SCALE[name]
            frame = Dataset()
            frame.MRImageFrameTypeSequence = [item(
                FrameType=["ORIGINAL", "PRIMARY", "DIXON", FRAME_TYPES[name]],
                ComplexImageComponent="MAGNITUDE")]  # fmt: skip
            frame.PlanePositionSequence = [item(ImagePositionPatient=place)]
            frame.MREchoSequence = [item(EffectiveEchoTime=2.3)]
            frame.PixelValueTransformationSequence = [
                item(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US")]  # fmt: skip
            own = Dataset()
            private(own, "001").add_new(0x0E, "FL", scale)
            private(frame, "005").add_new(0x0F, "SQ", [own])
            ds.PerFrameFunctionalGroupsSequence.append(frame)
            pixels.append(stored * scale)
    shared.PlaneOrientationSequence = [item(ImageOrientationPatient=turn)]
    shared.PixelMeasuresSequence = [item(PixelSpacing=apart, SliceThickness=2.0)]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.NumberOfFrames = len(pixels)
    write(ds, np.stack(pixels), Path(folder) / "IM_0001.dcm", EnhancedMRImageStorage)


def private(ds, number):
    """A block of Philips' own tags."""
    return ds.private_block(0x2005, f"Philips MR Imaging DD {number}", create=True)


def item(**values):
    ds = Dataset()
    for key, value in values.items():
        setattr(ds, key, value)
    return ds


def ge(folder, images, affine):
    """Both raw echoes in one series, whose EchoNumber lies; water and fat by names of series."""
    study, series = generate_uid(), generate_uid()
    echoes = {"opp": 2.1, "inn": 4.4}
    for k, (name, te) in enumerate(echoes.items()):
        ds = header(study, series, 5, "Sag T1 DualEcho (out/in Phase", EchoTime=te, EchoNumbers=1,
                    Manufacturer="GE MEDICAL SYSTEMS",
                    ImageType=["ORIGINAL", "PRIMARY", "OTHER"])  # fmt: skip
        classic(folder, images[name], affine, ds, first=1 + k * images[name].shape[0])
    for n, name in enumerate(("wat", "fat"), start=6):
        ds = header(study, generate_uid(), n, f"{GE[name]}: Sag LAVA-Flex", EchoTime=1.1,
                    Manufacturer="GE MEDICAL SYSTEMS",
                    ImageType=["DERIVED", "PRIMARY", "OTHER"])  # fmt: skip
        classic(Path(folder) / name, images[name], affine, ds)


def canon(folder, images, affine):
    """Four series; the field in gauss, slices sorted the other way."""
    study = generate_uid()
    for n, (name, array) in enumerate(images.items(), start=7000):
        ds = header(study, generate_uid(), n, "FFE3D WFS sag", Manufacturer="CANON_MEC",
                    ImageType=["DERIVED", "PRIMARY", "WFS", FRAME_TYPES[name]],
                    MagneticFieldStrength=15000)  # fmt: skip
        del ds.ImagingFrequency
        turn = np.diag([-1.0, 1, 1, 1])
        turn[0, 3] = array.shape[0] - 1
        classic(Path(folder) / str(n), array[::-1], affine @ turn, ds)


def frame(path, **more):
    """Write a file of one slice; what is read of its header."""
    ds = header("1.2", "1.3", 4, "t1", **more)
    write(ds, PIXELS, path)
    why, (found,), _ = read_frames(path)
    assert why == ""
    return found


SCANNERS = {
    "siemens": siemens, "philips": philips, "philips_enhanced": philips_enhanced, "ge": ge,
    "canon": canon,
}  # fmt: skip


def read(path):
    """A file, for tests."""
    return pydicom.dcmread(path)
