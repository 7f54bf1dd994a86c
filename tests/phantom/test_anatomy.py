"""Tissues of a person, disc by disc."""

import numpy as np

from ivdlib.phantom.subject import draw_person


def test_no_two_discs_have_the_same_texture():
    """The layers of a disc are drawn in its own frame: without a shift all would be alike."""
    from ivdlib.phantom.anatomy import Anatomy
    from ivdlib.phantom.canvas import Canvas

    anatomy = Anatomy(draw_person(1, 1, 0), 1, 1, 0)
    inner = {}
    for disc in anatomy.discs[3:6]:
        to_subject = np.eye(4)
        to_subject[:3, :3] = disc.axes.T * 0.5
        to_subject[:3, 3] = disc.centre - to_subject[:3, :3] @ [0, 24, 24]
        canvas = Canvas(0, 48, to_subject, lambda x, y, z: np.zeros((3, *x.shape)), anatomy.weights)
        anatomy._disc(canvas, disc)
        patch = canvas.mix[0, 0, 36:60, 44:52]
        inner[disc.level] = (patch - patch.mean(axis=0)).ravel()  # without what all discs share
    one, two, three = inner.values()
    for a, b in ((one, two), (two, three), (one, three)):
        assert np.corrcoef(a, b)[0, 1] < 0.8
