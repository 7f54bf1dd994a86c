"""A picture to click, or to go over with the arrow keys: the browser's half is `pointing.js`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class PointedPicture(anywidget.AnyWidget):
    """A picture that tells where it is pointed at.

    Parameters
    ----------
    point : callable
        Gets the place of a click as shares of width and height, from the upper left.
    step : callable
        Gets whole pixels, to the right and up, that arrow keys ask for.

    Attributes
    ----------
    value : str
        The picture as HTML, see `picture.Picture.html`.
    """

    _esm = Path(__file__).with_suffix(".js")
    value = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, point: Callable[[float, float], None], step: Callable[[int, int], None]
    ) -> None:
        super().__init__()
        self._point, self._step = point, step
        self.on_msg(self._hear)

    def _hear(self, _widget: object, said: dict[str, Any], _buffers: object) -> None:
        """Pass on what the browser says, and tell it that the answer is drawn."""
        try:
            if "x" in said:
                self._point(float(said["x"]), float(said["y"]))
            else:
                self._step(int(said["right"]), int(said["up"]))
        finally:
            self.send("drawn")
