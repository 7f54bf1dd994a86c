"""Prediction: tiles, regions, weights with a passport, the spine."""

import keras
import numpy as np
from tiny_network import volume

from ivdlib import networks
from ivdlib.preprocessing.region import Region
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.training import inference
from ivdlib.training.weights import Network

TILE = (16, 12)


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
    padded = np.pad(image, [(0, 0), (1, 2), (1, 2)])  # it lies in the middle of the tile
    expected = direct(model, padded)[:, 1:14, 1:10]
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
    whole = inference.tile_probabilities(model, tiles)
    monkeypatch.setattr(inference, "BATCH_PIXELS", 3 * TILE[0] * TILE[1])
    np.testing.assert_allclose(inference.tile_probabilities(model, tiles), whole, atol=1e-6)
    np.testing.assert_allclose(whole, direct(model, tiles), atol=1e-5)
    assert inference.tile_probabilities(model, tiles[:0]).shape == (0, *TILE)


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
