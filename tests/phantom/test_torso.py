"""Soft tissue lies where a body has it."""

import numpy as np

from ivdlib.phantom.anatomy import Anatomy
from ivdlib.phantom.canvas import Canvas
from ivdlib.phantom.subject import draw_person


def test_from_the_back_to_the_front_come_skin_spine_and_belly():
    anatomy = Anatomy(draw_person(1, 1, 0), 1, 1, 0)
    torso = anatomy.torso
    assert (torso.skin < torso.fascia).all() and (torso.fascia < torso.canal_y).all()
    assert (torso.canal_y < torso.y).all() and (torso.y < torso.front).all()
    assert (torso.canal_cos > 0).all() and (torso.canal_cos <= 1).all()


def test_soft_tissue_is_painted_inside_the_skin_alone():
    anatomy = Anatomy(draw_person(1, 1, 0), 1, 1, 0)
    to_subject = np.diag([4.0, 4.0, 4.0, 1.0])
    to_subject[:3, 3] = 0, -126, -126
    canvas = Canvas(0, 64, to_subject, lambda x, y, z: np.zeros((3, *x.shape)), anatomy.weights)
    anatomy.torso.paint(canvas)
    y = canvas.points[1]
    inside = (y > anatomy.torso.skin.max()) & (y < anatomy.torso.front.min() - 10)
    outside = (y < anatomy.torso.skin.min() - 8) | (y > anatomy.torso.front.max() + 8)
    assert (canvas.codes[inside] > 0).mean() > 0.9
    assert not canvas.codes[outside].any()
