"""Enlargement, padding, cropping."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib import networks

RNG = np.random.default_rng(0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.sampled_from([1, 2, 4, 16]), st.booleans())
def test_rows_of_the_matrix_are_weights_of_neighbours(size, factor, aligned):
    matrix = networks.bilinear_matrix(size, factor, aligned)
    assert matrix.shape == (factor * size, size)
    assert matrix.dtype == np.float32
    assert matrix.min() >= 0
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
    for row in matrix:
        assert np.ptp(np.flatnonzero(row)) <= 1
    if aligned:
        np.testing.assert_array_equal(matrix[::factor], np.eye(size))
    else:
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_half_pixel_upsampling_is_that_of_keras(factor):
    x = RNG.uniform(-1, 1, (2, 4, 3, 2)).astype(np.float32)
    want = keras.layers.UpSampling2D(factor, interpolation="bilinear")(x)
    layer = networks.BilinearUpsampling(factor)
    got = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(got, keras.ops.convert_to_numpy(want), atol=1e-6)
    assert got.shape == layer.compute_output_shape(x.shape)


def test_aligned_upsampling_undoes_strided_sampling_of_a_ramp():
    """A plane sampled as strided convolutions are centred comes back where it was."""
    rows, columns = np.mgrid[:12, :16].astype(np.float32)
    plane = (2 * rows - 3 * columns)[None, :, :, None]
    layer = networks.BilinearUpsampling(4, aligned=True)
    got = keras.ops.convert_to_numpy(layer(plane[:, ::4, ::4]))
    # Beyond the last sample the edge is repeated.
    np.testing.assert_allclose(got[:, :9, :13], plane[:, :9, :13], atol=1e-4)
    np.testing.assert_allclose(got[:, 9:, 0], np.full((1, 3, 1), 16.0), atol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_upsampling_keeps_the_precision_of_its_input(precision):
    x = RNG.uniform(-1, 1, (1, 3, 4, 2)).astype(np.float32)
    want = keras.ops.convert_to_numpy(networks.BilinearUpsampling(2)(x))
    got = networks.BilinearUpsampling(2, dtype=f"mixed_{precision}")(x)
    assert keras.backend.standardize_dtype(got.dtype) == precision
    got = keras.ops.convert_to_numpy(keras.ops.cast(got, "float32"))
    np.testing.assert_allclose(got, want, atol=2e-2)


@pytest.mark.parametrize("aligned", [True, False])
def test_the_layer_comes_back_from_its_configuration(aligned):
    layer = networks.BilinearUpsampling(2, aligned, name="up")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is networks.BilinearUpsampling
    assert again.get_config() == layer.get_config()
    assert (again.factor, again.aligned) == (2, aligned)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 16]))
def test_crop_undoes_padding(height, width, multiple):
    x = RNG.uniform(0.1, 1, (1, height, width, 1)).astype(np.float32)
    padded = networks.pad_to_multiple(x, multiple)
    assert padded.shape[1] % multiple == padded.shape[2] % multiple == 0
    assert max(padded.shape[1] - height, padded.shape[2] - width) < multiple
    assert keras.ops.convert_to_numpy(padded).sum() == pytest.approx(x.sum(), rel=1e-5)
    back = networks.crop_to(padded, (height, width))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(back), x)


def test_an_odd_row_of_padding_goes_to_the_end():
    x = np.ones((1, 5, 4, 1), np.float32)
    padded = keras.ops.convert_to_numpy(networks.pad_to_multiple(x, 8))[0, ..., 0]
    assert np.flatnonzero(padded.any(1)).tolist() == [1, 2, 3, 4, 5]
    assert np.flatnonzero(padded.any(0)).tolist() == [2, 3, 4, 5]
