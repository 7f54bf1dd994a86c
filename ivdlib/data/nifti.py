"""One NIfTI file at a time: read it with checks, write a mask on its grid.

nibabel is imported inside the functions: it costs more than the whole rest of `import ivdlib`.
"""

from __future__ import annotations

import gzip
import math
import os
import re
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.header import Geometry, check_pixdim, read_geometry
from ivdlib.data.orientation import FileGrid, file_grid
from ivdlib.errors import DataError
from ivdlib.files import atomic
from ivdlib.links import not_fetched
from ivdlib.provenance import free_memory

SCALED = 1e-4
"""How far a label may lie from a whole number, for the rounding of a header's scaling."""

NIFTI = re.compile(rb"n\+[12]\0")
"""What a header that is not compressed holds, NIfTI-1 near its end, NIfTI-2 near its beginning."""
GEOMETRY = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z", "pixdim", "xyzt_units"),
)
"""Fields of a header that say where voxels lie: all that a mask takes over from a scan."""

GZIP = b"\x1f\x8b"
"""How a file begins that gzip compressed."""

CHUNK = 1 << 20
"""Bytes that may stand after the voxels, as some programs leave them."""

MOST_VOXELS = 1 << 30
"""Of a scan: 0.3 x 0.4 x 1 m at half a millimetre has fewer."""

MOST_BEFORE = 1 << 26
"""Bytes between header and voxels, where extensions stand; a whole DICOM header fits often."""

WORKING_BYTES = 8
"""Memory that a voxel takes beside what its file holds: as float64, or twice as float32."""

_quiet_nibabel = threading.Lock()


def as_text(shape: tuple[int, ...]) -> str:
    """A shape as people write it: "36 x 256 x 256"."""
    return " x ".join(map(str, shape))


@dataclass(frozen=True, eq=False)
class Image:
    """A 3-D image as it stands in its file: voxels, where they lie, and the NIfTI header."""

    path: Path
    array: np.ndarray
    geometry: Geometry
    header: Any

    @property
    def affine(self) -> np.ndarray:
        """Voxels → world, (4, 4), mm."""
        return self.geometry.affine

    @property
    def size(self) -> str:
        """The shape in words."""
        return as_text(self.array.shape)

    def grid(self, axcodes: tuple[str, str, str] | None = None) -> FileGrid:
        """The file's own grid, its axes as the header says or as declared."""
        return file_grid(self.array.shape, self.affine, self.header, axcodes)


def read_image(path: str | os.PathLike) -> Image:
    """Read a 3-D scan as float32.

    Parameters
    ----------
    path : path of a NIfTI file (``.nii``, ``.nii.gz``)

    Returns
    -------
    Image
        Array float32, with the header's scaling applied; a trailing axis of length 1 is dropped.

    Raises
    ------
    DataError
        If the file cannot be read, is not 3-D, has no usable geometry, holds NaN or inf, or is
        constant.
    """
    image = _read(Path(path), np.float32)
    low, high = image.array.min(), image.array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError(f"{path} holds NaN or inf; convert it from its source again.")
    if low == high:
        raise DataError(
            f"{path} is constant (every voxel is {low:g}); convert it from its source again."
        )
    return image


def read_labels(path: str | os.PathLike) -> Image:
    """Read a label image as uint8.

    Parameters
    ----------
    path : path of a NIfTI file (``.nii``, ``.nii.gz``)

    Returns
    -------
    Image
        Array uint8.

    Raises
    ------
    DataError
        As `read_image` (a constant image excepted), and where a value is not a whole number from
        0 to 255.
    """
    image = _read(Path(path), None)
    values = image.array
    scaled = values.dtype.kind == "f"  # 255 times 1/255 is a whole number but for its rounding
    with np.errstate(invalid="ignore"):  # NaN becomes a number, and then differs from itself
        labels = (np.rint(values) if scaled else values).astype(np.uint8)
        same = np.abs(values - labels) <= SCALED if scaled else labels == values
    if not same.all():
        wrong = values[~same].flat[0]
        raise DataError(
            f"{path} holds the value {wrong:g}, but labels are whole numbers from 0 to 255; "
            "save the mask itself, not a probability or a smoothed image."
        )
    return Image(image.path, labels, image.geometry, image.header)


def _read(path: Path, dtype: Any) -> Image:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    head = b""
    try:
        with path.open("rb") as stream:  # nibabel hides why a file cannot be opened
            head = stream.read(348)
        header, array = _open(path)
    except (
        OSError, EOFError, ValueError, OverflowError, MemoryError, zlib.error, ImageFileError,
        HeaderDataError, WrapStructError,
    ) as error:  # fmt: skip
        raise DataError(f"{path} {_why_not(path, head, error)}.") from error
    geometry = read_geometry(header, array.shape, str(path))
    return Image(path, array.astype(dtype) if dtype else array, geometry, header)


def _why_not(path: Path, head: bytes, error: Exception) -> str:
    """Say why a file that begins with `head` cannot be read, as it follows the path."""
    if isinstance(error, PermissionError):
        return "may not be read; ask for the permission to"
    if isinstance(error, IsADirectoryError):
        return "is a folder; give a NIfTI file"
    if isinstance(error, MemoryError):
        return "does not fit into memory; close other programs, or take a machine with more"
    if what := not_fetched(path):
        return f"is no NIfTI file but {what}"
    if isinstance(error, FileNotFoundError):
        return "does not exist; check the path"
    packed = path.name.lower().endswith(".gz")
    again = "copy it from its source again"
    if packed and (NIFTI.match(head, 344) or NIFTI.match(head, 4)):
        return f"is not compressed as its name says; rename it to {path.name[:-3]}, or {again}"
    if not packed and head.startswith(GZIP):
        return f"is compressed, which its name does not say; rename it to {path.name}.gz"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"is truncated, corrupt or not a NIfTI file ({reason}); {again}"


def _open(path: Path) -> tuple[Any, np.ndarray]:
    """Header, mended as nibabel does, and voxels: exactly as many bytes as it declares.

    The file is read once and to its end: there gzip has a checksum, so a changed byte is an error
    and not other voxels. Memory is not mapped, or a file that shrinks meanwhile ends the process.
    """
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.imageglobals import logger
    from nibabel.openers import ImageOpener

    with ImageOpener(path) as stream:
        kind, block = _header_of(stream, path)
        raw = kind(block, check=False)  # nibabel mends a zero or negative spacing
        with _quiet_nibabel:  # `check` reads in several threads
            loud, logger.disabled = logger.disabled, True
            try:
                header = kind(block)
            finally:
                logger.disabled = loud
        _check_content(header, raw, path)
        array = np.asarray(ArrayProxy(stream, header, mmap=False))
        if len(stream.read(CHUNK + 1)) > CHUNK:
            raise DataError(
                f"{path} goes on after the {as_text(array.shape)} voxels that its header "
                "declares; copy it from its source again, or mend the header."
            )
    return header, array.reshape(array.shape[:3])


def _header_of(stream: Any, path: Path) -> tuple[Any, bytes]:
    """Read the bytes of a header and say of which kind it is, NIfTI-1 or NIfTI-2."""
    import nibabel as nib

    start = stream.read(4)
    sizes = {int.from_bytes(start, order) for order in ("little", "big")}
    kind = next((k for k in (nib.Nifti1Header, nib.Nifti2Header) if k.sizeof_hdr in sizes), None)
    block = start + stream.read(kind.template_dtype.itemsize - 4) if kind else start
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        found = nib.load(path)  # reads no voxels
        if not isinstance(found, nib.Nifti1Image):
            name = type(found).__name__.removesuffix("Image")
            raise DataError(f"{path} is no NIfTI file ({name}); convert it to .nii.gz.")
    if start.startswith(GZIP) and path.suffix.lower() == ".gz":
        raise DataError(f"{path} is compressed twice; unpack it once.")
    if kind is None:
        raise ValueError("it does not begin as one")
    return kind, block


def _check_content(header: Any, raw: Any, path: Path) -> None:
    """Refuse what is no scan by its header: a few megabytes unpack to a thousand times as much."""
    dtype, shape = header.get_data_dtype(), header.get_data_shape()
    if dtype.kind not in "biuf":
        kind = "colours" if dtype.kind == "V" else str(dtype)
        raise DataError(
            f"{path} holds {kind}, not one real number a voxel; export the magnitude image."
        )
    check_pixdim(raw, str(path))
    if len(shape) < 3 or min(shape) < 1 or any(n != 1 for n in shape[3:]):
        raise DataError(
            f"{path} has the shape {as_text(shape)}, but one 3-D volume is needed; split it into "
            "one file a contrast."
        )
    voxels, before = math.prod(map(int, shape)), header.get_data_offset()
    for number, most, what in (
        (voxels, MOST_VOXELS, "voxels"),
        (before, MOST_BEFORE, "bytes of text"),
    ):
        if number > most:
            raise DataError(
                f"{path} declares {number:,} {what}, and no scan has more than {most:,}; write its "
                "header anew."
            )
    need, free = voxels * (dtype.itemsize + WORKING_BYTES), free_memory()
    if free is not None and need > free:
        raise DataError(
            f"{path} declares {as_text(shape)} voxels, which take {need / 1e9:.1f} GB of memory, "
            f"and {free / 1e9:.1f} GB are free; close other programs, or look whether its header "
            "is right."
        )


def write_mask(array: np.ndarray, grid: FileGrid, path: str | os.PathLike) -> None:
    """Write a mask that lies on `grid` as uint8, with the affine, forms and codes of its header.

    Nothing else of that header goes along: its extensions and texts may name the patient.

    Parameters
    ----------
    array : ndarray of `grid.shape`
        bool, or whole numbers from 0 to 255.
    grid : FileGrid
    path : path ending in ``.nii`` or ``.nii.gz``

    Raises
    ------
    DataError
        If values do not fit uint8, the ending is another, or the file cannot be written.
    """
    import nibabel as nib

    mask = np.asarray(array).astype(np.uint8)
    if not np.array_equal(mask, array):
        raise DataError(f"cannot write {path}: a mask holds whole numbers from 0 to 255 only.")
    if not str(path).lower().endswith((".nii", ".nii.gz")):
        raise DataError(f"cannot write {path}: give a name that ends in .nii or .nii.gz.")
    kind = nib.Nifti2Image if isinstance(grid.header, nib.Nifti2Header) else nib.Nifti1Image
    header = kind.header_class()
    for field in GEOMETRY:
        header[field] = grid.header[field]
    header["pixdim"][4:] = 1  # of the scan's time
    header.set_data_dtype(np.uint8)
    write_image(kind(mask, None, header), path)  # the header's own forms, in its own unit


def write_image(image: Any, path: str | os.PathLike) -> None:
    """Write an image of nibabel, compressed if `path` ends in ``.gz``: the same bytes every time.

    gzip would note the name (which may be a patient's, and stays when the file is renamed) and the
    time.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    with atomic(path) as temporary, open(temporary, "wb") as stream:
        if str(path).lower().endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=3, fileobj=stream, mtime=0) as packed:
                packed.write(image.to_bytes())
        else:
            stream.write(image.to_bytes())
