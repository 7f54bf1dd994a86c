"""The screen on which one draws by mouse and by keyboard, by anywidget: the code is `board.js`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ivdlib.course.viewer.one_disc import DiscInSlice
from ivdlib.course.viewer.picture import COLOURS


class _Page(anywidget.AnyWidget):
    """What Python and the page both know.

    Attributes
    ----------
    picture : str
        HTML of the picture under the contour.
    window : list of float
        Left, top, width and height of what is shown, mm.
    contour : list of [float, float]
        Points, mm.
    chosen : int
        Number of a point.
    """

    _esm = Path(__file__).with_suffix(".js")
    picture = traitlets.Unicode().tag(sync=True)
    window = traitlets.List().tag(sync=True)
    contour = traitlets.List().tag(sync=True)
    chosen = traitlets.Int().tag(sync=True)
    colour = traitlets.Unicode(COLOURS["drawing"][1]).tag(sync=True)


class Board:
    """Shows a contour over a picture and hears how the reader changes it.

    Parameters
    ----------
    changed : callable
        Called with the contour, (n, 2) in mm, and the number of the point chosen.
    """

    remark = (
        "With the mouse: hold the button and go once around the disc; a point can be dragged, and "
        "a click beside the line adds one. By keyboard: Tab goes from point to point, the arrow "
        "keys move a point, + adds one after it and − removes it."
    )

    def __init__(self, changed: Callable[[np.ndarray, int], None]) -> None:
        self.widget, self._changed = _Page(), changed
        self.widget.observe(self._hear, ["contour", "chosen"])

    def draw(
        self,
        disc: DiscInSlice,
        plane: np.ndarray,
        outlines: dict[str, np.ndarray],
        alt: str,
        contour: np.ndarray,
        chosen: int,
    ) -> None:
        """Show what has changed."""
        self.widget.unobserve(self._hear, ["contour", "chosen"])
        with self.widget.hold_sync():
            self.widget.picture = disc.picture(plane, outlines).html(alt)
            self.widget.window = list(disc.window)
            self.widget.contour, self.widget.chosen = contour.tolist(), chosen
        self.widget.observe(self._hear, ["contour", "chosen"])

    def _hear(self, _change: object) -> None:
        if self.widget.chosen < len(self.widget.contour):  # else the other half comes yet
            self._changed(np.array(self.widget.contour, float), self.widget.chosen)
