"""Read the headers of DICOM files: classic ones, a slice each, and enhanced ones."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ivdlib.data.incoming.attributes import Attributes
from ivdlib.data.incoming.frame import Frame, Patient
from ivdlib.data.incoming.scaling import philips_slope, rescale
from ivdlib.errors import ConfigError, DataError
from ivdlib.files import cannot

MR = {
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "enhanced MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "legacy converted enhanced MR",
}
"""SOP classes that are read. Others of a study (reports, screenshots, CT) are left out by name."""

DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR, a table of contents: the files that it names are found anyway."""

GAUSS = 100.0
"""A field beyond this is in gauss: some scanners write 15000 for 1.5 T."""

PROTON = 42.577
"""MHz a tesla."""

LONG_TE_MS = 30.0
"""No in- or opposed-phase gradient echo is so late; taken as spin echo if nothing else says."""

SUPPRESSED = {"FS", "SFS", "SPIR", "SPAIR", "WE"}
"""Scan options that leave no fat."""

_GE_KINDS = {1: "PHASE", 2: "REAL", 3: "IMAGINARY"}


def need_pydicom() -> Any:
    """Load pydicom, or say how to get it."""
    try:
        import highdicom  # noqa: F401
        import pydicom
    except ImportError as error:
        raise ConfigError(
            "DICOM is read with pydicom and highdicom, which are not installed; pip install "
            "'ivdlib[dicom]'."
        ) from error
    return pydicom


def read_frames(path: Path) -> tuple[str, list[Frame], Patient | None]:
    """Read the header of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Why the file holds no MR image; empty if it does.
    list of Frame
    Patient or None
        Whose it is, if it is DICOM.

    Raises
    ------
    DataError
        If it is DICOM and cannot be read.
    """
    pydicom = need_pydicom()
    try:
        with warnings.catch_warnings():  # of values that are not as the standard has them
            warnings.simplefilter("ignore")
            bare = _without_preamble(path)
            ds = pydicom.dcmread(path, stop_before_pixels=True, force=bare)
            kind = str(ds.get("SOPClassUID", "") or _meta(ds))
            if not kind:
                if bare:
                    return "no DICOM", [], None
                raise DataError(f"{path} is damaged: it is DICOM and does not say what of; copy it "
                                "again from the archive.")  # fmt: skip
            if kind == DIRECTORY:
                return "a table of contents", [], None
            if kind not in MR:
                what = str(ds.get("Modality", "")).strip() or "unknown"
                return f"no MR image, but {what}", [], _patient(Attributes(ds, None, None))
            frames = list(_frames(ds, path))
            return "", frames, frames[0].patient
    except DataError:
        raise
    except pydicom.errors.InvalidDicomError:
        return "no DICOM", [], None
    except OSError as error:
        raise DataError(cannot("read", path, error)) from error
    except Exception as error:  # pydicom raises whatever its parts raise
        raise DataError(
            f"{path} cannot be read as DICOM ({type(error).__name__}); copy it again from the "
            "archive."
        ) from error


def _meta(ds: Any) -> str:
    return str(getattr(ds, "file_meta", {}).get("MediaStorageSOPClassUID", ""))


def _plain(ds: Any) -> bool:
    syntax = getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", None)
    return syntax is not None and not syntax.is_deflated


def _without_preamble(path: Path) -> bool:
    """Whether a file begins with the first attributes, as those of old archives do."""
    with path.open("rb") as stream:
        return stream.read(2) in (b"\x08\x00", b"\x02\x00")


def _frames(ds: Any, path: Path) -> Iterator[Frame]:
    shared = next(iter(ds.get("SharedFunctionalGroupsSequence") or []), None)
    groups = ds.get("PerFrameFunctionalGroupsSequence")
    count = int(Attributes(ds, None, None).number("NumberOfFrames") or 1)
    if count != len(groups or [None]):
        raise DataError(
            f"{path} is to hold {count} frames, and its header says of {len(groups or [])} where "
            "they lie; copy it again, for it may be cut short, or export it as classic DICOM."
        )
    for index, own in enumerate(groups or [None]):
        yield _frame(Attributes(ds, shared, own), path, index)


def _frame(h: Attributes, path: Path, index: int) -> Frame:
    words = h.texts("FrameType", "MRImageFrameTypeSequence") or h.texts("ImageType")
    te = h.number("EffectiveEchoTime", "MREchoSequence") or h.number("EchoTime")
    tesla = in_tesla(h.number("MagneticFieldStrength"))
    mhz = h.number("TransmitterFrequency", "MRImagingModifierSequence")
    mhz = mhz or h.number("ImagingFrequency") or (tesla and tesla * PROTON)
    # What GE calls protocol is the whole examination: it is asked for only if there is no other.
    description = h.text("SeriesDescription") or h.text("ProtocolName")
    slope, intercept = rescale(h)
    return Frame(
        file=path,
        index=index,
        patient=_patient(h),
        study=h.text("StudyInstanceUID"),
        series=h.text("SeriesInstanceUID"),
        number=int(h.number("SeriesNumber") or 0),
        description=description,
        maker=h.text("Manufacturer"),
        words=words,
        component=_component(h),
        sequence=sequence_of({*h.texts("ScanningSequence"), *h.texts("EchoPulseSequence")}, te),
        suppressed=_suppressed(h),
        te_ms=te,
        mhz=mhz,
        tesla=tesla,
        place=h.numbers("ImagePositionPatient", "PlanePositionSequence", 3),
        turn=h.numbers("ImageOrientationPatient", "PlaneOrientationSequence", 6),
        pixel=h.numbers("PixelSpacing", "PixelMeasuresSequence", 2),
        thick=h.number("SliceThickness", "PixelMeasuresSequence"),
        size=(int(h.number("Rows") or 0), int(h.number("Columns") or 0)),
        when=_when(h, "Acquisition", "FrameAcquisitionDateTime"),
        study_when=h.text("StudyDate") + h.text("StudyTime"),
        repeats=(
            h.number("TemporalPositionIndex", "FrameContentSequence")
            or h.number("TemporalPositionIdentifier"),
            h.number("AcquisitionNumber"),
        ),
        uid=h.text("SOPInstanceUID"),
        plain=_plain(h.ds),
        slope=slope,
        intercept=intercept,
        philips=philips_slope(h),
    )


def _patient(h: Attributes) -> Patient:
    others = ("OtherPatientIDs", "OtherPatientNames", "AccessionNumber", "PatientAddress",
              "PatientMotherBirthName", "PatientBirthName", "PatientTelephoneNumbers",
              "MedicalRecordLocator", "ReferringPhysicianName")  # fmt: skip
    found = tuple(text for name in others for text in h.texts(name) if text)
    return _same(*map(h.text, ("PatientID", "PatientName", "PatientBirthDate")), found)


@lru_cache(maxsize=10_000)
def _same(*who: Any) -> Patient:
    """Keep one patient once, not with each of thousands of slices."""
    return Patient(*who)


def _when(h: Attributes, what: str, frame: str) -> str:
    """Date and time of an acquisition: they stand in one attribute or in two."""
    whole = h.text(frame, "FrameContentSequence") or h.text(f"{what}DateTime")
    return whole or h.text(f"{what}Date") + h.text(f"{what}Time")


def _component(h: Attributes) -> str:
    """Magnitude, phase, real or imaginary part."""
    if said := h.text("ComplexImageComponent", "MRImageFrameTypeSequence"):
        return said.upper()
    value = h.ds.get((0x0043, 0x102F))  # GE's own
    try:
        return _GE_KINDS.get(int(value.value), "") if value is not None else ""
    except (TypeError, ValueError):
        return ""


def in_tesla(field: float | None) -> float | None:
    """A field in tesla, which some scanners write in gauss."""
    return field / 10_000 if field and field > GAUSS else field


def sequence_of(said: set[str], te_ms: float | None) -> str:
    """Name the kind of sequence by what ScanningSequence or EchoPulseSequence say."""
    if "EP" in said:
        return "echo planar"
    if said & {"GR", "GRADIENT"}:
        return "gradient echo"
    if said & {"SE", "SPIN", "BOTH"} or te_ms is not None and te_ms >= LONG_TE_MS:
        return "spin echo"
    return ""


def _suppressed(h: Attributes) -> bool:
    """Whether the spectrum of fat was suppressed, or water alone excited."""
    group = "MRModifierSequence"
    chosen = h.text("SpectrallySelectedSuppression", group).upper()
    excited = h.text("SpectrallySelectedExcitation", group).upper()
    options = {*h.texts("ScanOptions")}
    return bool(options & SUPPRESSED) or chosen == "FAT" or excited == "WATER"


def files_below(folder: Path, closed: list[OSError] | None = None) -> Iterator[Path]:
    """All files of a folder and below that are not hidden, sorted; links are followed.

    Folders that cannot be read are added to `closed`, or raise DataError.
    """

    def refuse(error: OSError) -> None:
        if closed is None or Path(error.filename) == folder:
            raise DataError(cannot("read", error.filename, error)) from error
        closed.append(error)

    seen = set()
    for root, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:  # a link that leads back, or to what was there
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root, name)
