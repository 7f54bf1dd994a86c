"""Widgets for the lessons: look through a scan, draw a disc, mix contrasts, see what layers see.

Each is shown with a still picture of the same thing, which stands where a widget cannot run: on a
rendered page, in a report, on paper. Each can be used by keyboard alone.
"""

from ivdlib.course.viewer.drawing import draw_disc
from ivdlib.course.viewer.field import receptive_field
from ivdlib.course.viewer.mixer import fusion_mixer
from ivdlib.course.viewer.planes import volume

__all__ = ["draw_disc", "fusion_mixer", "receptive_field", "volume"]
