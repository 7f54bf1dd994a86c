"""Artefacts of the simulated scans."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ivdlib.phantom.artefacts import (
    KEPT_BAND,
    SPECKLE_MM,
    bowel_speckle,
    draw_artefacts,
    ghosts,
    point_spread,
    shift_fat,
    spoil,
    wedge_mask,
    wrap_ends,
)

STRENGTHS = (
    *("chemical_shift_mm", "breath", "pulse", "wrap_mm"),
    *("wedge_low_mm", "wedge_high_mm", "speckle"),
)


def rng(seed=0):
    return np.random.default_rng(seed)


def slice_of(shape=(48, 40), seed=0):
    parts = rng(seed).standard_normal((2, *shape), dtype=np.float32)
    return np.complex64(parts[0] + 1j * parts[1])


def shares(shape=(48, 40), seed=5):
    return rng(seed).random((3, *shape), dtype=np.float32)


def test_what_is_drawn_is_plain_and_within_its_bounds():
    for seed in range(30):
        art = draw_artefacts(rng(seed))
        assert {type(value) for value in asdict(art).values()} == {int, float}
        assert json.loads(json.dumps(asdict(art))) == asdict(art)
        assert abs(art.chemical_shift_mm) == 0.5
        assert 0.02 <= art.breath <= 0.10
        assert 2 <= art.breath_replicas <= 4
        assert 0.01 <= art.pulse <= 0.04
        assert 0 <= art.wrap_mm <= 10
        assert 0 <= art.wedge_low_mm <= 7.5
        assert 0 <= art.wedge_high_mm <= 7.5
        assert 0 < art.ringing < 1
    signs = {np.sign(draw_artefacts(rng(seed)).chemical_shift_mm) for seed in range(30)}
    assert signs == {-1, 1}


@pytest.mark.parametrize("amount", [0.0, 0.5, 5.0])
def test_the_amount_scales_the_strengths_and_changes_no_draw(amount):
    one, other = rng(7), rng(7)
    full, art = draw_artefacts(one), draw_artefacts(other, amount)
    assert one.random() == other.random()
    for name, value in asdict(full).items():
        wanted = amount * value if name in STRENGTHS else value
        assert getattr(art, name) == pytest.approx(wanted), name


def test_without_artefacts_no_bit_changes():
    art = draw_artefacts(rng(1), 0.0)
    echoes, mix = (slice_of(), slice_of(seed=1)), rng().random((4, 48, 40), dtype=np.float32)
    for before, after in zip(echoes, spoil(echoes, *shares(), art, rng(), 1.25), strict=True):
        assert after.dtype == np.complex64
        np.testing.assert_array_equal(after.view(np.uint64), before.view(np.uint64))
    assert shift_fat(mix, art.chemical_shift_mm) is mix
    np.testing.assert_array_equal(wedge_mask((48, 40), art, 1.25), np.ones((48, 40)))


def test_spoil_draws_the_same_numbers_whatever_the_artefacts():
    echoes, after = (slice_of(), slice_of(seed=1)), []
    for amount, share in ((0.0, 1.0), (1.0, 1.0), (1.0, 0.0)):
        random = rng(3)
        spoil(echoes, *(share * shares()), draw_artefacts(rng(1), amount), random, 1.25)
        after.append(random.random())
    assert len(set(after)) == 1


def test_spoil_is_linear_repeatable_and_keeps_its_input():
    art = draw_artefacts(rng(2), 2.0)
    one, two = (slice_of(seed=1), slice_of(seed=2)), (slice_of(seed=3), slice_of(seed=4))
    kept = [echo.copy() for echo in one]
    both = [3 * a - b for a, b in zip(one, two, strict=True)]
    first, second, sum_, again = (
        spoil(echoes, *shares(), art, rng(9), 1.25) for echoes in (one, two, both, one)
    )
    for a, b, c, d in zip(first, second, sum_, again, strict=True):
        np.testing.assert_allclose(c, 3 * a - b, atol=2e-5)
        np.testing.assert_array_equal(a, d)
    np.testing.assert_array_equal(one, kept)


def test_what_neither_moves_nor_lies_at_an_end_stays():
    art = replace(draw_artefacts(rng(2)), wrap_mm=5.0)
    echoes = (slice_of(), slice_of(seed=1))
    still = spoil(echoes, *np.zeros((3, 48, 40), np.float32), art, rng(), 1.25)
    for before, after in zip(echoes, still, strict=True):
        np.testing.assert_array_equal(after[:, 4:-4], before[:, 4:-4])
        assert not np.allclose(after[:, :4], before[:, :4])


def test_fat_moves_and_water_does_not():
    mix = rng().random((4, 6, 20), dtype=np.float32)
    for pixels in (-3, -1, 2):
        moved = shift_fat(mix, pixels)
        assert moved.dtype == np.float32
        np.testing.assert_array_equal(moved[:2], mix[:2])
        at = np.clip(np.arange(20) - pixels, 0, 19)
        np.testing.assert_array_equal(moved[2:], mix[2:, :, at])


@settings(max_examples=30, deadline=None)
@given(st.floats(-2.5, 2.5))
def test_a_fractional_shift_of_smooth_fat_is_that_of_its_spectrum(pixels):
    # Slowly varying and zero at both ends, so that a periodic reference applies.
    smooth = ndimage.gaussian_filter1d(rng().random((2, 3, 128)), 4, axis=-1)
    smooth *= np.hanning(128) ** 2
    mix = np.float32(np.concatenate([np.ones((2, 3, 128)), smooth]))
    moved = shift_fat(mix, pixels)
    for before, after in zip(smooth[0], moved[2], strict=True):
        spectrum = ndimage.fourier_shift(np.fft.fft(before), pixels)
        np.testing.assert_allclose(after, np.fft.ifft(spectrum).real, atol=2e-3)


@pytest.mark.parametrize("pixels", [-1.6, -0.4, 0.2, 0.4])
def test_a_shift_keeps_the_sum_and_moves_the_centre(pixels):
    mix = np.zeros((4, 1, 32), np.float32)
    mix[2:, 0, 14:17] = 1, 2, 1
    moved = shift_fat(mix, pixels)[2, 0]
    assert moved.sum() == pytest.approx(4, abs=1e-5)
    assert moved @ np.arange(32) / 4 == pytest.approx(15 + pixels, abs=1e-5)


@pytest.mark.parametrize("parts", [4, 8])
def test_ghosts_stand_a_share_of_the_field_of_view_away_and_have_their_strength(parts):
    image = np.zeros((64, 5), np.complex64)
    image[10, 2] = 2 + 1j
    moving = np.full(image.shape, 0.5, np.float32)
    ghosted = ghosts(image, moving, 0.1, 1 / parts, replicas=3)
    step, expected = 64 // parts, image.copy()
    expected[10 + step, 2] += 0.05 * (2 + 1j)
    expected[(10 - step) % 64, 2] += 0.05 * (2 + 1j)
    expected[10 + 2 * step, 2] += 0.025 * (2 + 1j)
    np.testing.assert_allclose(ghosted, expected, atol=1e-6)
    assert ghosted.dtype == np.complex64


def test_ghosts_are_those_of_a_slow_transform():
    image, moving = slice_of((24, 3)), shares((24, 3))[0]
    spacing, drift, phase = 0.17, 0.3, 0.8
    index, expected = np.arange(24), np.complex128(image)
    for line in range(-12, 12):
        wave = np.exp(2j * np.pi * line * index / 24)
        turn = 2 * np.pi * spacing * (line + drift * line**2 / 24) + phase
        factor = 0.2 * (2 * np.cos(turn) + np.cos(2 * turn))
        expected += np.outer(wave, wave.conj() @ (image * moving)) / 24 * factor
    ghosted = ghosts(image, moving, 0.2, spacing, 4, drift, phase)
    np.testing.assert_allclose(ghosted, expected, atol=1e-5)


def test_only_what_moves_has_ghosts():
    image = slice_of()
    moving = np.zeros(image.shape, np.float32)
    assert ghosts(image, moving, 0.1, 0.1) is image
    moving[5:9, 12] = 1
    change = ghosts(image, moving, 0.1, 0.1, replicas=4, drift=0.2) - image
    assert np.abs(change[:, 12]).max() > 0.02
    assert not np.delete(change, 12, axis=1).any()


def test_drift_blurs_a_ghost_and_keeps_its_energy():
    image, moving = np.zeros((128, 1), np.complex64), np.ones((128, 1), np.float32)
    image[64] = 1
    sharp, blurred = (ghosts(image, moving, 0.1, 0.25, 2, drift) - image for drift in (0, 0.3))
    assert np.abs(blurred).max() < 0.6 * np.abs(sharp).max()
    energy = [(np.abs(part) ** 2).sum() for part in (sharp, blurred)]
    assert energy[1] == pytest.approx(energy[0], rel=0.05)


def test_speckle_has_unit_size_and_the_echoes_share_most_of_it():
    one, two = bowel_speckle((512, 512), rng(), 0.5)
    assert one.dtype == two.dtype == np.complex64
    for speckle in (one, two):
        assert np.mean(np.abs(speckle) ** 2) == pytest.approx(1, abs=0.06)
        assert abs(speckle.mean()) < 0.05
    assert np.mean(one * two.conj()).real == pytest.approx(0.8, abs=0.04)
    # A Gaussian blur of width s leaves the correlation exp(-d²/4s²) at the distance d.
    distance = 4 * 0.5
    for axis in (0, 1):
        left = np.mean(one * np.roll(one, 4, axis).conj()).real
        assert left == pytest.approx(np.exp(-((distance / SPECKLE_MM / 2) ** 2)), abs=0.05)


def test_large_pixels_average_speckle_away():
    size = [np.std(bowel_speckle((128, 128), rng(), pixel)[0]) for pixel in (1.25, 2.5, 10.0)]
    assert size[0] == pytest.approx(1, abs=0.06)
    # Of white noise, 2 s sqrt(pi) over the size of a pixel is left.
    assert size[2] == pytest.approx(2 * SPECKLE_MM * np.sqrt(np.pi) / 10, rel=0.1)
    assert size[2] < size[1] < 1.03


def test_ends_fold_over_by_half_at_the_edge_and_nothing_within():
    image = slice_of((6, 30))
    folded = wrap_ends(image, 4.3)
    fade = 0.5 * np.cos((np.arange(4) + 0.5) / 4 * np.pi / 2) ** 2
    expected = image.copy()
    for step in range(4):
        expected[:, step] += fade[step] * image[:, 29 - step]
        expected[:, 29 - step] += fade[step] * image[:, step]
    np.testing.assert_allclose(folded, expected, rtol=1e-6)
    np.testing.assert_array_equal(folded[:, 4:26], image[:, 4:26])
    assert fade[0] > 0.45
    assert wrap_ends(image, 0.4) is image
    assert wrap_ends(image, 99.0).shape == image.shape


@pytest.mark.parametrize("pixel", [1.25, 2.5])
def test_wedges_are_curved_and_lie_at_the_ends_alone(pixel):
    count = round(320 / pixel)
    art = replace(draw_artefacts(rng()), wedge_low_mm=7.5, wedge_high_mm=5.0, wedge_middle=0.3)
    mask = wedge_mask((count, count), art, pixel)
    assert mask.dtype == np.float32
    low, high = (1 - mask[:, : count // 2]).sum(1) * pixel, (1 - mask[:, count // 2 :]).sum(1)
    assert low.max() == pytest.approx(7.5, rel=0.02)
    assert high.max() * pixel == pytest.approx(5.0, rel=0.02)
    assert low.argmax() == count - 1
    assert low.argmin() == pytest.approx(0.3 * count, abs=1)
    assert low.min() < 0.01
    assert np.all(np.diff(low[round(0.3 * count) :]) >= 0)
    assert np.all(np.diff(low[: round(0.3 * count)]) <= 0)
    reach = int(np.ceil(7.5 / pixel))
    np.testing.assert_array_equal(mask[:, reach:-reach], 1)


def test_the_point_spread_is_that_of_a_slow_transform():
    image, ringing = slice_of((20, 3)), 0.6
    index, expected = np.arange(20), np.zeros((20, 3), complex)
    for line in range(-10, 10):
        far = abs(line) / (KEPT_BAND * 10)
        if far <= 1:
            weight = ringing + (1 - ringing) * (1 + np.cos(np.pi * far)) / 2
            wave = np.exp(2j * np.pi * line * index / 20)
            expected += weight * np.outer(wave, wave.conj() @ image) / 20
    spread = point_spread(image, ringing)
    np.testing.assert_allclose(spread, expected, atol=1e-6)
    assert spread.dtype == np.complex64


def test_a_hard_edge_rings_by_nine_per_cent_and_a_soft_one_does_not():
    # A step far sharper than the voxels, of which the scanner sees the middle of k-space.
    step = np.zeros(4096)
    step[1024:3072] = 1
    spectrum = np.fft.fft(step)
    seen = np.fft.ifft(np.concatenate([spectrum[:128], spectrum[-128:]]))[:, None] / 16

    def overshoot(ringing):
        lines = np.fft.fft(point_spread(seen, ringing)[:, 0]) * 16
        fine = np.zeros(4096, complex)
        fine[:128], fine[-128:] = lines[:128], lines[-128:]
        return np.fft.ifft(fine).real.max() - 1

    assert overshoot(1.0) == pytest.approx(0.0895, abs=0.002)
    assert overshoot(0.0) < 0.01
    assert overshoot(0.0) < overshoot(0.5) < overshoot(1.0)


def test_the_point_spread_keeps_flat_parts_and_acts_along_the_phase_encoding_only():
    flat = np.outer(np.ones(64), np.arange(5)).astype(np.complex64)
    np.testing.assert_allclose(point_spread(flat, 0.7), flat, atol=1e-5)
