"""Widgets for the lessons: scans, mixed contrasts, what networks see and answer, how they learn.

Each is shown with a still picture of the same thing, which stands where a widget cannot run: on a
rendered page, in a report, on paper. Each can be used by keyboard alone.
"""

from ivdlib.course.viewer.drawing import draw_disc
from ivdlib.course.viewer.field import receptive_field
from ivdlib.course.viewer.mixer import fusion_mixer
from ivdlib.course.viewer.planes import volume
from ivdlib.course.viewer.playground import network_playground
from ivdlib.course.viewer.rate_slider import learning_rate
from ivdlib.course.viewer.saliency import saliency
from ivdlib.course.viewer.theatre import Scene, Theatre

__all__ = [
    "Scene",
    "Theatre",
    "draw_disc",
    "fusion_mixer",
    "learning_rate",
    "network_playground",
    "receptive_field",
    "saliency",
    "volume",
]
