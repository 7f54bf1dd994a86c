"""The fusion mixer: add contrasts with weights and see the fused contrast at once."""

from __future__ import annotations

import html

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.mixture import WORDS, Mixture
from ivdlib.course.viewer.picture import HEIGHT, Picture, enlarge_pixels, grey, lettered, next_to
from ivdlib.course.viewer.shown import STYLE, WIDE, Shown, arranged, choice, whole_slider
from ivdlib.data.case import Case
from ivdlib.errors import DataError
from ivdlib.preprocessing import fusion
from ivdlib.report.plotting import middle_slice


def fusion_mixer(case: Case) -> Shown:
    """Mix the contrasts of a case by sliders, as `fusion.fuse` does.

    Parameters
    ----------
    case : Case
        A slider for each of its contrasts; wat+opp stands at the start where it can be made.

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`; `.figure()` is the present slice,
        (AP, SI) upright, min–max over the scan, and beside it the same slice of one contrast.

    Raises
    ------
    DataError
        If the case has no contrasts, or the sum at the start cannot be brought to [0, 1].
    """
    return _Mixer(case)


class _Mixer(Shown):
    def __init__(self, case: Case) -> None:
        if not case.contrasts:
            raise DataError(f"case {case.name} has no contrasts; there is nothing to mix.")
        self._case, self._fault = case, ""
        self._mixture = Mixture(case.contrasts, self._mix)
        self._take(self._fuse(self._mixture.formula))
        middle = case.shape[0] // 2 if case.discs is None else middle_slice(case.discs)
        self._brightness = ipywidgets.FloatSlider(
            description="brightness", value=contrast.brightness(self._fused), step=0.25,
            min=1.0, max=contrast.BRIGHTEST, style=STYLE, layout=WIDE,
        )  # fmt: skip
        names = sorted(case.contrasts, key=lambda name: name != "fat")  # the hardest one first
        self._beside = choice("beside it", [(WORDS.get(name, name), name) for name in names])
        self._single = self._fuse(names[0])
        self._slice = whole_slider("sagittal slice", middle, 0, case.shape[0] - 1)
        self._screen, self._text = ipywidgets.HTML(), ipywidgets.HTML()
        for control in (self._slice, self._brightness):
            control.observe(self._draw, "value")
        self._beside.observe(self._put_beside, "value")
        controls = [*self._mixture.sliders.values(), self._slice, self._brightness]
        controls.append(self._mixture.buttons)
        controls += [self._beside] if len(names) > 1 else []
        self.widget = arranged(self._screen, self._text, controls)
        self._draw()

    def _fuse(self, wanted: str) -> np.ndarray:
        return fusion.fuse(self._case, [wanted])[wanted]

    def _take(self, fused: np.ndarray, fault: str = "") -> None:
        """Keep a fused contrast, and what a change of the slice leaves as it is."""
        self._fused, self._fault = fused, fault
        self._distance = contrast.apart(fused, self._case.discs, self._case.spine)

    def _mix(self) -> None:
        try:
            self._take(self._fuse(self._mixture.formula))
        except DataError as error:  # such as all weights 0: no picture, but a reason
            self._take(np.zeros(self._case.shape, np.float32), str(error))
        self._draw()

    def _put_beside(self, _change: object = None) -> None:
        self._single = self._fuse(self._beside.value)
        self._draw()

    def _draw(self, _change: object = None) -> None:
        self._screen.value = self._picture().html(self.alt)
        self._text.value = f"<p>{html.escape(self._words())}</p>"

    def _picture(self) -> Picture:
        """The fused slice, and to its right the same slice of one contrast."""
        panels = [self._panel(self._fused, self._brightness.value)]
        if len(self._case.contrasts) > 1:
            panels.append(self._panel(self._single, contrast.brightness(self._single)))
        return next_to(panels)

    def _panel(self, volume: np.ndarray, brightness: float) -> Picture:
        plane, edges = volume[self._slice.value], self._case.spacing[1:]
        bright = np.minimum(255, np.round(255 * brightness * plane)).astype(np.uint8)
        pixels = enlarge_pixels(bright, edges, HEIGHT / (plane.shape[1] * edges[1]))
        return lettered(grey(pixels), "APSI")

    def _words(self) -> str:
        if self._fault:
            return f"{self._mixture.words}: {self._fault}"
        words = (
            f"Fused contrast = {self._mixture.words}, added voxel by voxel. Then the smallest "
            "value of the whole scan becomes 0 (black) and the largest 1 (white)"
        )
        by = self._brightness.value
        words += f", shown {by:g} times brighter." if by > 1 else "."
        if self._distance is None:
            return words
        than = "brighter" if self._distance > 0 else "darker"
        return (
            f"{words} On average the discs are {than} than the rest of the spine by "
            f"{abs(self._distance):.2f} times the spread of the two."
        )

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        return (
            f"Sagittal slice {self._slice.value} of case {self._case.name}. {self._words()} "
            f"{self._second()}Anterior is on the left, superior at the top."
        )

    def _second(self) -> str:
        name = WORDS.get(self._beside.value, self._beside.value)
        return f"Beside it: {name} alone. " if len(self._case.contrasts) > 1 else ""

    def figure(self) -> Figure:
        """Figure of the present slice."""
        return self._picture().figure(f"{self._mixture.words}\nslice {self._slice.value}")
