"""Headers that turn the spine: what is noticed, what is proposed, and nothing where all is well."""

import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import repair_of

from ivdlib.data import cases
from ivdlib.data.disc_stack import measure_stack
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.nifti import read_image, read_labels
from ivdlib.data.orientation import canonical_affine, file_grid, to_canonical
from ivdlib.data.quality import spine_axes
from ivdlib.errors import DataError
from ivdlib.phantom import make_phantom

ORDERS = [order for order in itertools.permutations(range(3)) if order != (0, 1, 2)]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A scan with fewer, thicker slices than pixels; the file's axes run to L, P, S."""
    folder = tmp_path_factory.mktemp("phantom")
    make_phantom(folder, subjects=1, stages=1, slices=12, in_plane=128, seed=5)
    return folder


def rewritten(phantom, folder, letters, words=("wat", "fat", "inn", "opp", "Labels")):
    """The same voxels under a header whose axes run to `letters`."""
    for word in words:
        image = nib.load(phantom / "01" / f"01_{word}.nii.gz")
        edges = np.linalg.norm(image.affine[:3, :3], axis=0)
        affine = np.eye(4)
        for axis, (letter, edge) in enumerate(zip(letters, edges, strict=True)):
            world = next(n for n, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
            affine[:3, axis] = 0
            affine[world, axis] = edge if letter in "RAS" else -edge
        place = folder / "01" / f"01_{word}.nii.gz"
        place.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), place)
    return folder


def find_doubt(shape, spacing, discs=None, image=None):
    pieces = None if discs is None else measure_stack(discs, spacing)
    return spine_axes.find_doubt(shape, spacing, pieces, image)


def looked_at(folder):
    (row,) = cases.check_cases(folder)
    return row


def about_axes(sentences):
    return [text for text in sentences if "by the axes" in text]


@pytest.mark.parametrize("letters", ["LPS", "RPS"])
def test_true_axes_need_no_word(phantom, tmp_path, letters):
    row = looked_at(rewritten(phantom, tmp_path, letters))
    assert (row["errors"], about_axes(row["warnings"])) == ([], [])


@pytest.mark.parametrize("letters", ["LSP", "SPL", "PSL", "SLP"])
def test_a_spine_that_lies_sideways_is_an_error_that_names_the_true_axes(
    phantom, tmp_path, letters
):
    folder = rewritten(phantom, tmp_path, letters)
    (text,) = looked_at(folder)["errors"]
    side = {"P": "front-back", "L": "left-right"}[letters[2]]
    assert f"stacked along the {side} axis" in text
    assert f"by the axes {', '.join(letters)} of its header" in text
    with pytest.raises(DataError, match="axcodes"):
        cases.load_case(folder)
    told = repair_of(text).partition('"axcodes": ')[2].partition("]")[0] + "]"
    declared = json.loads(told)
    assert declared[1:] == ["P", "S"] and declared[0] in "LR"
    (folder / "dataset.json").write_text(json.dumps({"axcodes": declared}))
    row = looked_at(folder)
    assert (row["errors"], about_axes(row["warnings"])) == ([], [])


def test_declared_axes_are_held_against_the_spine_too(phantom, tmp_path):
    folder = rewritten(phantom, tmp_path, "LPS")
    (folder / "dataset.json").write_text('{"axcodes": ["L", "S", "P"]}')
    (text,) = looked_at(folder)["errors"]
    assert "by the axes L, S, P of dataset.json" in text and '"axcodes": ["L", "P", "S"]' in text


@pytest.mark.parametrize(
    ("letters", "wrong"),
    [
        ("LAS", "front and back"),
        ("LPI", "top and bottom"),
        ("LAI", "front and back and top and bottom"),
    ],
)
def test_a_spine_that_is_back_to_front_or_upside_down_is_a_warning(
    phantom, tmp_path, letters, wrong
):
    row = looked_at(rewritten(phantom, tmp_path, letters))
    assert row["errors"] == []
    (text,) = about_axes(row["warnings"])
    assert f"curve as if {wrong} were exchanged" in text
    assert '"axcodes": ["L", "P", "S"]' in repair_of(text)


@pytest.mark.parametrize(
    ("letters", "kind"),
    [("PLS", "coronal"), ("ALS", "coronal"), ("SPL", "axial"), ("IRA", "axial")],
)
def test_slices_that_are_not_sagittal_are_told_without_labels(phantom, tmp_path, letters, kind):
    folder = rewritten(phantom, tmp_path, letters, ("wat", "fat", "inn", "opp"))
    (text,) = about_axes(looked_at(folder)["warnings"])
    assert f"the slices are {kind}" in text and "axcodes, R or L in place 1" in text


def test_without_labels_the_air_round_the_body_tells_what_lies(phantom, tmp_path):
    words = ("wat", "fat", "inn", "opp")
    (text,) = about_axes(
        looked_at(rewritten(phantom, tmp_path / "lying", "LSP", words))["warnings"]
    )
    assert "there is air above and below the body, and none before and behind it" in text
    assert '"axcodes": ["L", "A", "I"], or the opposite letter' in repair_of(text)
    assert not about_axes(looked_at(rewritten(phantom, tmp_path, "LPS", words))["warnings"])


@pytest.mark.parametrize("letters", ["LAS", "LAI"])
def test_without_labels_detail_in_front_tells_what_is_back_to_front(phantom, tmp_path, letters):
    row = looked_at(rewritten(phantom, tmp_path, letters, ("wat", "fat", "inn", "opp")))
    (text,) = about_axes(row["warnings"])
    assert row["errors"] == [] and "most detail lies in front" in text
    said = json.dumps(["L", "P", letters[2]])
    assert f'"axcodes": {said}, or the opposite letter' in repair_of(text)


def test_real_spines_that_are_back_to_front_are_told_without_labels(shared):
    found = []
    for path in sorted((shared / "data").rglob("*_t2.nii.gz")) + sorted(
        (shared / "data" / "munich_wat").rglob("*_wat.nii.gz")
    ):
        image = read_image(path)
        grid = file_grid(image.array.shape, image.affine, image.header)
        scan, edges = to_canonical(image.array, grid), spacing_mm(canonical_affine(grid))
        doubt = find_doubt(scan.shape, edges, None, scan[:, ::-1])
        found.append(doubt is not None and doubt.letters == ("R", "P", "S"))
    assert len(found) == 54 and sum(found) >= 52


def test_real_bodies_that_stand_need_no_word_without_labels(shared):
    found = 0
    for path in sorted((shared / "data").rglob("*_t2.nii.gz")) + sorted(
        (shared / "data" / "munich_wat").rglob("*_wat.nii.gz")
    ):
        image = read_image(path)
        grid = file_grid(image.array.shape, image.affine, image.header)
        scan, edges = to_canonical(image.array, grid), spacing_mm(canonical_affine(grid))
        assert find_doubt(scan.shape, edges, None, scan) is None, path.name
        lying = find_doubt(scan.shape, edges, None, scan.transpose(0, 2, 1))
        found += lying is not None and lying.letters == ("R", "S", "A")
    assert found >= 15  # where the field ends in air


def stack(shape=(40, 60, 120), spacing=(1.5, 1.5, 1.5), curve=0.0, count=6):
    """Discs of 45 x 33 x 9 mm one above another."""
    x, y, z = (
        ((np.arange(n) - (n - 1) / 2) * edge).reshape(np.roll((1, 1, -1), axis + 1))
        for axis, (n, edge) in enumerate(zip(shape, spacing, strict=True))
    )
    discs = np.zeros(shape, np.uint8)
    for number in range(count):
        height = (number - (count - 1) / 2) * 28
        middle = -curve * height**2 / 100
        inside = (x / 22.5) ** 2 + ((y - middle) / 16.5) ** 2 < 1
        discs[inside & (abs(z - height) < 4.5)] = number + 1
    return discs


@pytest.mark.parametrize("order", ORDERS)
def test_cubic_voxels_are_judged_by_the_discs(order):
    discs, cube = stack(), (1.5, 1.5, 1.5)
    assert find_doubt(discs.shape, cube, discs) is None
    turned = discs.transpose(order)
    doubt = find_doubt(turned.shape, cube, turned)
    if order[2] == 2:  # left-right and front-back exchanged, of a spine without a curve
        assert doubt is None
    else:
        assert doubt.certain and doubt.letters[order.index(2)] in ("S", None)


def test_without_labels_cubic_voxels_say_nothing():
    assert find_doubt((120, 130, 140), (1.5, 1.5, 1.5)) is None
    assert find_doubt((1, 64, 80), (3.0, 2.5, 2.5)) is None
    assert find_doubt((64, 1, 80), (2.5, 3.0, 2.5)).text.startswith("the slices are coronal")


def test_a_single_disc_that_lies_flat_from_front_to_back_is_a_doubt():
    disc = stack((32, 40, 24), count=1)
    cube = (1.5, 1.5, 1.5)
    assert find_doubt(disc.shape, cube, disc) is None
    turned = disc.transpose(0, 2, 1)
    doubt = find_doubt(turned.shape, cube, turned)
    assert not doubt.certain and "lie flat across the front-back axis" in doubt.text


def test_labels_of_the_middle_slice_alone_are_no_doubt():
    discs = stack((20, 60, 120))
    discs[np.arange(20) != 10] = 0
    assert find_doubt(discs.shape, (3.0, 1.5, 1.5), discs) is None
    one = stack((20, 60, 120), count=1)
    one[np.arange(20) != 10] = 0
    assert find_doubt(one.shape, (1.5, 1.5, 1.5), one) is None


def test_fragments_and_inverted_labels_say_nothing():
    rng = np.random.default_rng(0)
    noise = (rng.random((30, 60, 60)) > 0.97).astype(np.uint8)
    assert find_doubt(noise.shape, (1.5, 1.5, 1.5), noise) is None
    assert find_doubt((30, 60, 60), (1.5, 1.5, 1.5), np.ones((30, 60, 60), np.uint8)) is None


@pytest.mark.parametrize("folder", ["spider_t2_slabs", "spider_t2_slabs_2", "ribeirao_discs"])
def test_real_spines_are_right_as_they_are_and_found_where_they_are_turned(shared, folder):
    paths = sorted((shared / "data" / folder).rglob("*_Labels.nii.gz"))
    assert len(paths) >= 10
    for path in paths:
        image = read_labels(path)
        grid = file_grid(image.array.shape, image.affine, image.header)
        labels = to_canonical(image.array, grid)
        discs = labels * (labels == 1) if "spider" in folder else labels
        edges = spacing_mm(canonical_affine(grid))
        assert find_doubt(discs.shape, edges, discs) is None, path.name
        for signs, letters in (((-1, 1), "RPS"), ((1, -1), "RAI"), ((-1, -1), "RPI")):
            turned = discs[:, :: signs[0], :: signs[1]]
            assert find_doubt(discs.shape, edges, turned).letters == tuple(letters), path.name
        lying = find_doubt(
            discs.transpose(0, 2, 1).shape, (edges[0], *edges[:0:-1]), discs.transpose(0, 2, 1)
        )
        assert lying.certain and lying.letters == ("R", "S", "A"), path.name


def test_real_vertebrae_under_the_label_of_discs_need_no_word_about_their_axes(shared):
    for folder in ("munich_wat", "berlin_t2"):
        for path in sorted((shared / "data" / folder / "vertebrae").rglob("*.nii.gz")):
            image = read_labels(path)
            grid = file_grid(image.array.shape, image.affine, image.header)
            labels = to_canonical(image.array, grid)
            edges = spacing_mm(canonical_affine(grid))
            assert find_doubt(labels.shape, edges, labels) is None, path.name


def test_real_crops_of_one_disc_need_no_word(shared):
    paths = sorted((shared / "data" / "ivdm3seg_crops").rglob("*_Labels.nii.gz"))
    for path in paths:
        image = read_labels(path)
        assert find_doubt(image.array.shape, spacing_mm(image.affine), image.array) is None


@pytest.mark.parametrize("times", [1, 10])
def test_a_spine_of_three_metres_is_told(phantom, tmp_path, times):
    """A voxel size that counts in another unit than is said."""
    for path in (phantom / "01").glob("01_*.nii.gz"):
        image = nib.load(path)
        affine = image.affine @ np.diag([times, times, times, 1])
        place = tmp_path / "01" / path.name
        place.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), place)
    said = [text for text in looked_at(tmp_path)["warnings"] if "as in no scan of a spine" in text]
    if times == 1:
        assert not said
    else:
        assert ["the field of view is 3.2 m long" in said[0], "mm apart" in said[1]] == [True, True]
        assert repair_of(said[0]).startswith("look at the voxel size in the header")


def test_a_body_of_ten_millimetres_is_told(phantom, tmp_path):
    """As where the array was turned and its header was not."""
    rewritten(phantom, tmp_path, "PLS", words=("wat", "fat", "inn", "opp"))
    for path in tmp_path.rglob("*.nii.gz"):
        image = nib.load(path)
        affine = image.affine @ np.diag([0.1, 1, 1, 1])
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), path)
    row = looked_at(tmp_path)
    assert any("the front-back axis is " in text for text in [*row["errors"], *row["warnings"]])
