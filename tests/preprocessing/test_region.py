"""The region that the spine network leaves, and images at a coarser grid."""

import numpy as np
import pytest
from tiny_network import volume

from ivdlib.preprocessing.region import enlarge, largest_part, region_of, shrink, whole_image
from ivdlib.training import inference


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
