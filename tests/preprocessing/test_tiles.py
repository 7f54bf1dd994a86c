"""Tiles, splicing and the region of interest (paper, Sect. 2.1 and 3.1)."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ivdlib import options
from ivdlib.errors import ConfigError, DataError
from ivdlib.options import TOLERANCE_MM
from ivdlib.preprocessing import tiles as patches
from ivdlib.preprocessing.region import Region, region_around, spine_band, whole_image
from ivdlib.preprocessing.tiles import TileGrid

QUICK = settings(max_examples=30, deadline=None)
SIDES = st.integers(1, 40)
TILES = st.tuples(st.integers(1, 16), st.integers(1, 16))


@st.composite
def windows(draw):
    """A volume's shape, a tile, and a window along AP."""
    shape = (draw(st.integers(1, 3)), draw(SIDES), draw(SIDES))
    first = draw(st.integers(0, shape[1] - 1))
    last = draw(st.integers(first + 1, shape[1]))
    return shape, draw(TILES), draw(st.sampled_from([None, (first, last)]))


def numbered(shape):
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


def test_a_challenge_slice_gives_two_tiles_a_band():
    grid = TileGrid((36, 256, 256), window=(60, 172))
    assert options.TILE == (112, 128)
    assert len(grid.positions) == 36 * 2
    assert grid.positions[:3] == [(0, 60, 0), (0, 60, 128), (1, 60, 0)]
    assert len(TileGrid((1, 256, 256)).positions) == 3 * 2


@QUICK
@given(st.integers(1, 500), st.integers(1, 200))
def test_starts_are_the_fewest_that_cover_and_evenly_spread(length, tile):
    starts = patches.tile_starts(length, tile)
    covered = np.zeros(length, dtype=int)
    for start in starts:
        covered[max(start, 0) : start + tile] += 1
    assert (covered >= 1).all()
    assert len(starts) == max(1, -(-length // tile))
    if length > tile:
        assert starts[0] == 0 and starts[-1] == length - tile
    else:  # in the middle
        before, behind = -starts[0], tile - length + starts[0]
        assert 0 <= behind - before <= 1 and before >= 0
    assert len(starts) < 2 or np.ptp(np.diff(starts)) <= 1


@QUICK
@given(st.integers(1, 500), st.integers(2, 200), st.sampled_from([0.25, 0.5]))
def test_tiles_overlap_as_far_as_they_are_asked_to(length, tile, overlap):
    starts = patches.tile_starts(length, tile, overlap)
    assert len(starts) < 2 or np.diff(starts).max() <= tile * (1 - overlap) + 1
    assert len(starts) >= len(patches.tile_starts(length, tile))
    assert patches.tile_starts(256, 128, 0.5) == [0, 64, 128]
    assert patches.tile_starts(153, 128, 0.5) == patches.tile_starts(153, 128) == [0, 25]


@QUICK
@given(windows())
def test_cut_and_splice_give_the_volume_back(drawn):
    shape, tile, window = drawn
    volume, grid = numbered(shape), TileGrid(shape, tile, window)
    tiles = grid.cut(volume)
    assert tiles.shape == (len(grid.positions), *tile) and tiles.dtype == volume.dtype
    back = grid.splice(tiles)
    first, last = window or (0, shape[1])
    np.testing.assert_array_equal(back[:, first:last], volume[:, first:last])
    outside = np.delete(back, np.s_[first:last], axis=1)
    unchanged = np.delete(volume, np.s_[first:last], axis=1)
    assert ((outside == 0) | (outside == unchanged)).all()


@QUICK
@given(windows())
def test_every_pixel_of_the_window_is_in_a_tile(drawn):
    shape, tile, window = drawn
    grid = TileGrid(shape, tile, window)
    first, last = window or (0, shape[1])
    assert (grid.splice(np.ones((len(grid.positions), *tile)))[:, first:last] == 1).all()


def test_beyond_the_image_stand_zeros():
    tiles = TileGrid((1, 3, 2), (4, 4)).cut(np.ones((1, 3, 2), dtype=np.uint8))
    assert tiles.dtype == np.uint8
    np.testing.assert_array_equal(tiles[0, :3, 1:3], 1)
    assert tiles.sum() == 6


def test_where_tiles_overlap_their_mean_counts():
    grid = TileGrid((1, 1, 6), (1, 4))  # tiles at 0 and 2
    assert grid.positions == [(0, 0, 0), (0, 0, 2)]
    spliced = grid.splice(np.array([[[1, 1, 1, 1]], [[4, 4, 4, 4]]], dtype=np.float32))
    np.testing.assert_array_equal(spliced[0, 0], [1, 1, 2.5, 2.5, 4, 4])
    assert spliced.dtype == np.float32


def test_splicing_needs_no_grid():
    """Any positions: beyond the volume on every side, three times in one place, none at all."""
    tiles = np.arange(1, 25, dtype=np.float32).reshape(4, 2, 3)
    positions = [(0, -1, -1), (0, 1, 2), (0, 1, 2), (1, 0, 0)]
    want = np.zeros((2, 2, 4))
    want[0, 0, :2], want[0, 1, 2:] = [5, 6], [10, 11]
    want[1, :, :3] = tiles[3]
    np.testing.assert_array_equal(patches.splice(tiles, positions, (2, 2, 4)), want)


def test_what_does_not_fit_is_refused():
    grid = TileGrid((2, 8, 8), (4, 4))
    with pytest.raises(DataError, match=r"\(2, 8, 9\) does not fit tiles of \(2, 8, 8\)"):
        grid.cut(np.zeros((2, 8, 9)))
    with pytest.raises(DataError, match=r"\(7, 4, 4\) do not fit: \(8, 4, 4\)"):
        grid.splice(np.zeros((7, 4, 4)))
    with pytest.raises(DataError, match="do not fit"):
        grid.splice(np.zeros((8, 4, 5)))


@QUICK
@given(st.tuples(SIDES, SIDES), st.tuples(st.integers(1, 10), st.integers(1, 10)))
def test_small_images_get_a_tile_that_holds_them(shape, quarter):
    tile = (4 * quarter[0], 4 * quarter[1])
    found = patches.tile_for(shape, tile)
    for side, chosen, limit in zip(shape, found, tile, strict=True):
        assert chosen % patches.MULTIPLE == 0 and chosen <= limit
        assert chosen == limit or side <= chosen < side + patches.MULTIPLE
    assert patches.tile_for((35, 25)) == (36, 28)
    assert patches.tile_for((256, 256)) == options.TILE


def brute_force_distance(mask, spacing):
    """Distance in mm from each voxel to the nearest one of the mask, centre to centre."""
    grid = np.indices(mask.shape).reshape(3, -1).T * spacing
    inside = np.argwhere(mask) * spacing
    distances = np.linalg.norm(grid[:, None] - inside[None], axis=2).min(axis=1)
    return distances.reshape(mask.shape)


@pytest.mark.parametrize("margin", [0.0, 1.9, 2.0, 3.7, 100.0])
def test_the_margin_is_in_mm_along_every_axis(margin):
    spacing = (2.0, 1.25, 0.9)
    spine = np.zeros((6, 9, 11), dtype=bool)
    spine[2:4, 4, 5:7] = True
    spine[0, 8, 0] = True
    region = region_around(spine, spacing, tile=4, margin=margin)
    expected = brute_force_distance(spine, spacing) <= margin + 1e-9
    np.testing.assert_array_equal(region.mask, expected)


EDGES = (0.5, 0.6, 0.75, 0.9375, 0.94, 1.0, 1.25, 1.5, 1.5625, 2.0, 2.5, 3.0, 3.3, 4.0, 4.4, 5.0)
"""Voxel edges in mm as scanners give them."""


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.sampled_from(EDGES)] * 3),
    st.sampled_from([3.0, 5.0, 10.0, 12.5, 15.0, 20.0]),
    st.tuples(*[st.floats(-1e-6, 1e-6)] * 3),
)
def test_rounding_of_an_affine_moves_no_voxel(edges, margin, shakes):
    spine = np.zeros((17, 65, 65), dtype=bool)
    spine[8, 32, 32] = True
    distance = brute_force_distance(spine, edges)
    # Some odd mixture of edges has a voxel at 20.0001 mm, right at the tolerance: no usual grid.
    assume(not ((distance > margin + 1e-9) & (distance < margin + 2 * TOLERANCE_MM)).any())
    shaken = tuple(edge * (1 + shake) for edge, shake in zip(edges, shakes, strict=True))
    usual = region_around(spine, edges, margin=margin)
    found = region_around(spine, shaken, margin=margin)
    np.testing.assert_array_equal(found.mask, usual.mask)
    np.testing.assert_array_equal(usual.mask, distance <= margin + 1e-9)


def test_without_a_tolerance_a_shake_moves_the_region_of_a_phantom_grid():
    """So it was in the recorded experiments: of eight phantom scans five fell out, three in."""
    spine = np.zeros((17, 65, 65), dtype=bool)
    spine[8, 28:36, 4:60] = True
    inside, outside = (
        region_around(spine, np.multiply((2, 1.25, 1.25), 1 + e), tolerance=0.0).mask
        for e in (-4e-8, 4e-8)
    )
    assert (inside ^ outside).sum() > 100 and not (outside & ~inside).any()
    usual = region_around(spine, (2, 1.25, 1.25)).mask
    np.testing.assert_array_equal(usual, inside)


@pytest.mark.parametrize("limit", [15.0, 5.0], ids=["margin", "gap"])
def test_regions_of_the_recorded_slabs_are_what_they_were(limit):
    """On their grid no distance lies above a limit and within the tolerance, whatever the mask."""
    edges = (0.8999999761581421, 0.9399999976158142, 0.9399999976158142)  # as their files have it
    steps = np.ogrid[0:20, 0:20, 0:20]
    distance = np.sqrt(sum((step * edge) ** 2 for step, edge in zip(steps, edges, strict=True)))
    assert distance.max() > 15
    assert not ((distance > limit) & (distance <= limit + options.TOLERANCE_MM)).any()


@QUICK
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 40))
def test_the_window_is_wide_enough_and_holds_the_spine(seed, tile, length):
    rng = np.random.default_rng(seed)
    spine = np.zeros((2, length, 3), dtype=bool)
    first, last = np.sort(rng.integers(0, length, 2))
    spine[rng.integers(2), [first, last], rng.integers(3)] = True
    start, end = region_around(spine, (2, 1, 1), tile).window
    assert 0 <= start <= first and last < end <= length
    assert end - start == min(max(tile, last + 1 - first), length)
    middle = (first + last + 1) / 2
    free = [(start + end) / 2 - middle]
    assert abs(free[0]) <= 0.5 or start == 0 or end == length


def test_the_region_sets_what_is_outside_to_zero():
    volume = numbered((1, 2, 2))
    region = Region(np.array([[[True, False], [False, True]]]), (0, 2))
    np.testing.assert_array_equal(region.apply(volume), [[[1, 0], [0, 4]]])
    assert region.apply(volume).dtype == np.float32
    assert region.apply(np.ones((1, 2, 2), np.uint8)).dtype == np.uint8
    assert volume[0, 0, 1] == 2


def test_without_a_mask_nothing_is_left_out():
    region = whole_image((3, 20, 30))
    volume = numbered((3, 20, 30))
    assert region.window == (0, 20) and np.array_equal(region.apply(volume), volume)


@pytest.mark.parametrize("spine", [np.zeros((2, 3, 4), bool), np.ones((3, 4), bool)])
def test_a_region_needs_a_spine(spine):
    with pytest.raises(DataError, match="empty or not 3-D"):
        region_around(spine, (1, 1, 1))


@pytest.mark.parametrize("tile", [(112, 128), 11.5, None, 0, True, "112"])
@pytest.mark.parametrize("asks", [lambda m, t: region_around(m, (1, 1, 1), t), spine_band])
def test_a_band_is_asked_for_with_one_side_of_a_tile(tile, asks):
    with pytest.raises(ConfigError, match=r"one whole number of pixels, not .*; .* give tile\[0\]"):
        asks(np.ones((2, 30, 40), bool), tile)


@pytest.mark.parametrize("spacing", [(1, 1), 1.25, (1, 0, 1), "abc"])
def test_a_region_is_asked_for_with_the_edges_of_a_voxel(spacing):
    with pytest.raises(DataError, match="is not 3 positive lengths in mm"):
        region_around(np.ones((2, 30, 40), bool), spacing)


@pytest.mark.parametrize(
    ("shape", "tile"), [((3, 20, 30), 12), ((3, 20, 30), (12,)), ((3, 20, 30), (12, 0)),
                        ((20, 30), (12, 16)), ((3, 20, 30), (12, 16.5)), (3, (12, 16))]
)  # fmt: skip
def test_a_grid_is_asked_for_with_a_scan_and_a_tile(shape, tile):
    with pytest.raises(ConfigError, match=r"whole numbers \((slices, )?AP, SI\) above 0, not"):
        TileGrid(shape, tile)


def test_sides_may_be_numbers_of_numpy():
    grid = TileGrid(tuple(np.array([3, 20, 30])), tuple(np.array([12, 16])))
    assert len(grid.positions) == 12
    assert spine_band(np.ones((2, 30, 40), bool), np.int64(12)) == (0, 30)


def test_coverage_of_a_region():
    truth = np.zeros((2, 10, 6), bool)
    truth[:, 2:6, 1:3] = True
    assert whole_image(truth.shape).coverage(truth) == {
        "discs_inside": 1.0,
        "region_share": 1.0,
    }
    band = Region(None, (4, 9))
    assert band.coverage(truth) == {"discs_inside": 0.5, "region_share": 0.5}
    mask = np.zeros(truth.shape, bool)
    mask[0] = True  # one slice of two, and of it half the band
    assert Region(mask, (4, 9)).coverage(truth) == {"discs_inside": 0.25, "region_share": 0.25}
    assert band.coverage(truth & False)["discs_inside"] == 1.0
