"""Random fields and coverage."""

import numpy as np
import pytest

from ivdlib.phantom.fields import Field, cover, ellipsoid, smooth_max


@pytest.mark.parametrize("fine", [False, True])
def test_a_field_has_unit_variance_and_does_not_depend_on_what_else_is_asked(fine):
    field = Field(np.random.default_rng(3), (4.0, 5.0, 6.0), fine=fine)
    points = np.float32(np.random.default_rng(1).uniform(-200, 200, (3, 40_000)))
    values = field(*points)
    assert values.std() == pytest.approx(1, abs=0.05)
    assert abs(values.mean()) < 0.05
    np.testing.assert_array_equal(field(*points[:, 17:20]), values[17:20])


def test_coverage_is_exact_for_a_plane():
    cells = np.arange(0.25, 10, 0.5)
    for edge in (3.0, 3.1, 3.26):
        assert cover(cells - edge, 0.5).sum() * 0.5 == pytest.approx(edge)


def test_a_thin_layer_keeps_its_thickness():
    cells = np.arange(0.25, 10, 0.5)
    layer = cover(cells - 4.1, 0.5) - cover(cells - 3.9, 0.5)
    assert layer.sum() * 0.5 == pytest.approx(0.2)


def test_smooth_max_is_the_maximum_away_from_the_edge():
    a, b = np.array([0.0, 3.0, 1.0]), np.array([5.0, 0.0, 1.0])
    np.testing.assert_allclose(smooth_max(a, b, 2.0), [5, 3, 1.5])


def test_ellipsoid_is_zero_on_its_surface_and_negative_inside():
    distance = ellipsoid(
        *np.array([[3.0, 0, 0, 0, 9], [0, 4.0, 0, 0, 0], [0, 0, 5.0, 0, 0]]), (3, 4, 5)
    )
    np.testing.assert_allclose(distance[:3], 0, atol=1e-6)
    assert distance[4] == pytest.approx(6)
    assert ellipsoid(*np.array([[1.0], [1.0], [1.0]]), (3, 4, 5))[0] < 0
