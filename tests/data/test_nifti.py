"""Files that are written take only geometry along; what is no scan is refused unread."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, make_volumes, rotation
from loaded import SHAPE, load_quietly

from ivdlib.data import cases, nifti
from ivdlib.data.nifti import GEOMETRY, read_image, read_labels, write_image, write_mask
from ivdlib.data.orientation import file_grid
from ivdlib.errors import DataError

PRIVATE = "Doe^Jane"
KINDS = {"nifti1": nib.Nifti1Image, "nifti2": nib.Nifti2Image}
FREE = ("descrip", "aux_file", "db_name", "data_type", "intent_name")
"""Fields of a header that hold text."""


def talkative(array, affine, kind="nifti1", order="<"):
    """An image whose header says what it can about the person, in an odd way besides."""
    made = KINDS[kind](array, None, KINDS[kind].header_class(endianness=order))
    header = made.header
    header.set_sform(affine, 4)
    header.set_qform(affine, 1)
    header.set_xyzt_units("mm", "sec")
    for code in (0, 2, 4, 6, 44):  # ignored, DICOM, AFNI, comment, a code that nobody gave out
        header.extensions.append(nib.nifti1.Nifti1Extension(code, PRIVATE.encode()))
    for field in FREE:
        if field in header:
            header[field] = PRIVATE.encode()
    header["intent_code"], header["intent_p1"] = 1005, 19700101
    header["toffset"], header["cal_max"], header["pixdim"][4] = 1970, 300, 2.5
    header["slice_start"], header["slice_duration"], header["dim_info"] = 1, 0.5, 57
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_mask_has_the_geometry_of_its_scan_and_nothing_else(tmp_path, kind, order, ending):
    shape, affine = (3, 5, 4), np.eye(4)
    affine[:3, :3] = rotation(0.2, 0, -0.15)[:, [1, 2, 0]] * (2, -1.25, 0.9)
    image = talkative(np.ones(shape, np.int16), affine, kind, order)
    image.header.set_slope_inter(0.5, 3)
    path = tmp_path / f"{PRIVATE}{ending}"
    write_mask(np.ones(shape, bool), file_grid(shape, affine, image.header), path)
    saved = nib.load(path)
    assert type(saved) is KINDS[kind]
    for form in (nib.Nifti1Image.get_qform, nib.Nifti1Image.get_sform):
        np.testing.assert_array_equal(form(saved), form(image))
    fresh = KINDS[kind](np.ones(shape, np.uint8), np.eye(4)).header
    for field in saved.header:
        told = image.header if field in GEOMETRY else fresh
        if field == "pixdim":  # a mask has no time
            np.testing.assert_array_equal(saved.header[field][:4], image.header[field][:4])
            np.testing.assert_array_equal(saved.header[field][4:], 1)
        elif field not in ("scl_slope", "scl_inter"):
            np.testing.assert_array_equal(saved.header[field], told[field], err_msg=field)
    assert not saved.header.extensions
    data = path.read_bytes()
    data = gzip.decompress(data) if ending.endswith(".gz") else data
    place, kinds = (112, "<2f") if kind == "nifti1" else (176, "<2d")
    assert struct.unpack_from(kinds, data, place) == (1, 0)
    assert PRIVATE.encode() not in data + path.read_bytes()  # nor in what gzip notes of a name


def test_a_mask_of_a_whole_case_tells_nothing_of_the_person(tmp_path, write_case):
    words = ("wat", "fat", "inn", "opp", "Labels")
    affine = np.diag([2.0, 1.25, 1.25, 1])
    write_case(tmp_path / "in", "A1", change=dict.fromkeys(words, lambda a: talkative(a, affine)))
    (case,) = cases.load_cases(tmp_path / "in")
    for name in ("one.nii.gz", "two.nii.gz"):
        cases.save_mask(case, case.discs, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.nii.gz", "two.nii.gz"))
    assert PRIVATE.encode() not in gzip.decompress(one)
    assert one == two  # the same mask gives the same bytes, whatever it is called, and when


def test_an_image_is_written_as_its_ending_says(tmp_path):
    image = nib.Nifti1Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.eye(4))
    for name in ("a.nii", "a.nii.gz", "a.NII.GZ"):
        write_image(image, tmp_path / name)
        np.testing.assert_array_equal(nib.load(tmp_path / name).dataobj, image.dataobj)
        assert ((tmp_path / name).read_bytes()[:2] == b"\x1f\x8b") == name.lower().endswith(".gz")


def header(shape=(6, 7, 8), dtype=np.int16, kind="nifti1", **fields):
    made = KINDS[kind].header_class()
    made.set_data_dtype(dtype)
    made.set_data_shape(shape)
    made.set_sform(np.diag([2, 1.25, 1.25, 1]), 1)
    made["magic"], made["vox_offset"] = made.single_magic, made.single_vox_offset
    for name, value in fields.items():
        made[name] = value
    return made.binaryblock + bytes(4)


def packed(*parts):
    return gzip.compress(b"".join(parts), 1)


def bomb(head, size):
    """A header and gigabytes of nothing, each member of the file a few kilobytes."""
    return packed(head) + packed(bytes(1 << 24)) * (size >> 24)


VOXELS = np.arange(336, dtype=np.int16).tobytes()
GB = 1 << 30
HOSTILE = {
    "unpacks to far more than it declares": (lambda: bomb(header(), 8 * GB), "goes on after the 6"),
    "declares more than any scan": (
        lambda: bomb(header((32767,) * 3), GB), "declares 35,181,150,961,663 voxels, and no scan"
    ),
    "declares more than any scan in NIfTI-2": (
        lambda: packed(header((1 << 40, 1 << 20, 9), kind="nifti2")), "and no scan has more"
    ),
    "declares an extension of gigabytes": (
        lambda: bomb(header(vox_offset=2.0**31), 2 * GB), "declares 2,147,483,648 bytes of text"
    ),
    "an extension says that it has gigabytes": (
        lambda: bomb(header()[:-4] + struct.pack("<4B2i", 1, 0, 0, 0, 2**31 - 1, 6), 4 * GB),
        "goes on after the 6",
    ),
    "starts nowhere": (lambda: packed(header(vox_offset=np.nan), VOXELS), "is truncated, corrupt"),
    "is cut": (lambda: packed(header(), VOXELS)[:-40], "is truncated"),
    "holds less than it declares": (lambda: packed(header(), VOXELS[:-2]), "is truncated"),
    "lost its end alone": (lambda: packed(header(), VOXELS)[:-4], "is truncated"),
    "has rubbish behind": (lambda: packed(header(), VOXELS) + b"rubbish", "is truncated, corrupt"),
    "is compressed twice": (lambda: gzip.compress(packed(header(), VOXELS)), "compressed twice"),
    "is a header and no more": (lambda: packed(header()[:200]), "is truncated"),
    "is empty": (lambda: b"", "is truncated"),
    "is zeros without end": (lambda: packed(bytes(1 << 24)) * 64, "not a NIfTI file"),
    "has seven axes": (
        lambda: bomb(header((60, 60, 60, 9, 9, 9, 9)), GB), "the shape 60 x 60 x 60 x 9 x 9 x 9 x 9"
    ),
    "has an axis without a voxel": (lambda: packed(header((6, 0, 8))), "the shape 6 x 0 x 8"),
    "has a negative axis": (
        lambda: packed(header(dim=[3, 6, -7, 8, 1, 1, 1, 1]), VOXELS), "the shape 6 x -7 x 8"
    ),
    "holds colours": (
        lambda: packed(header(dtype="RGB"), VOXELS * 2), "colours"
    ),
    "holds complex numbers": (lambda: packed(header(dtype=np.complex64), VOXELS * 4), "complex64"),
    "holds numbers of a kind that nobody knows": (
        lambda: packed(header(datatype=999), VOXELS), "is truncated, corrupt or not a NIfTI file"
    ),
    "is a zip": (lambda: b"PK\3\4" + bytes(400), "not a NIfTI file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_scan_costs_a_sentence_and_no_memory(tmp_path, kind):
    make, told = HOSTILE[kind]
    path = tmp_path / f"{PRIVATE}_wat.nii.gz"
    path.write_bytes(make())
    for read in (read_image, read_labels):
        tracemalloc.start()
        with pytest.raises(DataError) as refused:
            read(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert str(refused.value).startswith(str(path)) and told in str(refused.value)
        assert "\n" not in str(refused.value) and most < 64e6


def test_a_scan_for_which_memory_lacks_is_not_begun(tmp_path, monkeypatch):
    path = tmp_path / "01_wat.nii.gz"
    path.write_bytes(packed(header((512, 1024, 1024))))
    monkeypatch.setattr(nifti, "free_memory", lambda: int(2e9))
    with pytest.raises(DataError, match=r"512 x 1024 x 1024 voxels, which take 5.4 GB of memory, "
                                        r"and 2.0 GB are free; close"):  # fmt: skip
        read_image(path)
    monkeypatch.setattr(nifti, "free_memory", lambda: None)  # a system that does not say
    path.write_bytes(packed(header(), VOXELS))
    assert read_image(path).array.shape == (6, 7, 8)

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("nibabel.arrayproxy.ArrayProxy", full)
    with pytest.raises(DataError, match="01_wat.nii.gz does not fit into memory; close other"):
        read_image(path)


def test_what_some_programs_leave_does_no_harm(tmp_path):
    """Zeros to fill a block, an extension, a fourth axis of one, members one after the other."""
    told = struct.pack("<4B2i8s", 1, 0, 0, 0, 16, 6, b"comment")
    for number, data in enumerate((
        packed(header(), VOXELS, bytes(512)),
        packed(header(), VOXELS) + bytes(512),
        packed(header(vox_offset=368)[:-4], told, VOXELS),
        packed(header((6, 7, 8, 1)), VOXELS),
        packed(header()) + packed(VOXELS[:99]) + packed(VOXELS[99:]),
    )):  # fmt: skip
        path = tmp_path / f"{number}_wat.nii.gz"
        path.write_bytes(data)
        np.testing.assert_array_equal(
            read_image(path).array.ravel(order="F"), np.frombuffer(VOXELS, np.int16)
        )


def test_a_compressed_file_whose_name_does_not_say_so(tmp_path):
    path = tmp_path / "01_wat.nii"
    path.write_bytes(packed(header(), VOXELS))
    with pytest.raises(DataError, match=r"is compressed, .*; rename it to 01_wat.nii.gz"):
        read_image(path)


def test_another_kind_of_file_is_named(tmp_path):
    image = nib.MGHImage(np.ones((3, 4, 5), np.float32), np.eye(4))
    nib.save(image, tmp_path / "scan.mgz")
    nib.save(nib.Nifti1Pair(np.ones((3, 4, 5), np.float32), np.eye(4)), tmp_path / "scan.img")
    for name, kind in (("scan.mgz", "MGH"), ("scan.hdr", "Nifti1Pair"), ("scan.img", "Nifti1Pair")):
        with pytest.raises(DataError, match=rf"is no NIfTI file \({kind}\); convert it"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("word", ["fat", "Labels"])
def test_a_changed_byte_in_a_compressed_file_is_noticed(data, word):
    path = data / "A1" / f"A1_{word}.nii.gz"
    with gzip.open(path) as stream:
        content = bytearray(stream.read())
    checksum = gzip.compress(content)[-8:]
    content[-1] ^= 1  # one voxel is another now, in a file that unpacks all the same
    path.write_bytes(gzip.compress(content)[:-8] + checksum)
    with pytest.raises(DataError, match=f"A1_{word}.nii.gz is truncated, corrupt.*CRC"):
        cases.load_cases(data)


def test_rubbish_in_place_of_a_file(data):
    path = data / "A1" / "A1_fat.nii.gz"
    for content in (b"", b"not gzip at all", b"\x1f\x8b rubbish after the magic number"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"A1_fat.nii.gz is truncated, corrupt or not"):
            cases.load_cases(data)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_another_magic_number(tmp_path, write_case, ending):
    path = write_case(tmp_path, "A1", ending=".nii") / "A1_fat.nii"
    content = path.read_bytes()
    path.unlink()
    content = content[:344] + b"nope" + content[348:]
    path = path.with_suffix(ending)
    path.write_bytes(gzip.compress(content) if ending == ".nii.gz" else content)
    with pytest.raises(DataError, match=r"A1_fat.nii(.gz)? is truncated, corrupt or not a NIfTI"):
        cases.load_cases(tmp_path)


def test_what_is_no_nifti_file_is_called_so(tmp_path, write_case):
    scan = nib.load(write_case(tmp_path, "A1", ending=".nii") / "A1_fat.nii")
    with pytest.raises(DataError, match=f"{tmp_path.name} is a folder; give a NIfTI file"):
        nifti.read_labels(tmp_path)
    nib.save(nib.MGHImage(scan.get_fdata(dtype=np.float32), scan.affine), tmp_path / "a.mgz")
    with pytest.raises(DataError, match=r"a.mgz is no NIfTI file \(MGH\); convert it"):
        nifti.read_image(tmp_path / "a.mgz")
    plain = (tmp_path / "A1" / "A1_fat.nii").rename(tmp_path / "A1_fat.nii.gz")
    with pytest.raises(DataError, match="is not compressed as its name says; rename it to A1_fat"):
        nifti.read_image(plain)


def test_a_name_that_no_disk_takes(tmp_path):
    with pytest.raises(DataError, match=r"nii.gz is truncated, corrupt or not a NIfTI file"):
        nifti.read_image(tmp_path / f"{'x' * 300}.nii.gz")


def test_a_file_that_may_not_be_read(data, monkeypatch):
    def refuse(path, *_):  # not nib.load, which hides the reason
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"A1_wat.nii.gz may not be read; ask"):
        cases.load_cases(data)


def test_a_trailing_axis_of_one_is_no_fourth_dimension(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"wat": lambda a: a[..., None]})
    (case,) = load_quietly(tmp_path)
    assert case.shape == SHAPE
    cases.save_mask(case, case.discs, tmp_path / "mask.nii")
    assert nib.load(tmp_path / "mask.nii").shape == SHAPE


def test_scaled_integers_are_read_scaled(tmp_path, write_case):
    def scaled(array):
        image = nib.Nifti1Image(array.astype(np.float32) / 4, AFFINE)
        image.set_data_dtype(np.int16)
        return image

    write_case(tmp_path, "A1", change={"wat": scaled})
    (case,) = load_quietly(tmp_path)
    true = make_volumes("A1", SHAPE)["wat"] / 4
    np.testing.assert_allclose(cases.to_file_grid(case, case.contrasts["wat"]), true, atol=0.01)
    cases.save_mask(case, case.labels * 200, tmp_path / "mask.nii.gz")
    assert set(np.unique(nib.load(tmp_path / "mask.nii.gz").dataobj)) == {0, 200}
