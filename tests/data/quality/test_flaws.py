"""Flaws that voxels show by themselves: each is found where it is planted, and nowhere else."""

import warnings

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import repair_of

from ivdlib.data import cases
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.nifti import read_image
from ivdlib.data.orientation import canonical_affine, file_grid, memory_grid, to_canonical
from ivdlib.data.quality.flaws import find_flaws
from ivdlib.errors import DataWarning
from ivdlib.phantom import make_phantom

SPACING = (4.0, 2.5, 2.5)


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A scan of 12 slices; the file's axes run to L, P, S."""
    folder = tmp_path_factory.mktemp("phantom")
    make_phantom(folder, subjects=1, stages=1, slices=12, in_plane=128, seed=5)
    return folder


@pytest.fixture(scope="module")
def scan(phantom):
    return cases.load_case(phantom / "01").contrasts["inn"]


def found(image):
    return find_flaws({"inn": image}, SPACING, memory_grid(image.shape, np.eye(4))).remarks


def at(image, where, value):
    image = image.copy()
    image[where] = value
    return image


def ramp(image):
    return image.max() * (1 + 0.17 * np.arange(1, 13))


def ball(image, sigma):
    places = np.moveaxis(np.indices(image.shape), 0, -1) - (6, 60, 60)
    return np.exp(-((places * SPACING) ** 2).sum(-1) / 2 / sigma**2)


FLAWS = {
    "hot": ("1 voxel lies far above all", lambda a: at(a, (5, 60, 60), 3 * a.max())),
    "half as high again": ("far above", lambda a: at(a, (5, 60, 60), 1.5 * a.max())),
    "negative": ("1 voxel lies far below all", lambda a: at(a, (0, 0, 0), -a.max())),
    "a little negative": ("1 voxel lies far below", lambda a: at(a, (5, 60, 60), -0.1 * a.max())),
    "ramp": ("99.9 % of all fill only", lambda a: at(a, np.s_[5, 60, 60:72], ramp(a))),
    "border": ("in 0 to 11, 0 to 2, 0 to 127", lambda a: at(a, np.s_[:, :3], 3 * a.max())),
    "rows": ("in 0 to 11, 0 to 127, 0 to 2", lambda a: at(a, np.s_[:, :, :3], 3 * a.max())),
    "blob": ("fill only", lambda a: a + 3 * a.max() * ball(a, 5)),
    "cluster": ("8 voxels lie", lambda a: at(a, np.s_[5:7, 60:62, 60:62], 2 * a.max())),
    "text": ("60 voxels lie", lambda a: at(a, np.s_[:, 2:3, 5:10], 2 * a.max())),
    "filling": ("far below", lambda a: np.where(a > np.median(a), a, -1024)),
    "overflow": (
        "far below",
        lambda a: (a * (40000 / a.max())).astype(np.uint16).astype(np.int16).astype(np.float32),
    ),
    "bright": ("slice 6 is far brighter", lambda a: at(a, 6, 1.5 * a[6])),
    "first": ("slice 0 is far brighter", lambda a: at(a, 0, 3 * a[0])),
    "dark": ("slice 6 is far brighter or darker", lambda a: at(a, 6, 0.3 * a[6])),
    "blank": ("slices 4, 6 are blank", lambda a: at(a, [4, 6], 0)),
    "blank end": ("slices 0, 1, 2 are blank", lambda a: at(a, [0, 1, 2], 0)),
    "repeated": ("slice 6 is repeated", lambda a: at(a, 6, a[7])),
    "shifted": ("slice 6 is unlike", lambda a: at(a, 6, np.roll(a[6], 2, axis=0))),
    "turned": ("slice 6 is unlike", lambda a: at(a, 6, a[6, ::-1, ::-1])),
    "last": ("slice 11 is unlike", lambda a: at(a, 11, a[11, ::-1, ::-1])),
    "shaded": ("a quarter of the height", lambda a: a * np.geomspace(1, 0.02, a.shape[2])),
    "noise": (
        "nothing but noise",
        lambda a: np.abs(np.random.default_rng(0).normal(0, 100, a.shape)),
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_named_with_its_repair(scan, flaw):
    said, plant = FLAWS[flaw]
    text, *more = found(plant(scan).astype(np.float32))
    assert not more or flaw == "ramp"  # its slice is unlike the others, too
    assert text.startswith("inn: ") and said in text and repair_of(text)
    few = ("hot", "half as high again", "negative", "a little negative", "cluster", "ramp", "blob",
           "text")  # fmt: skip
    assert ("--clip" in text) == (flaw in few)


def test_many_hot_voxels_of_all_sizes(scan):
    rng = np.random.default_rng(1)
    image = scan.copy()
    for size in rng.uniform(1.3, 3, 20):
        image[tuple(rng.integers(3, n - 3) for n in scan.shape)] = size * scan.max()
    (text,) = found(image)
    assert "20 voxels lie far above" in text or "19 voxels" in text


@pytest.mark.parametrize("filling", [0, 1])
def test_an_end_that_is_filled_up_and_masked_air_are_no_flaws(scan, filling):
    assert found(scan) == []
    assert found(at(scan, filling - 1, 0)) == []
    assert found(np.where(scan > np.percentile(scan, 40), scan + 100, 0)) == []


def test_check_tells_where_in_the_file_and_loading_warns(phantom, tmp_path):
    for path in (phantom / "01").glob("01_*.nii.gz"):
        image = nib.load(path)
        array = np.asarray(image.dataobj).copy()
        if "fat" in path.name:
            array[3, 40, 50] = 3 * array.max()
        (tmp_path / "01").mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(array, image.affine), tmp_path / "01" / path.name)
    (row,) = cases.check_cases(tmp_path)
    (text,) = [text for text in row["warnings"] if "far above" in text]
    assert text.startswith("fat: 1 voxel lies far above all others, at 3, 40, 50 of the file")
    assert "fill 33 % of the range" in text and "--clip" in repair_of(text)
    assert row["errors"] == []
    with pytest.warns(DataWarning, match="far above all others"):
        cases.load_cases(tmp_path)


def test_real_scans_have_no_flaw(shared):
    paths = sorted((shared / "data").rglob("*_t2.nii.gz"))
    for folder in ("munich_wat", "dixon_real"):
        paths += sorted((shared / "data" / folder).rglob("*_???.nii.gz"))
    paths += sorted((shared / "data" / "ivdm3seg_crops").rglob("*_01_???.nii.gz"))
    paths = [path for path in paths if "vertebrae" not in path.parts]
    assert len(paths) >= 80
    for path in paths:
        image = read_image(path)
        grid = file_grid(image.array.shape, image.affine, image.header)
        edges = spacing_mm(canonical_affine(grid))
        assert find_flaws({"x": to_canonical(image.array, grid)}, edges, grid).remarks == [], (
            path.name
        )


def test_one_voxel_in_all_contrasts_is_one_remark_that_names_them(scan):
    hot = at(scan, (5, 60, 60), 3 * scan.max()).astype(np.float32)
    images = {name: hot * k for k, name in enumerate(("wat", "fat", "inn"), 1)}
    flaws = find_flaws(images, SPACING, memory_grid(scan.shape, np.eye(4)))
    (text,) = flaws.remarks
    assert text.startswith("wat, fat, inn: 1 voxel lies far above all others, at 5, 60, 60")
    assert flaws.stretched == {"wat", "fat", "inn"}


@pytest.mark.parametrize("unit", [1e-30, 1, 1e30])
def test_the_unit_of_an_image_does_not_matter(scan, unit):
    hot = at(scan, (5, 60, 60), 3 * scan.max()).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [text.partition(",")[0] for text in found(hot * np.float32(unit))] == [
            "inn: 1 voxel lies far above all others"
        ]
        assert found(scan.astype(np.float32) * np.float32(unit)) == []
