"""Signal model of the phantom."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.phantom.signal import (
    TE_MS,
    TISSUES,
    dephasing,
    dixon_echoes,
    fat_phasor,
    reconstruct,
    weights,
)


def magnitudes(mix):
    opposed, in_phase = dixon_echoes(np.float32(mix).reshape(4, 1), np.zeros(1, np.float32))
    return abs(in_phase[0]), abs(opposed[0])


def test_fat_is_opposed_at_the_first_echo_and_in_phase_at_the_second():
    opposed, in_phase = (fat_phasor(te) for te in TE_MS)
    assert abs(opposed) == pytest.approx(0.80, abs=0.01)
    assert abs(in_phase) == pytest.approx(0.80, abs=0.01)
    assert np.rad2deg(np.angle(opposed)) == pytest.approx(176, abs=1)
    assert np.rad2deg(np.angle(in_phase)) == pytest.approx(-7, abs=1)


@pytest.mark.parametrize(
    ("tissue", "inn", "opp"),
    [
        ("csf", 0.45, 0.45),
        ("fat", 1.89, 1.79),
        ("muscle", 1.07, 1.01),
        ("blood", 0.92, 0.94),
        ("liver", 1.35, 1.36),
        ("annulus_outer", 0.47, 0.61),
    ],
)
def test_tissues_have_the_tabulated_signal(tissue, inn, opp):
    assert magnitudes(weights(TISSUES[tissue])) == pytest.approx((inn, opp), abs=0.02)


def test_marrow_of_a_third_fat_is_nearly_black_in_opposed_phase():
    third = 0.67 * weights(TISSUES["marrow_water"]) + 0.33 * weights(TISSUES["marrow_fat"])
    assert magnitudes(third) == pytest.approx((0.95, 0.24), abs=0.03)


def test_a_voxel_half_muscle_half_fat_is_an_india_ink_line():
    share = 0.68
    border = share * weights(TISSUES["muscle"]) + (1 - share) * weights(TISSUES["fat"])
    inn, opp = magnitudes(border)
    assert inn > 1.0
    assert opp < 0.2


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 3), st.floats(0, 3), st.floats(-60, 60), st.integers(0, 1000))
def test_the_dixon_identities_hold_whatever_the_field(water, fat, hertz, seed):
    noise = np.random.default_rng(seed).normal(0, 0.03, (2, 2, 5))
    mix = np.broadcast_to(np.float32([water, water, fat, fat])[:, None], (4, 5))
    opposed, in_phase = dixon_echoes(mix, np.full(5, hertz, np.float32))
    opposed, in_phase = opposed + noise[0, 0] + 1j * noise[0, 1], in_phase + noise[1, 0]
    images = reconstruct(opposed, in_phase, np.full(5, water >= 0.8 * fat))
    open_ = (images["wat"] > 0) & (images["fat"] > 0)
    total, difference = images["wat"] + images["fat"], np.abs(images["wat"] - images["fat"])
    np.testing.assert_allclose(total[open_], images["inn"][open_], atol=1e-5)
    np.testing.assert_allclose(difference[open_], images["opp"][open_], atol=1e-5)
    assert min(image.min() for image in images.values()) >= 0


def test_polarity_decides_which_is_water():
    one = np.array([0.5 + 0j])
    water = reconstruct(one, 2 * one, np.array([True]))
    fat = reconstruct(one, 2 * one, np.array([False]))
    assert (water["wat"], water["fat"]) == (0.75, 0.25)
    assert (fat["wat"], fat["fat"]) == (0.25, 0.75)


def test_a_field_that_turns_by_half_a_cycle_in_a_voxel_costs_signal():
    steep = np.array([0.0, 0.5 / (TE_MS[1] * 1e-3)])
    left = dephasing([steep], TE_MS[1])
    np.testing.assert_allclose(left, [1, 2 / np.pi], atol=1e-6)
