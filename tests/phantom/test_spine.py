"""Solids of the spine have the volumes that were drawn."""

import numpy as np

from ivdlib.phantom.fields import Warp
from ivdlib.phantom.spine import build_spine
from ivdlib.phantom.subject import draw_person

OURS = slice(3, 10)


def test_the_solids_have_the_volumes_that_were_drawn():
    person = draw_person(4, 1, 0)
    discs, bodies, truths = build_spine(person, Warp(np.random.default_rng(0), 0.7, 40.0))
    measured = np.array([truth.volume_ml for truth in truths])
    np.testing.assert_allclose(measured[OURS], person.volume_ml[OURS], rtol=0.005)
    for disc, truth in zip(discs, truths, strict=True):
        assert np.linalg.norm(truth.centre - disc.centre) < 4
    heights = [2 * body.half_height for body in bodies if body.name[0] == "L"]
    assert all(22 < height < 34 for height in heights)
