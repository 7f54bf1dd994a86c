"""Widgets for the lessons: look through a scan, mix contrasts, play with trained networks.

Each is shown with a still picture of the same thing, which stands where a widget cannot run: on a
rendered page, in a report, on paper. Each can be used by keyboard alone.
"""

from ivdlib.course.viewer.field import receptive_field
from ivdlib.course.viewer.mixer import fusion_mixer
from ivdlib.course.viewer.planes import volume
from ivdlib.course.viewer.playground import network_playground
from ivdlib.course.viewer.saliency import saliency

__all__ = ["fusion_mixer", "network_playground", "receptive_field", "saliency", "volume"]
