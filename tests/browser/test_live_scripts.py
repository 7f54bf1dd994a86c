"""The live page's own reading and preparing of scans does what the library does."""

import base64
import gzip
import itertools

import nibabel as nib
import numpy as np
import pytest
import scripts
from scipy import ndimage

from ivdlib.data.nifti import read_image
from ivdlib.data.orientation import canonical_affine, to_canonical
from ivdlib.preprocessing import fusion, region, resampling, tiles

SPACING = (4.0, 1.25, 1.5)
SCRIPTS = ("nifti.js", "prepare.js")

READ = """async ([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  try {
    const {data, ...found} = await Nifti.read(name, bytes);
    return {...found, data: [...data]};
  } catch (error) {
    return {error: error.message, known: error instanceof Nifti.FileError};
  }
}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    for name in SCRIPTS:
        page.add_script_tag(path=scripts.NOTEBOOKS / "live" / name)
    yield page
    page.close()


def read(page, name: str, content: bytes) -> dict:
    return page.evaluate(READ, [name, base64.b64encode(content).decode()])


# --- files ---------------------------------------------------------------------------------------


def image_of(codes="RAS", dtype=np.int16, kind=nib.Nifti1Image, tilt=7.0):
    """A small image whose axes run to `codes`, tilted a little, as scanners do."""
    array = np.random.default_rng(5).integers(0, 120, (4, 6, 5)).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        array = array / 7
    turn, angle = np.eye(4), np.radians(tilt)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ras = turn @ np.diag([*SPACING, 1])
    ras[:3, 3] = -30, 12.5, 80
    ornt = nib.orientations.axcodes2ornt(codes)
    affine = ras @ nib.orientations.inv_ornt_aff(ornt, array.shape)
    image = kind(array, affine, dtype=array.dtype)
    image.header.set_xyzt_units("mm")
    return image


def content(image) -> bytes:
    return image.to_bytes()


def qform_alone(image):
    image.set_qform(image.affine, 1)
    image.set_sform(None, 0)
    return image


def in_metres(image):
    affine = np.diag([1e-3, 1e-3, 1e-3, 1]) @ image.affine
    image.set_sform(affine, 1)
    image.header.set_zooms(np.array(image.header.get_zooms()) / 1000)
    image.header.set_xyzt_units("meter")
    return image


def scaled(image):
    image.header.set_slope_inter(0.25, -3)
    return image


CODES = ["".join(c) for order in itertools.permutations(("RL", "AP", "SI"))
         for c in itertools.product(*order)]  # fmt: skip
KINDS = [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32,
         np.float64]  # fmt: skip
IMAGES = {
    **{codes: image_of(codes) for codes in CODES},
    **{f"qform {codes}": qform_alone(image_of(codes)) for codes in ("RAS", "LPS", "PIR", "ASL")},
    **{np.dtype(kind).name: image_of(dtype=kind) for kind in KINDS},
    "NIfTI-2": image_of("PSR", kind=nib.Nifti2Image),
    "NIfTI-2 qform": qform_alone(image_of("AIL", kind=nib.Nifti2Image)),
    "metres": in_metres(image_of("SAL")),
    "scaled": scaled(image_of("ILP")),
    "big-endian": nib.Nifti1Image.from_bytes(
        nib.Nifti1Image(
            image_of("LPI").get_fdata().astype(">i2"), image_of("LPI").affine,
            nib.Nifti1Header(endianness=">"),
        ).to_bytes()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_files_are_read_as_the_library_reads_them(page, tmp_path, name):
    raw = content(IMAGES[name])
    path = tmp_path / "01_wat.nii"
    path.write_bytes(raw)
    ours = read_image(path)
    grid = ours.grid()
    for suffix, packed in (("", raw), (".gz", gzip.compress(raw))):
        found = read(page, f"{path.name}{suffix}", packed)
        assert "error" not in found and found["contrast"] == "wat"
        canonical = to_canonical(ours.array, grid)
        assert tuple(found["shape"]) == canonical.shape
        np.testing.assert_allclose(found["affine"], canonical_affine(grid)[:3], atol=1e-5)
        values = np.float32(found["data"]).reshape(canonical.shape)
        np.testing.assert_allclose(values, canonical, rtol=1e-6)


def changed(image, **fields) -> bytes:
    """A file whose header says something else, unmended."""
    raw = bytearray(content(image))
    header = nib.Nifti1Header(raw[:348])
    for name, value in fields.items():
        header[name] = value
    raw[:348] = header.binaryblock
    return bytes(raw)


def sheared():
    image = image_of()
    affine = image.affine.copy()
    affine[:3, 1] += 0.3 * affine[:3, 0]
    return content(nib.Nifti1Image(np.asarray(image.dataobj), affine))


def with_nan():
    image = image_of(dtype=np.float32)
    array = np.array(image.dataobj)
    array[1, 2, 3] = np.nan
    return content(nib.Nifti1Image(array, image.affine))


def no_form():
    image = image_of()
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    return content(image)


WHOLE = content(image_of())
RGB = np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
BAD = {
    "is not a NIfTI file": [b"", b"GIF89a", bytes(400), b"\x5c\x01\0\0" + bytes(396)],
    "is cut off or damaged": [gzip.compress(WHOLE)[:-40], gzip.compress(WHOLE)[:60] + bytes(90)],
    "is compressed twice": [gzip.compress(gzip.compress(WHOLE))],
    "is cut off: its header declares 4 x 6 x 5 voxels": [WHOLE[:-7]],
    "one 3-D volume is needed": [content(nib.Nifti1Image(np.ones((3, 3, 3, 2)), np.eye(4))),
                                 content(nib.Nifti1Image(np.ones((3, 3)), np.eye(4)))],
    "holds colours": [content(nib.Nifti1Image(RGB, np.eye(4)))],
    "holds NaN": [with_nan()],
    "is constant": [content(nib.Nifti1Image(np.ones((3, 3, 3)), np.eye(4)))],
    "neither an sform nor a qform": [no_form()],
    "is oblique: its axes lie 40 degrees off": [content(image_of(tilt=40.0))],
    "not at right angles": [sheared()],
    "spans no volume": [changed(image_of(), srow_y=[0, 0, 0, 0]),
                        changed(image_of(), srow_y=[np.nan, 0, 0, 0])],
    "as no scan of a body has": [changed(image_of(), xyzt_units=1)],
    "spacing in its header that is not above zero": [changed(image_of(), pixdim=[1, 0, *[1] * 6])],
    "than this page can hold": [changed(image_of(), dim=[3, 2000, 2000, 2000, 1, 1, 1, 1])],
}  # fmt: skip


@pytest.mark.parametrize("words", BAD)
def test_a_bad_file_gets_one_clear_sentence(page, words):
    for raw in BAD[words]:
        told = read(page, "scan.nii.gz", raw)
        assert words in told.get("error", "") and told["known"], told
        assert told["error"].startswith("scan.nii.gz ")
        assert told["error"].endswith(".") and told["error"].count(". ") == 0


def test_contrasts_are_told_by_the_name(page):
    names = {"01_wat.nii.gz": "wat", "sub-1_T2.nii": "t2", "fat.nii.gz": "fat",
             "my scan.nii": "image", "x_Labels.nii.gz": "labels"}  # fmt: skip
    assert {name: read(page, name, WHOLE)["contrast"] for name in names} == names


# --- preparing -----------------------------------------------------------------------------------


def call(page, code: str, *arguments):
    """What an expression of `Prepare` gives, where a, b, … are the arguments."""
    typed = [{"typed": np.ravel(a).tolist()} if isinstance(a, np.ndarray) else a for a in arguments]
    letters = "abcdefg"[: len(arguments)]
    return page.evaluate(
        f"""(given) => {{
          const [{", ".join(letters)}] = given.map(
            (a) => (a?.typed ? Float32Array.from(a.typed) : a));
          const plain = (x) => ArrayBuffer.isView(x) ? [...x]
            : x && typeof x === "object" && !Array.isArray(x)
              ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, plain(v)])) : x;
          return plain({code});
        }}""",
        typed,
    )


def volume(*shape, seed=0):
    return np.float32(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("plane", [(11, 14), (30, 23), (9, 40), (17, 19)])
def test_resampling(page, plane):
    image = volume(2, 17, 19)
    found = call(page, "Prepare.resample(a, b, c)", image, image.shape, plane)
    np.testing.assert_allclose(found, resampling.resample(image, plane).ravel(), atol=2e-6)


@pytest.mark.parametrize("edges", [(4, 1.25, 1.25), (4, 0.7, 1.26), (4, 3, 0.5), (1, 1.875, 1)])
def test_planes(page, edges):
    known = [[1, 8], [1.25, 1.25], [1.25, 1.25]]
    found = call(page, "Prepare.planeFor(a, b, c, 0.02)", (5, 321, 257), edges, known)
    assert tuple(found) == resampling.plane_for((5, 321, 257), edges, known)


def test_fusion(page):
    two = {"wat": volume(2, 5, 4), "fat": volume(2, 5, 4, seed=1)}
    code = "Prepare.fuse({wat: a, fat: b}, {wat: 0.35, fat: 1})"
    (ours,) = fusion.fuse(two, ["0.35*wat+1*fat"]).values()
    np.testing.assert_allclose(call(page, code, *two.values()), ours.ravel(), atol=1e-6)
    alone = call(page, "Prepare.fuse({wat: a, fat: b}, {wat: 0.35, fat: 0})", *two.values())
    np.testing.assert_allclose(alone, fusion.min_max(two["wat"]).ravel(), atol=1e-6)
    assert call(page, "Prepare.fuse({wat: a}, {wat: 0})", two["wat"]) is None


def test_noise(page):
    plane = np.full((200, 200), 0.5, np.float32)
    found = np.array(call(page, "Prepare.addNoise(a, 0.1)", plane)) - 0.5
    assert abs(found.mean()) < 0.002 and abs(found.std() - 0.1) < 0.002
    twice = np.array(call(page, "Prepare.addNoise(a, 0.2)", plane)) - 0.5
    inside = np.abs(twice) < 0.499
    np.testing.assert_allclose(twice[inside], 2 * found[inside], atol=1e-6)  # the same grains
    assert call(page, "Prepare.addNoise(a, 0)", plane) == [0.5] * plane.size


@pytest.mark.parametrize(("shape", "window", "overlap"), [
    ((256, 256), (60, 172), 0.0), ((35, 25), (0, 35), 0.0), ((300, 330), (10, 290), 0.5),
    ((129, 100), (3, 120), 0.5),
])  # fmt: skip
def test_tiles(page, shape, window, overlap):
    grid = tiles.TileGrid((1, *shape), (112, 128), window, overlap)
    places = call(page, "Prepare.tilePlaces(a, [112, 128], b, c)", shape, window, overlap)
    assert [tuple(place) for place in places] == [place[1:] for place in grid.positions]
    plane = volume(1, *shape)
    both = call(page, """(() => {
      const tiles = c.map((place) => Prepare.cut(a, b, [112, 128], place).tile);
      const sum = tiles.map((tile) => tile.reduce((x, y) => x + y, 0));
      return {sum, spliced: Prepare.splice(tiles, c, [112, 128], b)};
    })()""", plane, shape, places)  # fmt: skip
    np.testing.assert_allclose(both["sum"], grid.cut(plane).sum(axis=(1, 2)), atol=0.05)
    np.testing.assert_allclose(both["spliced"], grid.splice(grid.cut(plane)).ravel(), atol=1e-6)


def test_shrunken_and_enlarged(page):
    image = volume(2, 7, 5)
    found = call(page, "Prepare.shrink(a, b, 2)", image, image.shape)
    ours = region.shrink(image, 2)
    assert tuple(found["shape"]) == ours.shape
    np.testing.assert_allclose(found["volume"], ours.ravel(), atol=1e-6)
    back = call(page, "Prepare.enlarge(a, b, 2, c)", ours > 0, ours.shape, image.shape)
    assert np.array_equal(np.reshape(back, image.shape), region.enlarge(ours > 0, 2, image.shape))


def blobs(seed):
    """A mask of a few parts, some of them near each other."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(4, 22, 26)), 1.4)
    return smooth > np.quantile(smooth, 0.9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gap", [0.0, 4.0, 20.0])
def test_the_largest_part_and_the_region_about_it(page, seed, gap):
    mask = blobs(seed)
    ours = region.largest_part(mask, SPACING, gap, 1e-4)
    found = call(page, "Prepare.largestPart(a, b, c, d, 1e-4)", mask, mask.shape, SPACING, gap)
    assert np.array_equal(np.reshape(found, mask.shape), ours)
    for masked in (True, False):
        card = {"margin": 6.0, "tolerance": 1e-4, "mask": masked}
        wanted = region.region_of(ours, mask.shape, SPACING, (12, 12), **{
            "margin": 6.0, "tolerance": 1e-4, "masked": masked})  # fmt: skip
        area = call(page, "Prepare.regionOf(a, b, c, [12, 12], d)", ours, mask.shape, SPACING, card)
        assert tuple(area["window"]) == wanted.window
        if masked:
            assert np.array_equal(np.reshape(area["mask"], mask.shape), wanted.mask)
        else:
            assert area["mask"] is None


def test_no_spine_and_a_crop_leave_nothing_out(page):
    card = {"margin": 6.0, "tolerance": 0, "mask": True}
    empty = np.zeros((2, 20, 20))
    for mask, tile in ((empty, (12, 12)), (empty + 1, (20, 30))):
        found = call(page, "Prepare.regionOf(a, b, c, d, e)", mask, mask.shape, SPACING, tile, card)
        assert found == {"mask": None, "window": [0, 20]}
    sizes = call(page, "Prepare.sizeOfSpine(a, b, c)", empty, empty.shape, SPACING)
    assert sizes == {"high": 0, "wide": 0}


def test_distances_are_exact(page):
    mask = blobs(1)
    found = call(page, "Prepare.squaredDistance(a, b, c)", mask, mask.shape, SPACING)
    ours = ndimage.distance_transform_edt(~mask, sampling=SPACING)
    np.testing.assert_allclose(np.sqrt(found), ours.ravel(), atol=1e-9)


def test_the_size_of_a_spine(page):
    mask = np.zeros((3, 20, 30), bool)
    mask[1, 4:14, 5:25] = mask[2, 4:9, 5:25] = True
    sizes = call(page, "Prepare.sizeOfSpine(a, b, c)", mask, mask.shape, SPACING)
    assert sizes == pytest.approx({"high": 20 * 1.5, "wide": 10 * 1.25})
