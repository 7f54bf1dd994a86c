"""Prediction: tiles, regions, weights with a passport, the spine."""

import json
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.errors import DataError
from ivdlib.preprocessing.fusion import fuse, images_of, min_max
from ivdlib.preprocessing.region import (
    Region,
    enlarge,
    largest_part,
    region_of,
    shrink,
    whole_image,
)
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.training import inference
from ivdlib.training.weights import Network, load_model, save_weights

TILE = (16, 12)
TINY = networks.UNetConfig(base=2, levels=1)
PASSPORT = {"network": "unet", "config": TINY.to_dict(), "tile": TILE, "images": ("wat", "fat"),
            "target": "disc"}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    network = networks.build("unet", TINY, input_shape=(*TILE, 1))
    weights = [
        w + 0.05 * np.random.default_rng(1).normal(size=w.shape) for w in network.get_weights()
    ]
    network.set_weights(weights)  # biases and moving statistics too
    return network


def volume(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def direct(model, tiles):
    return keras.ops.convert_to_numpy(model(tiles[..., None], training=False))[..., 0]


class Pixelwise:
    """Stands for a network: probability = image, whatever lies around."""

    def __init__(self, tile):
        self.input_shape = (None, *tile, 1)
        self.seen = 0

    def predict_on_batch(self, tiles):
        self.seen += int(tiles.any(axis=(1, 2, 3)).sum())
        return tiles


def test_an_image_of_one_tile_is_what_the_network_says(model):
    image = volume((3, *TILE))
    result = inference.predict(model, image)
    assert result.shape == image.shape and result.dtype == np.float32
    np.testing.assert_allclose(result, direct(model, image), atol=1e-5)
    network = Network(model, {})
    np.testing.assert_array_equal(inference.predict(network, image), result)


def test_a_larger_image_is_spliced_from_its_tiles(model):
    image = volume((2, 16, 20))  # tiles at 0 and 8 along SI
    left, right = direct(model, image[:, :, :12]), direct(model, image[:, :, 8:])
    result = inference.predict(model, image)
    np.testing.assert_allclose(result[:, :, :8], left[:, :, :8], atol=1e-5)
    np.testing.assert_allclose(result[:, :, 12:], right[:, :, 4:], atol=1e-5)
    middle = (left[:, :, 8:] + right[:, :, :4]) / 2
    np.testing.assert_allclose(result[:, :, 8:12], middle, atol=1e-5)


def test_a_smaller_image_is_padded_and_cut_back(model):
    image = volume((2, 13, 9))
    padded = np.pad(image, [(0, 0), (0, 3), (0, 3)])
    expected = direct(model, padded)[:, :13, :9]
    np.testing.assert_allclose(inference.predict(model, image), expected, atol=1e-5)


def test_images_do_not_see_each_other(model):
    images = {"a": volume((2, 16, 20)), "b": volume((2, 16, 20), 1)}
    together = inference.predict_images(model, images)
    assert list(together) == ["a", "b"]
    for name, image in images.items():
        alone = inference.predict(model, image)
        np.testing.assert_allclose(together[name], alone, atol=1e-6)


def test_the_number_of_tiles_at_once_changes_nothing(model, monkeypatch):
    tiles = volume((7, *TILE))
    whole = inference.probabilities(model, tiles)
    monkeypatch.setattr(inference, "BATCH_PIXELS", 3 * TILE[0] * TILE[1])
    np.testing.assert_allclose(inference.probabilities(model, tiles), whole, atol=1e-6)
    np.testing.assert_allclose(whole, direct(model, tiles), atol=1e-5)
    assert inference.probabilities(model, tiles[:0]).shape == (0, *TILE)


def test_outside_the_region_stands_zero(model):
    image = volume((3, 40, 24)) + 0.1
    mask = np.zeros(image.shape, bool)
    mask[1, 10:20, 3:20] = True
    result = inference.predict(model, image, Region(mask, (8, 24)))
    assert (result[~mask] == 0).all() and (result[mask] > 0).all()
    # what lies outside the mask does not matter
    other = np.where(mask, image, 0.7).astype(np.float32)
    np.testing.assert_array_equal(inference.predict(model, other, Region(mask, (8, 24))), result)


def test_empty_tiles_are_not_computed():
    image = np.full((3, 32, 24), 0.5, np.float32)
    mask = np.zeros(image.shape, bool)
    mask[1, :16, :12] = True
    network = Pixelwise((16, 12))
    result = inference.predict(network, image, Region(mask, (0, 32)))
    assert network.seen == 1
    np.testing.assert_array_equal(result, np.where(mask, 0.5, 0))
    nothing = Pixelwise((16, 12))
    assert inference.predict(nothing, image * 0).sum() == 0 and nothing.seen == 0


@pytest.fixture
def weights(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    save_weights(model, path, PASSPORT)
    return path


def test_weights_come_back_with_their_passport(model, weights):
    network = load_model(weights)
    for ours, theirs in zip(network.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert network.passport.pop("checksum")
    assert network.passport == json.loads(json.dumps(PASSPORT))
    image = volume((2, 20, 20))
    np.testing.assert_array_equal(
        inference.predict(network, image), inference.predict(model, image)
    )


def test_a_weights_file_holds_no_code(weights):
    assert weights.read_bytes()[:4] == b"\x89HDF"
    with h5py.File(weights) as file:
        assert set(file.attrs) == {"ivdlib"} and isinstance(file.attrs["ivdlib"], bytes)
        kinds = []
        file.visititems(lambda _, item: kinds.append(getattr(item, "dtype", np.dtype("f4"))))
    assert {k.kind for k in kinds} <= {"f", "u", "i"}


def test_a_weights_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"no weights file .*none\.weights\.h5"):
        load_model(tmp_path / "none.weights.h5")
    with pytest.raises(DataError, match="no weights file"):
        load_model(tmp_path)


def truncated(path):
    path.write_bytes(path.read_bytes()[:2000])


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path):
    path.write_text("hello")


def without_passport(path):
    with h5py.File(path, "a") as file:
        del file.attrs["ivdlib"]


def passport(**changes):
    def forge(path):
        with h5py.File(path, "a") as file:
            card = json.loads(file.attrs["ivdlib"])
            file.attrs["ivdlib"] = json.dumps({**card, **changes})

    forge.__name__ = "passport_" + "_".join(changes)
    return forge


def passport_that_is_no_json(path):
    with h5py.File(path, "a") as file:
        file.attrs["ivdlib"] = "{"


def passport_that_is_a_list(path):
    with h5py.File(path, "a") as file:
        file.attrs["ivdlib"] = "[1]"


def without_layers(path):
    with h5py.File(path, "a") as file:
        del file["layers"]


def without_one_layer(path):
    with h5py.File(path, "a") as file:
        del file["layers/batch_norm"]


@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (truncated, "is cut off"),
        (half, "is cut off"),
        (text, "is no HDF5 file"),
        (without_passport, "has no passport"),
        (passport_that_is_no_json, "its passport cannot be read"),
        (passport_that_is_a_list, "its passport cannot be read"),
        (without_layers, "do not fit its checksum"),
        (without_one_layer, "do not fit its checksum"),
        (passport(network="vnet"), "says network = "),
        (passport(config={"base": 2, "depth": 1}), "says config = "),
        (passport(config={"base": 4, "levels": 1}), "do not fit its checksum"),
        (passport(config=3), "says config = 3"),
        (passport(tile=["a", 3]), "says tile = "),
        (passport(tile=None), "says tile = null"),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_a_foreign_or_damaged_file_is_named(weights, damage, words):
    damage(weights)
    with pytest.raises(DataError, match=words) as told:
        load_model(weights)
    assert str(weights) in str(told.value)


def test_a_full_disk_leaves_the_weights_before(model, weights, monkeypatch):
    before = weights.read_bytes()
    monkeypatch.setattr(
        "ivdlib.files.shutil.disk_usage", lambda place: SimpleNamespace(free=1_000_000)
    )
    with pytest.raises(DataError, match="No space left"):
        save_weights(model, weights, PASSPORT)
    assert weights.read_bytes() == before and len(list(weights.parent.iterdir())) == 1


def test_shrinking_averages_and_repeats_the_edge():
    small = shrink(np.array([[[1, 2, 3], [5, 6, 7]]]), 2)
    np.testing.assert_array_equal(small, [[[3.5, 5.0]]])
    assert small.dtype == np.float32
    image = volume((2, 7, 9))
    assert shrink(image, 3).shape == (2, 3, 3)
    np.testing.assert_array_equal(shrink(image, 1), image)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [(2, 12, 24), (1, 7, 9), (3, 13, 10)])
def test_enlarging_undoes_shrinking_of_blocks(shape, factor):
    sides = inference.spine_tile(shape, factor)
    blocks = volume((shape[0], *sides))
    big = enlarge(blocks, factor, shape)
    assert big.shape == shape
    np.testing.assert_allclose(shrink(big, factor), blocks, atol=1e-6)


def test_the_spine_is_the_largest_part_of_the_mean_over_the_contrasts():
    """A stand-in network gives back what it sees, so the mean image is thresholded."""
    spine = np.zeros((4, 16, 24), np.float32)
    spine[1:3, 4:10, 2:20] = 1  # the spine
    spine[1:3, 12:14, 2:6] = 1  # a smaller part beside it
    one_only = np.zeros_like(spine)
    one_only[:, 14:16, 22:24] = 1  # in one contrast of three: below one half
    contrasts = {"wat": 300 * spine, "fat": 10 + spine, "inn": np.maximum(spine, one_only)}
    mask = inference.predict_spine(Pixelwise((8, 12)), contrasts, 2, (2, 1, 1))
    expected = np.zeros(spine.shape, bool)
    expected[1:3, 4:10, 2:20] = True
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, expected)
    near = inference.predict_spine(Pixelwise((8, 12)), contrasts, 2, (2, 1, 1), gap=3.0)
    np.testing.assert_array_equal(near, spine > 0)


def test_a_network_that_finds_nothing_gives_an_empty_mask():
    network = Pixelwise((8, 8))
    network.predict_on_batch = lambda tiles: tiles * 0.4
    mask = inference.predict_spine(network, {"wat": volume((2, 15, 13))}, 2, (2, 1, 1))
    assert mask.shape == (2, 15, 13) and not mask.any()


def test_what_lies_near_the_largest_part_belongs_to_it():
    """Gaps are measured in mm: three slices of 2 mm are 6 mm, four pixels of 1 mm are 4."""
    spacing = (2.0, 1.0, 1.0)
    mask = np.zeros((8, 40, 40), bool)
    mask[0, 5:15, 5:15] = True  # the largest
    near, far, below = mask & False, mask & False, mask & False
    near[0, 18, 5:10] = True  # 4 mm from it
    far[0, 5:10, 20:22] = True  # 6 mm
    below[3, 5:10, 5:10] = True  # 6 mm
    whole = mask | near | far | below
    np.testing.assert_array_equal(largest_part(whole, spacing, gap=5), mask | near)
    np.testing.assert_array_equal(largest_part(whole, spacing), mask)
    np.testing.assert_array_equal(largest_part(whole, spacing, gap=6), whole)
    assert not largest_part(mask & False, spacing).any()


@pytest.mark.parametrize("shake", [-1e-6, 0, 1e-6])
def test_rounding_of_an_affine_joins_or_parts_nothing(shake):
    mask = np.zeros((1, 12, 12), bool)
    mask[0, 2, 2:5] = mask[0, 6, 2] = True  # four pixels apart
    spacing = np.multiply((2.0, 1.25, 1.25), 1 + shake)
    np.testing.assert_array_equal(largest_part(mask, spacing, gap=5.0), mask)
    assert largest_part(mask, spacing, gap=4.999).sum() == 3


def test_the_region_of_a_scan():
    spine = np.zeros((2, 40, 40), bool)
    spine[0, 20, 20] = True
    whole = whole_image(spine.shape)
    around = region_of(spine, spine.shape, (2, 1, 1), (16, 16), margin=3.0)
    assert around.window == (12, 28)
    assert around.mask[0, 23, 20] and not around.mask[0, 24, 20]
    assert around.mask[1, 20, 20]
    for region in (
        region_of(None, spine.shape, (2, 1, 1), (16, 16), 3.0),
        region_of(spine & False, spine.shape, (2, 1, 1), (16, 16), 3.0),
        region_of(spine, spine.shape, (2, 1, 1), (40, 40), 3.0),
    ):
        assert region == whole


def test_images_of_a_scan_are_single_and_fused():
    contrasts = {name: volume((2, 3, 4), k) * 100 for k, name in enumerate(("wat", "inn", "opp"))}
    images = images_of(contrasts, ("wat", "inn", "wat+opp"))
    assert set(images) == {"wat", "inn", "wat+opp"}
    np.testing.assert_array_equal(images["wat"], min_max(contrasts["wat"]))
    np.testing.assert_array_equal(images["wat+opp"], fuse(contrasts, ["wat+opp"])["wat+opp"])


def test_stacked_images_and_neighbouring_slices_are_channels():
    rng = np.random.default_rng(0)
    scan = {name: rng.random((3, 8, 9), np.float32) for name in ("wat", "opp")}
    plain = images_of(scan, ("wat", "opp", "wat+opp"))
    assert all(image.shape == (3, 8, 9) for image in plain.values())
    stacked = images_of(scan, ("wat&wat+opp",), neighbours=1)["wat&wat+opp"]
    assert stacked.shape == (3, 8, 9, 6) and stacked.dtype == np.float32
    for number in range(3):
        for channel, (name, shift) in enumerate(
            (name, shift) for name in ("wat", "wat+opp") for shift in (-1, 0, 1)
        ):
            other = min(max(number + shift, 0), 2)
            np.testing.assert_array_equal(stacked[number, ..., channel], plain[name][other])


def test_a_network_of_several_channels_splices_as_one_of_one_does():
    image = np.random.default_rng(0).random((2, 30, 36, 3), np.float32)
    config = networks.UNetConfig(base=2, levels=1)
    model = networks.build("unet", config, (*TILE, 3))
    mask = np.zeros(image.shape[:3], bool)
    mask[:, 4:24, 5:30] = True
    region = Region(mask, (2, 28))
    found = inference.predict(model, image, region)
    grid = TileGrid(image.shape[:3], TILE, region.window)
    tiles = grid.cut(region.apply(image))
    assert tiles.shape[3] == 3
    want = grid.splice(np.array(model(tiles))[..., 0])
    np.testing.assert_allclose(found, np.where(mask, want, 0), atol=1e-5)
