"""Draw your own disc: an outline by hand beside the truth, a network, and one's second attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.hands import as_html, compare_hands, whole_voxels
from ivdlib.course.viewer.one_disc import DiscInSlice, discs_of_slice
from ivdlib.course.viewer.picture import COLOURS, dots, next_to
from ivdlib.course.viewer.planes import mask_on_grid
from ivdlib.course.viewer.shown import (
    STYLE,
    WIDE,
    Shown,
    arranged,
    choice,
    row_of_widgets,
    switch,
    whole_slider,
)
from ivdlib.data.case import Case
from ivdlib.errors import DataError
from ivdlib.report.plotting import middle_slice, upright

if TYPE_CHECKING:
    from ivdlib.course.viewer.board import Board

_FEWEST = 3
"""Points of a contour."""

_STEP = 0.25
"""Millimetres."""

_NAMES = {"found": "network"}
"""What an outline is called here; others keep their names."""

_KEPT = "Your first drawing is kept, and hidden. Now draw the same disc once more. "

_EXAMPLE = (
    "An example that no person drew: a program moved the true outline by errors as large as those "
    "of the phantom's rater, twice. "
)


def draw_disc(case: Case, found: np.ndarray | None = None) -> Shown:
    """Draw the outline of a disc, and see how far it is from the truth and from a second attempt.

    Parameters
    ----------
    case : Case
        With labels of its discs; the sagittal slice with most disc is shown.
    found : ndarray of `case.shape`, optional
        A network's mask of discs: bool, or 0 and 1.

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`. `.scores()` is the table of what
        was drawn, see `hands.compare_hands`; `.figure()` the picture of it. Both show an
        example, and say so, while nothing is drawn. With anywidget one draws by mouse or by
        keyboard, without it sliders move the points.

    Raises
    ------
    DataError
        If the case has no contrasts or no labelled discs, or `found` is no mask on its grid.
    """
    if not case.contrasts:
        raise DataError(f"case {case.name} has no contrasts; there is nothing to draw on.")
    if case.discs is None or not case.discs.any():
        raise DataError(
            f"case {case.name} has no labelled discs, so a drawing cannot be compared with the "
            "truth; give a case with labels."
        )
    return _Drawing(case, None if found is None else mask_on_grid(case, found))


def _millimetres(description: str) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        description=description, min=0, max=1, step=_STEP, readout_format=".1f", style=STYLE,
        layout=WIDE,
    )  # fmt: skip


class _Drawing(Shown):
    """State: a contour and its chosen point, perhaps a first drawing, and whether one is done."""

    def __init__(self, case: Case, found: np.ndarray | None) -> None:
        k = middle_slice(case.discs)
        self._where = f"slice {k} of case {case.name}"
        self._discs = discs_of_slice(case, k, found)
        self._planes = {name: upright(contrast.greys(v)[k]) for name, v in case.contrasts.items()}
        self._which = choice("disc", [(disc.name, n) for n, disc in enumerate(self._discs)])
        self._which.style.button_width = "6em"
        self._contrast = choice("contrast", list(case.contrasts))
        self._point = whole_slider("point", 1, 1, _FEWEST)
        self._place = [_millimetres("from the left (mm)"), _millimetres("from below (mm)")]
        self._buttons = {
            name: self._button(name, todo)
            for name, todo in {
                "add a point": self._add, "remove it": self._remove,
                "keep it and draw again": self._keep, "show the truth": self._show,
                "start again": self._restart,
            }.items()
        }  # fmt: skip
        self._switches = {
            name: switch(f"{_NAMES.get(name, name)} ({COLOURS[name][0]})")
            for name in ("truth", "found", "first drawing")
            if name in self._discs[0].masks or name == "first drawing"
        }
        self._screen, self._text = self._best_screen(), ipywidgets.HTML()
        for control, todo in (
            (self._which, self._restart), (self._contrast, self._draw),
            *((one, self._slide) for one in (self._point, *self._place)),
            *((box, self._draw) for box in self._switches.values()),
        ):  # fmt: skip
            control.observe(todo, "value")
        self._overlays = row_of_widgets(self._switches.values())
        controls = [self._which, self._contrast, self._point, *self._place]
        controls += [row_of_widgets(self._buttons.values()), self._overlays]
        self.widget = arranged(self._screen.widget, self._text, controls)
        self._restart()

    def _button(self, name: str, todo: Callable) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, layout={"width": "auto"})
        button.on_click(todo)
        return button

    def _best_screen(self) -> Board | _Sliders:
        if find_spec("anywidget") is None:
            return _Sliders()
        from ivdlib.course.viewer.board import Board

        return Board(self._set)

    @property
    def _disc(self) -> DiscInSlice:
        return self._discs[self._which.value]

    @property
    def _plane(self) -> np.ndarray:
        return self._planes[self._contrast.value]

    @property
    def _begun(self) -> bool:
        """Whether anything was drawn."""
        return bool(self._drawings)

    @property
    def _drawings(self) -> list[np.ndarray]:
        """The first drawing, if one is kept, and the present one, if it is more than the start."""
        present = [] if np.array_equal(self._contour, self._disc.start()) else [self._contour]
        return [first for first in (self._first,) if first is not None] + present

    # --- what the reader does ---------------------------------------------------------------

    def _restart(self, _change: object = None) -> None:
        self._first, self._done = None, False
        self._set(self._disc.start(), 0)

    def _keep(self, _button: object) -> None:
        self._first = self._contour
        self._set(self._disc.start(), 0)

    def _show(self, _button: object) -> None:
        self._done = True
        self._draw()

    def _add(self, _button: object) -> None:
        after, n = self._chosen + 1, len(self._contour)
        between = (self._contour[self._chosen] + self._contour[after % n]) / 2
        self._set(np.insert(self._contour, after, between, axis=0), after)

    def _remove(self, _button: object) -> None:
        if len(self._contour) > _FEWEST:
            self._set(np.delete(self._contour, self._chosen, axis=0), max(0, self._chosen - 1))

    def _slide(self, change: dict) -> None:
        if self._setting:
            return
        if change["owner"] is self._point:
            return self._set(self._contour, self._point.value - 1)
        axis = self._place.index(change["owner"])
        moved = self._contour.copy()
        moved[self._chosen, axis] += (1, -1)[axis] * (change["new"] - change["old"])
        self._set(moved, self._chosen)

    def _set(self, contour: np.ndarray, chosen: int) -> None:
        """Take a contour and the point that is chosen; the sliders follow."""
        self._contour, self._chosen, self._setting = contour, chosen, True
        left, top, across, down = self._disc.window
        x, y = contour[chosen]
        self._point.max = len(contour)
        self._point.value = chosen + 1
        for slider, most, value in zip(
            self._place, (across, down), (x - left, top + down - y), strict=True
        ):
            # whole steps: a page rounds others, and sends back what nobody moved
            slider.max, slider.value = np.ceil(most / _STEP) * _STEP, round(value / _STEP) * _STEP
        self._setting = False
        self._draw()

    # --- what the reader sees ---------------------------------------------------------------

    def _draw(self, _change: object = None) -> None:
        for name in ("keep it and draw again", "show the truth"):
            self._buttons[name].disabled = self._done or not self._begun
        self._buttons["keep it and draw again"].disabled |= self._first is not None
        self._overlays.layout.display = None if self._done else "none"
        self._switches["first drawing"].disabled = self._first is None
        on = {name for name, box in self._switches.items() if box.value and self._done}
        outlines = {name: mask for name, mask in self._beside(self._first).items() if name in on}
        alt = f"{self._title()}. {self._lines(outlines)}"
        self._screen.draw(self._disc, self._plane, outlines, alt, self._contour, self._chosen)
        self._text.value = self._words()

    def _beside(self, first: np.ndarray | None) -> dict[str, np.ndarray]:
        """Truth, network and a first drawing."""
        named = {**self._disc.masks, "first drawing": first}
        return {name: named[name] for name in self._switches if named[name] is not None}

    def _title(self) -> str:
        disc, contrast = self._disc.name, self._contrast.value
        return f"Disc {disc} and its surroundings in {self._where}, contrast {contrast}"

    def _lines(self, names: Iterable[str]) -> str:
        """What the outlines mean."""
        kinds = [f"{_NAMES.get(n, n)} ({COLOURS[n][0]}, {COLOURS[n][2]})" for n in names]
        return f"Outlines: {', '.join(kinds)}." if kinds else ""

    def _words(self) -> str:
        if not self._done:
            remark = self._screen.remark
            return f"<p>{_KEPT if self._first is not None else ''}{remark}</p>"
        return f"{as_html(self.scores())}<p>{whole_voxels(self._disc.edges)}</p>"

    def _hands(self) -> tuple[list[np.ndarray], str]:
        """The drawings, and whose they are: the reader's, or an example while there is none."""
        if self._begun:
            return self._drawings, "your drawing"
        return self._disc.examples(), "the example"

    def scores(self) -> pd.DataFrame:
        """Dice and distances of what was drawn; of an example while nothing was."""
        return compare_hands(self._disc, *self._hands())

    def _figure_outlines(self) -> dict[str, np.ndarray]:
        *first, last = self._hands()[0]
        if self._begun and not self._done:  # the truth would be copied
            return {"drawing": last}
        return self._beside(*(first or [None])) | {"drawing": last}

    @property
    def alt(self) -> str:
        """What `figure` shows."""
        outlines = self._figure_outlines()
        text = f"{self._title()}, without and with outlines. {self._lines(outlines)}"
        if "truth" in outlines:
            rows = self.scores()["Dice"].items()
            text += f" Dice: {'; '.join(f'{pair} {value:.3f}' for pair, value in rows)}."
        return f"{'' if self._begun else _EXAMPLE}{text}"

    def figure(self) -> Figure:
        """Figure of the slice without and with outlines."""
        outlines = self._figure_outlines()
        panels = [self._disc.picture(self._plane, lines) for lines in ({}, outlines)]
        title = "Your drawing" if self._begun else "An example, drawn by a program"
        return next_to(panels).figure(f"{title}. {self._lines(outlines)}")


class _Sliders:
    """The screen that needs no anywidget: a still picture, drawn again with each change."""

    remark = (
        "The sliders choose and move a point of the contour. To draw with the mouse, or with the "
        "arrow keys on the picture: <code>pip install 'ivdlib[draw]'</code>, then restart the "
        "kernel."
    )

    def __init__(self) -> None:
        self.widget = ipywidgets.HTML()

    def draw(
        self,
        disc: DiscInSlice,
        plane: np.ndarray,
        outlines: dict[str, np.ndarray],
        alt: str,
        contour: np.ndarray,
        chosen: int,
    ) -> None:
        """Draw slice, outlines, contour and points."""
        picture = disc.picture(plane, outlines | {"drawing": contour})
        dots(picture.pixels, disc.pixels_of(contour), chosen)
        self.widget.value = picture.html(alt)
