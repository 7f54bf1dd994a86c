"""Saliency: what a network looked at when it judged one pixel, beside what it could have seen."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import ipywidgets
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import ndimage

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.mixture import WORDS
from ivdlib.course.viewer.one_slice import NETWORKS, SliceBench, choice_of_network
from ivdlib.course.viewer.picture import (
    Picture,
    cross,
    enlarge_pixels,
    grey,
    lettered,
    next_to,
    outline_pixels,
)
from ivdlib.course.viewer.pointing import PointedPicture
from ivdlib.course.viewer.shown import Shown, arranged, whole_slider
from ivdlib.data.case import Case
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import whole_image
from ivdlib.preprocessing.tiles import TileGrid, splice
from ivdlib.report.plotting import BLACK, ORANGE, SKY, middle_slice
from ivdlib.training import shipped, weights

TALL = 512
"""Pixels; height of the picture: two for a pixel of a slice of the challenge's size."""


def saliency(case: Case) -> Shown:
    """Point at a pixel and see what a trained network looked at there.

    That is the absolute gradient of the pixel's logit with respect to the images, which says how
    much the answer would change with each of their pixels; averaged over the contrasts of the case,
    each of them a tile of its own. By Keras, on the backend that is in use.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`; `.figure()` shows the region of
        interest of the slice, (AP, SI) upright, with the pixel and the part of its tile that it
        could see by the layers of the network, and beside it what it looked at.

    Raises
    ------
    DataError
        If a contrast is constant, or no spine is found in the scan.
    """
    return _Saliency(case)


@functools.cache
def _trained(name: str) -> tuple[Callable, dict[str, Any], tuple[int, int]]:
    """What asks a shipped network for gradients, its field, and its tile."""
    # Keras, some seconds that the other widgets do without
    from ivdlib.networks import receptive_field
    from ivdlib.training import gradients

    model = weights.load_model(shipped.find(name), quiet=True).model
    field = receptive_field.field_of_model(model, model.get_layer("probability"))
    return gradients.pixel_gradient(model), field, tuple(model.input_shape[1:3])


def side_of_share(looked_at: np.ndarray, pixel: tuple[int, int], share: float) -> int:
    """Side of the smallest square around a pixel that holds a share of all that was looked at.

    >>> side_of_share(np.array([[0, 1, 0], [2, 5, 0], [0, 0, 2.0]]), (1, 1), 0.5)
    1
    """
    rows, columns = np.indices(looked_at.shape, sparse=True)
    far = np.maximum(np.abs(rows - pixel[0]), np.abs(columns - pixel[1]))
    within = np.bincount(far.ravel(), looked_at.ravel()).cumsum()
    return 2 * int(np.searchsorted(within, share * within[-1])) + 1


class _Saliency(Shown):
    def __init__(self, case: Case) -> None:
        bench = SliceBench(case)
        self._scan, self._region = bench.scan, bench.region or whole_image(bench.scan.shape)
        self._images = fusion.single(self._scan)
        self._network = choice_of_network()
        k, row, column = _start(case, self._scan, self._region.window)
        first, last = self._region.window
        shape = self._scan.shape
        self._slice = whole_slider("sagittal slice", k, 0, shape[0] - 1)
        self._row = whole_slider("posterior–anterior", row, first, last - 1)
        self._column = whole_slider("inferior–superior", column, 0, shape[2] - 1)
        self._screen = PointedPicture(self._point, self._step)
        self._text, self._held = ipywidgets.HTML(), False
        controls = [self._network, self._slice, self._row, self._column]
        for control in controls:
            control.observe(self._draw, "value")
        self.widget = arranged(self._screen, self._text, controls)
        self._draw()

    def _point(self, x: float, y: float) -> None:
        """Go to the place of a click, in either panel."""
        first, last = self._region.window
        wide = self._panel_shape()[1] / self._screen_width
        left = 0 if x <= wide else 1 - wide
        with self._all_at_once():
            self._row.value = int(last - (x - left) / wide * (last - first))
            self._column.value = int((1 - y) * self._scan.shape[2])

    def _step(self, right: int, up: int) -> None:
        with self._all_at_once():
            self._row.value -= right
            self._column.value += up

    @contextmanager
    def _all_at_once(self):
        """Move several sliders, then draw once."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self._draw()

    def _draw(self, _change: object = None) -> None:
        if self._held:
            return
        self._look()
        self._screen.value = self._picture().html(self.alt)
        self._text.value = f"<p>{html.escape(self._words())}</p>"

    @property
    def _pixel(self) -> tuple[int, int]:
        return self._row.value, self._column.value

    def _look(self) -> None:
        """Ask for the gradient, and lay it where its tile lies in the slice."""
        ask, self._field, tile = _trained(self._network.value)
        k, pixel = self._slice.value, self._pixel
        shape = (1, *self._scan.shape[1:])
        grid = TileGrid(shape, tile, self._region.window)

        def inside(position: tuple[int, int, int]) -> int:
            """How far the pixel lies from the nearest edge of the tile that begins here."""
            both = zip(pixel, position[1:], tile, strict=True)
            return min(min(at - start, start + side - 1 - at) for at, start, side in both)

        number = max(range(len(grid.positions)), key=lambda n: inside(grid.positions[n]))
        start = grid.positions[number]
        seen = [self._region.apply(image)[k : k + 1] for image in self._images.values()]
        tiles = np.stack([grid.cut(image)[number] for image in seen])[..., None]
        here = tuple(at - first for at, first in zip(pixel, start[1:], strict=True))
        logits, gradient = ask(tiles, here)
        self._probability = float(np.mean(1 / (1 + np.exp(-logits))))
        mean = np.abs(gradient[..., 0]).mean(axis=0)
        mask = np.ones(shape, bool) if self._region.mask is None else self._region.mask[k : k + 1]
        # Beyond the region the network is given zeros, whatever the scan shows there.
        self._looked_at = (splice(mean[None], [start], shape) * mask)[0]
        self._tile = splice(np.ones((1, *tile)), [start], shape)[0] > 0
        self._could_see = self._near(self._field["receptive_field"] // 2) & self._tile

    def _near(self, reach: int) -> np.ndarray:
        """The square around the pixel that reaches so many pixels to each side."""
        row, column = self._pixel
        rows, columns = np.indices(self._scan.shape[1:], sparse=True)
        return np.maximum(np.abs(rows - row), np.abs(columns - column)) <= reach

    def _panel_shape(self) -> tuple[int, int]:
        """Rows and columns of a panel on the screen."""
        return self._enlarged(self._could_see).shape

    def _enlarged(self, plane: np.ndarray) -> np.ndarray:
        first, last = self._region.window
        edges = self._scan.spacing[1:]
        return enlarge_pixels(plane[first:last], edges, TALL / (plane.shape[1] * edges[1]))

    def _picture(self) -> Picture:
        """The band of the slice that holds the spine, and what was looked at in it."""
        image = next(iter(self._images.values()))
        plane = image[self._slice.value] * contrast.brightness(image)
        left = grey(self._enlarged(np.round(255 * np.clip(plane, 0, 1)).astype(np.uint8)))
        first, last = self._region.window
        row, column = self._pixel
        cross(left, (row - first + 0.5) / (last - first), (column + 0.5) / plane.shape[1])
        most = self._looked_at.max() or 1.0
        shares = np.sqrt(self._enlarged(self._looked_at / most))
        right = np.round(255 * colormaps["Blues"](shares)[..., :3]).astype(np.uint8)
        here = np.zeros(plane.shape, bool)
        here[row, column] = True
        right[self._enlarged(here)] = 255 * np.array(to_rgb(ORANGE))
        half = self._near(side_of_share(self._looked_at, self._pixel, 0.5) // 2)
        for pixels, colour in ((left, SKY), (right, BLACK)):
            outline_pixels(pixels, self._enlarged(self._tile), colour, "dashed")
            outline_pixels(pixels, self._enlarged(self._could_see), colour, "solid")
            outline_pixels(pixels, self._enlarged(half), ORANGE, "solid")
        right[[0, -1]] = right[:, [0, -1]] = 128
        found = next_to([lettered(left, "APSI"), Picture(right)])
        self._screen_width = found.pixels.shape[1]
        return found

    def _words(self) -> str:
        """How far the network looked, and how far it could see."""
        field, edge = self._field["receptive_field"], self._scan.spacing[1]
        tall, wide = (int(self._tile.any(axis).sum()) for axis in (1, 0))
        half, most = (side_of_share(self._looked_at, self._pixel, s) for s in (0.5, 0.9))
        names = [WORDS.get(name, name) for name in self._images]
        small = field < max(tall, wide)
        beyond = ", of which only the tile is there" if not small else ""
        mean = "; its pyramid also takes the mean of the whole tile" if (
            small and self._field["whole_image"]) else ""  # fmt: skip
        return (
            f"{NETWORKS[self._network.value]} at this pixel: probability of disc "
            f"{self._probability:.2f}, mean over {', '.join(names)}. Half of what it looked at "
            f"lies within {half} × {half} pixels ({half * edge:.0f} mm) around the pixel, nine "
            f"tenths within {most} × {most}. By its layers it could see {field} × {field}"
            f"{beyond}{mean}."
        )

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        row, column = self._pixel
        return (
            f"Left: sagittal slice {self._slice.value} of case {self._scan.name}, the band with "
            f"the spine; a thin cross marks the pixel ({row}, {column}). Right: what the network "
            "looked at, the darker, the more; the pixel in orange. In both, dashed: the tile; "
            "solid: what the pixel could see of it; the small orange square: half of what was "
            f"looked at. {self._words()} Anterior is on the left, superior at the top."
        )

    def figure(self) -> Figure:
        """Figure of what was looked at from the present pixel."""
        row, column = self._pixel
        title = f"{NETWORKS[self._network.value]}\nslice {self._slice.value}, pixel {row}, {column}"
        return self._picture().figure(title)


def _start(case: Case, scan: Case, window: tuple[int, int]) -> tuple[int, int, int]:
    """A pixel in the midst of the largest disc of the slice with most disc, else of the band."""
    if case.discs is None or not case.discs.any():
        return scan.shape[0] // 2, sum(window) // 2, scan.shape[2] // 2
    k = middle_slice(case.discs)
    discs, _ = ndimage.label(case.discs[k])
    places = np.argwhere(discs == 1 + np.argmax(np.bincount(discs.ravel())[1:]))
    place = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    stretch = np.divide(scan.shape[1:], case.shape[1:])
    row, column = ((place + 0.5) * stretch).astype(int)
    return k, int(np.clip(row, window[0], window[1] - 1)), int(column)
