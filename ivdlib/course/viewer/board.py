"""A picture on which one draws, by mouse or by keyboard: the browser's half is `board.js`."""

from pathlib import Path

import anywidget
import traitlets

from ivdlib.course.viewer.picture import COLOURS


class Board(anywidget.AnyWidget):
    """A contour over a picture; both Python and the reader change it.

    Attributes
    ----------
    picture : str
        The picture as HTML, see `picture.Picture.html`.
    window : list of float
        Left, top, width and height of what is shown, mm.
    contour : list of [float, float]
        Points, mm.
    chosen : int
        Number of the point that is shown large.
    """

    _esm = Path(__file__).with_suffix(".js")
    picture = traitlets.Unicode().tag(sync=True)
    window = traitlets.List().tag(sync=True)
    contour = traitlets.List().tag(sync=True)
    chosen = traitlets.Int().tag(sync=True)
    colour = traitlets.Unicode(COLOURS["drawing"][1]).tag(sync=True)
