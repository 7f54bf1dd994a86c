"""The playground: a slice, a network that answers at once, and what one can do to both."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Hashable
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.mixture import Mixture
from ivdlib.course.viewer.one_slice import (
    NETWORKS,
    SliceBench,
    choice_of_network,
    lesions_by_name,
    network_for_slices,
)
from ivdlib.course.viewer.picture import (
    HEIGHT,
    Picture,
    enlarge_pixels,
    grey,
    lettered,
    next_to,
    overlay_pixels,
)
from ivdlib.course.viewer.shown import STYLE, WIDE, Shown, arranged, choice, switch, whole_slider
from ivdlib.data.case import Case
from ivdlib.errors import DataError
from ivdlib.evaluation import metrics
from ivdlib.report.plotting import middle_slice
from ivdlib.training.inference import THRESHOLD
from ivdlib.training.lesions import LESIONS

NOISIEST = 0.2
"""Most noise that the slider offers, as a share of the largest value."""


def network_playground(case: Case) -> Shown:
    """Play with trained networks on one slice of a scan: mask, Dice and millilitres at once.

    The mask is that of `predict` for this one image (``contrast="wat+opp"``, or what is mixed),
    but specks are not left out: that needs the whole scan.

    Parameters
    ----------
    case : Case
        With disc labels there is a truth beside the mask; a switch exchanges water and fat if it
        has both.

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`; `.figure()` is the present slice
        with the outlines, (AP, SI) upright, and beside it the probability of disc.

    Raises
    ------
    DataError
        If the case has no contrasts, or no spine is found in it.
    """
    if not case.contrasts:
        raise DataError(f"case {case.name} has no contrasts; a network has nothing to look at.")
    return _Playground(case)


class _Playground(Shown):
    def __init__(self, case: Case) -> None:
        self._bench, self._kept = SliceBench(case), {}
        self._network = choice_of_network()
        self._lesion = choice("lesion", self._lesions(), "9.5em")
        middle = case.shape[0] // 2 if case.discs is None else middle_slice(case.discs)
        self._slice = whole_slider("sagittal slice", middle, 0, case.shape[0] - 1)
        self._threshold = _share("threshold", THRESHOLD, 0.05, 0.95, 0.05)
        self._noise = _share("noise", 0, 0, NOISIEST, 0.01)
        self._exchanged = switch("water and fat exchanged", value=False)
        self._mixture = Mixture(case.contrasts, self._draw)
        self._screen, self._text = ipywidgets.HTML(), ipywidgets.HTML()
        others = [self._slice, self._threshold, self._noise]
        others += [self._exchanged] if {"wat", "fat"} <= case.contrasts.keys() else []
        self._network.observe(self._change_network, "value")
        for control in (self._lesion, *others):
            control.observe(self._draw, "value")
        controls = [self._network, self._lesion, *others, *self._mixture.sliders.values()]
        self.widget = arranged(self._screen, self._text, [*controls, self._mixture.buttons])
        self._draw()

    def _lesions(self) -> list[tuple[str, str]]:
        words = {"dilation": "all rates set to 1", "skips": "skips cut", "pyramid": "pyramid cut"}
        return [("none", "")] + [(words[n], n) for n in lesions_by_name(self._network.value)]

    def _change_network(self, _change: object) -> None:
        """Offer the lesions of the network chosen, and begin with none."""
        self._lesion.unobserve(self._draw, "value")
        self._lesion.options = self._lesions()
        self._lesion.observe(self._draw, "value")
        self._draw()

    def _keep(self, what: str, key: Hashable, make: Callable[[], Any]) -> Any:
        """Make something again only if what it is made of has changed."""
        if what not in self._kept or self._kept[what][0] != key:
            self._kept[what] = key, make()
        return self._kept[what][1]

    def _draw(self, _change: object = None) -> None:
        seen = (self._mixture.formula, self._noise.value, self._exchanged.value)
        asked = (self._network.value, self._lesion.value or "")
        k, bench = self._slice.value, self._bench
        self._fault = ""
        try:
            self._image = self._keep("image", seen, lambda: bench.mixed(*seen))
        except DataError as error:  # such as all weights 0: no picture, but a reason
            self._fault, self._image = str(error), np.zeros(bench.scan.shape, np.float32)
        self._probability = (
            np.zeros(bench.case.shape[1:], np.float32)
            if self._fault
            else self._keep(
                "probability", (seen, asked, k),
                lambda: bench.probability(network_for_slices(*asked), self._image, k),
            )
        )  # fmt: skip
        self._masks = {} if bench.case.discs is None else {"truth": bench.case.discs[k]}
        self._masks["found"] = self._probability >= self._threshold.value
        self._screen.value = self._picture().html(self.alt)
        self._text.value = "".join(
            f"<p>{html.escape(words)}</p>" for words in (self._numbers(), self._who()) if words
        )

    def _picture(self) -> Picture:
        """The slice with the outlines, and to its right the probability of disc."""
        by = self._keep("brightness", id(self._image), lambda: contrast.brightness(self._image))
        panels = [self._panel(self._image[self._slice.value] * by, self._bench.scan, self._masks)]
        panels.append(self._panel(self._probability, self._bench.case, {}))
        return next_to(panels)

    def _panel(self, plane: np.ndarray, scan: Case, masks: dict[str, np.ndarray]) -> Picture:
        grid, edges = self._bench.case, scan.spacing[1:]
        scale = HEIGHT / (grid.shape[2] * grid.spacing[2])
        bright = np.round(255 * np.clip(plane, 0, 1)).astype(np.uint8)
        pixels = grey(enlarge_pixels(bright, edges, scale))
        overlay_pixels(
            pixels, {n: enlarge_pixels(m, grid.spacing[1:], scale) for n, m in masks.items()}
        )
        return lettered(pixels, "APSI")

    def _numbers(self) -> str:
        """Dice and millilitres of the slice."""
        if self._fault:
            return f"{self._mixture.words}: {self._fault}"
        voxel = math.prod(self._bench.case.spacing) / 1000
        found = f"{self._masks['found'].sum() * voxel:.2f} ml found"
        if "truth" not in self._masks:
            return f"In this slice: {found}; nobody has marked the truth."
        score = metrics.dice(self._masks["found"], self._masks["truth"])
        true = f"{self._masks['truth'].sum() * voxel:.2f} ml are disc"
        return f"In this slice: Dice {score:.3f}; {found}, {true}."

    def _who(self) -> str:
        """Which network saw what, and what a lesion is; nothing if none was asked."""
        if self._fault:
            return ""
        exchanged = ", water and fat exchanged" if self._exchanged.value else ""
        noise = f", noise {self._noise.value:.2f} of the largest value" if self._noise.value else ""
        what = (
            f"{NETWORKS[self._network.value]} saw {self._mixture.words}{exchanged}{noise}. A pixel "
            f"is disc from a probability of {self._threshold.value:.2f} on."
        )
        if not self._lesion.value:
            return what
        return (
            f"{what} Lesion: {LESIONS[self._lesion.value]}, in a network that was trained with it. "
            "This is no ablation: the rest never learnt to do without the part."
        )

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        truth = "the truth in orange, solid, and " if "truth" in self._masks else ""
        return (
            f"Left: sagittal slice {self._slice.value} of case {self._bench.case.name} with {truth}"
            f"the mask found in blue, dashed. Right: the probability of disc, white for 1. "
            f"{self._numbers()} {self._who()} Anterior is on the left, superior at the top."
        )

    def figure(self) -> Figure:
        """Figure of the present slice."""
        lesion = f", lesion: {self._lesion.label}" if self._lesion.value else ""
        who = f"{NETWORKS[self._network.value]}{lesion}"
        return self._picture().figure(f"{who}\n{self._numbers()}")


def _share(
    description: str, value: float, low: float, high: float, step: float
) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        description=description, value=value, min=low, max=high, step=step, style=STYLE, layout=WIDE
    )
