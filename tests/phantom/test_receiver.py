"""The receiver's noise is as strong as asked."""

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.phantom import Conditions, simulate

PLANE = 128


def test_noise_is_as_strong_as_asked():
    air = {}
    for noise in (0.06, 0.12):
        chosen = Conditions(noise=noise, artefacts=0.0, jitter_mm=0.0)
        made = simulate(1, 1, 0, slices=1, in_plane=PLANE, conditions=chosen)
        far = ndimage.binary_erosion(made.tissue[0] == 0, iterations=6)[None]
        air[noise] = np.sqrt(np.mean(made.contrasts["inn"][far].astype(float) ** 2))
        expected = np.sqrt(2) * made.record["scanner"]["noise"] * made.record["scanner"]["counts"]
        assert 0.5 * expected < air[noise] < 1.05 * expected, "the point spread takes some of it"
    assert air[0.12] == pytest.approx(2 * air[0.06], rel=0.1)
