"""Draw your own disc: an outline by hand beside the truth, a network, and one's second attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.board import Board
from ivdlib.course.viewer.hands import as_html, compare_hands, whole_voxels
from ivdlib.course.viewer.one_disc import DiscInSlice, discs_of_slice
from ivdlib.course.viewer.picture import COLOURS, next_to
from ivdlib.course.viewer.planes import mask_on_grid
from ivdlib.course.viewer.shown import Shown, arranged, choice, row_of_widgets, switch
from ivdlib.data.case import Case
from ivdlib.errors import DataError
from ivdlib.report.plotting import middle_slice, upright

_FEWEST = 3
"""Points of a contour."""

_NAMES = {"found": "network"}
"""What an outline is called here; others keep their names."""

_HOW = (
    "With the mouse: hold the button and go once around the disc; a point can be dragged, and a "
    "click beside the line adds one. By keyboard: Tab goes from point to point, the arrow keys "
    "move a point, + adds one after it and − removes it. Two of the buttons do the same with the "
    "large point."
)

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
        example, and say so, while nothing is drawn.

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


class _Drawing(Shown):
    """State: the board's contour, perhaps a first drawing, and whether one is done."""

    def __init__(self, case: Case, found: np.ndarray | None) -> None:
        k = middle_slice(case.discs)
        self._where = f"slice {k} of case {case.name}"
        self._discs = discs_of_slice(case, k, found)
        self._planes = {name: upright(contrast.greys(v)[k]) for name, v in case.contrasts.items()}
        self._which = choice("disc", [(disc.name, n) for n, disc in enumerate(self._discs)])
        self._which.style.button_width = "6em"
        self._contrast = choice("contrast", list(case.contrasts))
        self._buttons = {
            name: self._button(name, todo)
            for name, todo in {
                "add a point": self._add, "remove the point": self._remove,
                "keep it and draw again": self._keep, "show the truth": self._show,
                "start again": self._restart,
            }.items()
        }  # fmt: skip
        self._switches = {
            name: switch(f"{_NAMES.get(name, name)} ({COLOURS[name][0]})")
            for name in ("truth", "found", "first drawing")
            if name in self._discs[0].masks or name == "first drawing"
        }
        self._board, self._text = Board(), ipywidgets.HTML()
        self._board.observe(self._draw, "contour")
        self._which.observe(self._restart, "value")
        for control in (self._contrast, *self._switches.values()):
            control.observe(self._draw, "value")
        self._overlays = row_of_widgets(self._switches.values())
        buttons = row_of_widgets(self._buttons.values())
        controls = [self._which, self._contrast, buttons, self._overlays]
        self.widget = arranged(self._board, self._text, controls)
        self._restart()

    def _button(self, name: str, todo: Callable) -> ipywidgets.Button:
        button = ipywidgets.Button(description=name, layout={"width": "auto"})
        button.on_click(todo)
        return button

    @property
    def _disc(self) -> DiscInSlice:
        return self._discs[self._which.value]

    @property
    def _plane(self) -> np.ndarray:
        return self._planes[self._contrast.value]

    @property
    def _contour(self) -> np.ndarray:
        """Points, (n, 2) in mm."""
        return np.array(self._board.contour, float)

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
        with self._board.hold_sync():  # no other disc's contour in the new window
            self._board.window = list(self._disc.window)
            self._set(self._disc.start(), 0)
            self._draw()  # even if the contour was the start already

    def _keep(self, _button: object) -> None:
        self._first = self._contour
        self._set(self._disc.start(), 0)

    def _show(self, _button: object) -> None:
        self._done = True
        self._draw()

    def _add(self, _button: object) -> None:
        contour, after = self._contour, self._board.chosen + 1
        between = (contour[after - 1] + contour[after % len(contour)]) / 2
        self._set(np.insert(contour, after, between, axis=0), after)

    def _remove(self, _button: object) -> None:
        chosen = self._board.chosen
        if len(self._contour) > _FEWEST:
            self._set(np.delete(self._contour, chosen, axis=0), max(0, chosen - 1))

    def _set(self, contour: np.ndarray, chosen: int) -> None:
        with self._board.hold_sync():  # the page gets both at once, as it sends them
            self._board.chosen, self._board.contour = chosen, contour.tolist()

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
        self._board.picture = self._disc.picture(self._plane, outlines).html(alt)
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
            return f"<p>{_KEPT if self._first is not None else ''}{_HOW}</p>"
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
