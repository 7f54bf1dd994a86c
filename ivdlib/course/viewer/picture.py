"""Pictures quick enough to follow a slider: arrays of square pixels, written as a PNG.

A figure takes some tenths of a second to draw. Here slices become pixels by NumPy alone, and the
same pixels stand in the live picture and in the figure.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import image, patheffects
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy import ndimage

from ivdlib.report.plotting import GREEN, OUTLINES, PURPLE, VERMILION, WIDTH, new_figure, upright

HEIGHT = 400
"""Pixels; height of the largest panel."""

_GAP = 12
"""Pixels between panels."""

COLOURS = {
    "truth": ("orange", *OUTLINES["truth"]),
    "found": ("blue", *OUTLINES["found"]),
    "first drawing": ("green", GREEN, "dash-dotted"),
    "drawing": ("purple", PURPLE, "dotted"),
}
"""Word, colour and dashes of each overlay."""

_DASHES = {
    "solid": "#",
    "dashed": "#####.....",
    "dash-dotted": "########...##...",
    "dotted": "###...",
}
"""Which pixels of an edge are drawn."""

FILL = 0.2
"""Opacity of a mask within its outline."""

_LETTER = (
    "position:absolute;left:{x:.1%};top:{y:.1%};transform:translate(-50%,-50%);"
    "color:white;font:12px sans-serif;text-shadow:0 0 2px black,0 0 2px black"
)
_PAPER = 255


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, and letters on them.

    Attributes
    ----------
    pixels : ndarray of uint8, (rows, columns, 3)
    letters : tuple of (str, float, float)
        Letter, and its place as shares of width and height, from the upper left.
    """

    pixels: np.ndarray
    letters: tuple[tuple[str, float, float], ...] = ()

    def html(self, alt: str) -> str:
        """An `<img>` with its letters, never wider than the page."""
        buffer = io.BytesIO()
        image.imsave(buffer, self.pixels, format="png", pil_kwargs={"compress_level": 1})
        source = base64.b64encode(buffer.getvalue()).decode("ascii")
        height, width = self.pixels.shape[:2]
        letters = "".join(
            f'<span aria-hidden="true" style="{_LETTER.format(x=x, y=y)}">{letter}</span>'
            for letter, x, y in self.letters
        )
        # decoded at once, and of known size: else the page jumps and flickers with each change
        return (
            f'<div style="position:relative;display:inline-block;line-height:0">'
            f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt)}" decoding="sync" '
            f'width="{width}" height="{height}" style="max-width:100%;height:auto">{letters}</div>'
        )

    def figure(self, title: str) -> Figure:
        """A figure of the same pixels, for a page."""
        height, width = self.pixels.shape[:2]
        inches = min(WIDTH, width / 80)
        figure, axes = new_figure(inches * height / width + 0.4, inches)
        axes.imshow(self.pixels, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
        halo = [patheffects.withStroke(linewidth=2, foreground="black")]
        for letter, x, y in self.letters:
            axes.text(
                x, 1 - y, letter, transform=axes.transAxes, ha="center", va="center",
                color="white", fontsize=8, path_effects=halo,
            )  # fmt: skip
        return figure


def enlarge_pixels(plane: np.ndarray, edges: Sequence[float], scale: float) -> np.ndarray:
    """Turn a plane upright and bring it to square pixels, by nearest neighbour.

    Parameters
    ----------
    plane : ndarray, (across, up)
        As (AP, SI); both axes run to the left and up in the picture.
    edges : sequence of 2 floats
        Edges of its pixels in mm, in that order.
    scale : float
        Pixels of the picture for a mm.

    Returns
    -------
    ndarray, (rows, columns), dtype of `plane`
    """
    turned = upright(plane)
    for axis, edge in enumerate(reversed(edges)):
        count = max(1, round(turned.shape[axis] * edge * scale))
        index = (np.arange(count) + 0.5) * turned.shape[axis] / count
        turned = turned.take(index.astype(int), axis=axis)
    return turned


def grey(plane: np.ndarray) -> np.ndarray:
    """Give a plane of uint8 three equal colours: (rows, columns, 3)."""
    return np.repeat(plane[:, :, None], 3, axis=2)


def overlay_pixels(pixels: np.ndarray, masks: Mapping[str, np.ndarray]) -> None:
    """Draw masks into a picture, in place: light fills, and outlines over them; drawings unfilled.

    Parameters
    ----------
    pixels : ndarray of uint8, (rows, columns, 3)
    masks : mapping of str to ndarray of bool, (rows, columns)
        By the names in `COLOURS`.
    """
    for name, mask in masks.items():
        if name in OUTLINES:
            _blend(pixels, mask, COLOURS[name][1], FILL)
    for name, mask in masks.items():
        outline_pixels(pixels, mask, *COLOURS[name][1:])


def outline_pixels(pixels: np.ndarray, mask: np.ndarray, colour: str, dashes: str) -> None:
    """Draw the outline of a mask, (rows, columns), into a picture, in place."""
    rows, columns = np.indices(pixels.shape[:2], sparse=True)
    drawn = np.array(list(_DASHES[dashes])) == "#"
    edge = mask & ~ndimage.binary_erosion(mask, iterations=2)
    _blend(pixels, edge & drawn[(rows + columns) % len(drawn)], colour, 1)


def cross(pixels: np.ndarray, across: float, up: float) -> None:
    """Draw a thin cross into a picture, in place; its place as shares of width and height.

    Parameters
    ----------
    pixels : ndarray of uint8, (rows, columns, 3)
    across, up : float
        From the lower right, as the axes of a plane run before it is turned upright.
    """
    height, width = pixels.shape[:2]
    lines = np.zeros((height, width), bool)
    lines[int((1 - up) * height)] = True
    lines[:, int((1 - across) * width)] = True
    _blend(pixels, lines, VERMILION, 0.6)


def _blend(pixels: np.ndarray, mask: np.ndarray, colour: str, opacity: float) -> None:
    paint = 255 * np.array(to_rgb(colour))
    pixels[mask] = np.round(pixels[mask] * (1 - opacity) + paint * opacity)


def next_to(panels: Sequence[Picture]) -> Picture:
    """Put pictures beside each other, on white."""
    height = max(panel.pixels.shape[0] for panel in panels)
    width = sum(panel.pixels.shape[1] + _GAP for panel in panels) - _GAP
    pixels, letters, left = np.full((height, width, 3), _PAPER, np.uint8), [], 0
    for panel in panels:
        rows, columns = panel.pixels.shape[:2]
        pixels[:rows, left : left + columns] = panel.pixels
        letters += [
            (letter, (left + x * columns) / width, y * rows / height)
            for letter, x, y in panel.letters
        ]
        left += columns + _GAP
    return Picture(pixels, tuple(letters))


def lettered(pixels: np.ndarray, letters: str) -> Picture:
    """Write which way the picture runs: left, right, upper and lower letter, such as ``"APSI"``."""
    height, width = pixels.shape[:2]
    x, y = 9 / width, 9 / height
    places = ((x, 0.5), (1 - x, 0.5), (0.5, y), (0.5, 1 - y))
    return Picture(pixels, tuple((letter, *at) for letter, at in zip(letters, places, strict=True)))
