"""The volume viewer: three planes through a scan, its discs and a predicted mask on them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from ivdlib.course.viewer import contrast
from ivdlib.course.viewer.picture import (
    COLOURS,
    HEIGHT,
    Picture,
    cross,
    enlarge_pixels,
    grey,
    lettered,
    next_to,
    overlay_pixels,
)
from ivdlib.course.viewer.shown import Shown, arranged, choice, row_of_widgets, switch, whole_slider
from ivdlib.data.case import Case
from ivdlib.errors import ConfigError, DataError
from ivdlib.report.plotting import middle_slice

if TYPE_CHECKING:
    from ivdlib.course.viewer.niivue import GraphicsCard

_AXES = ("left–right", "posterior–anterior", "inferior–superior")
"""Axes of a case's arrays, in their order."""

INSTALL = (
    "This viewer draws slices only. For one that runs on the graphics card: "
    "<code>pip install 'ivdlib[viewer]'</code>, then restart the kernel."
)


def volume(
    case: Case, prediction: np.ndarray | None = None, contrasts: Sequence[str] | None = None
) -> Shown:
    """Look through a scan, with its disc labels and a predicted mask as overlays.

    Parameters
    ----------
    case : Case
    prediction : ndarray of `case.shape`, optional
        Mask of discs: bool, or 0 and 1.
    contrasts : sequence of str, optional
        Contrasts to choose from; default all of the case.

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`; `.figure()` holds the sagittal, the
        coronal and the axial plane through the voxel chosen. The live part is drawn by ipyniivue
        where that is installed.

    Raises
    ------
    ConfigError
        If a contrast is unknown.
    DataError
        If there are no contrasts, or the prediction is no mask on the grid of the case.
    """
    names = list(case.contrasts) if contrasts is None else list(contrasts)
    if not names:
        raise DataError(f"case {case.name} has no contrasts to show; name at least one.")
    unknown = [name for name in names if name not in case.contrasts]
    if unknown:
        known = ", ".join(case.contrasts)
        raise ConfigError(f"case {case.name} has no contrast {unknown[0]!r}; there are {known}.")
    masks = {} if case.discs is None else {"truth": case.discs}
    if prediction is not None:
        masks["found"] = mask_on_grid(case, prediction)
    return _Volume(case, names, masks)


def mask_on_grid(case: Case, prediction: np.ndarray) -> np.ndarray:
    """A prediction as bool; `DataError` if it is no mask on the grid of the case."""
    prediction = np.asarray(prediction)
    if prediction.shape != case.shape:
        raise DataError(
            f"the prediction has the shape {prediction.shape}, case {case.name} {case.shape}; "
            "give a mask on the grid of the case."
        )
    if not np.isin(prediction, (0, 1)).all():
        raise DataError("the prediction holds other values than 0 and 1; give a mask.")
    return prediction.astype(bool)


class _Volume(Shown):
    """State, controls and still picture; a screen, quick or on the graphics card, shows it live.

    Attributes
    ----------
    case : Case
    names : list of str
        Contrasts to choose from.
    greys : dict of str to ndarray of uint8
        Each contrast, as it is drawn.
    masks : dict of str to ndarray of bool
        Overlays.
    sliders : list of ipywidgets.IntSlider
        The voxel, one for each axis.
    """

    def __init__(self, case: Case, names: list[str], masks: dict[str, np.ndarray]) -> None:
        self.case, self.names, self.masks = case, names, masks
        self.greys = {name: contrast.greys(case.contrasts[name]) for name in names}
        self._contrast = choice("contrast", names)
        start = [n // 2 for n in case.shape]
        if case.discs is not None:
            start[0] = middle_slice(case.discs)
        self.sliders = [
            whole_slider(axis, at, 0, n - 1)
            for axis, at, n in zip(_AXES, start, case.shape, strict=True)
        ]
        self._switches = {name: switch(f"{name} ({COLOURS[name][0]})") for name in masks}
        self._screen = self._best_screen()
        for control in (self._contrast, *self.sliders, *self._switches.values()):
            control.observe(self._draw, "value")
        self._text = ipywidgets.HTML()
        controls = [self._contrast, *self.sliders, row_of_widgets(self._switches.values())]
        self.widget = arranged(self._screen.widget, self._text, controls)
        self._draw()

    def _best_screen(self) -> GraphicsCard | _Slices:
        if find_spec("ipyniivue") is None:
            return _Slices()
        from ivdlib.course.viewer.niivue import GraphicsCard

        return GraphicsCard(self)

    def _draw(self, _change: object = None) -> None:
        self._screen.draw(self)
        self._text.value = f"<p>{html.escape(self.words())} {self._screen.remark}</p>"

    @property
    def voxel(self) -> tuple[int, int, int]:
        """The voxel that the planes go through."""
        return tuple(slider.value for slider in self.sliders)

    @property
    def contrast(self) -> str:
        """Name of the contrast chosen."""
        return self._contrast.value

    def on(self, name: str) -> bool:
        """Whether an overlay is switched on."""
        return self._switches[name].value

    def words(self) -> str:
        """What is shown, in a sentence."""
        shown = [f"{name} ({COLOURS[name][0]})" for name in self.masks if self.on(name)]
        i, j, k = self.voxel
        return (
            f"Case {self.case.name}, contrast {self.contrast}, planes through voxel ({i}, {j}, {k})"
            f"{'; outlines: ' + ', '.join(shown) if shown else ''}."
        )

    def picture(self) -> Picture:
        """Sagittal, coronal and axial plane, beside each other."""
        spacing, shape = self.case.spacing, self.case.shape
        scale = HEIGHT / max(n * edge for n, edge in zip(shape[1:], spacing[1:], strict=True))
        panels = []
        for normal, letters in enumerate(("APSI", "RLSI", "RLAP")):
            edges = [edge for axis, edge in enumerate(spacing) if axis != normal]
            planes = {
                name: enlarge_pixels(plane, edges, scale)
                for name, plane in self._planes(normal).items()
            }
            pixels = grey(planes.pop(self.contrast))
            overlay_pixels(pixels, planes)
            places = [(v + 0.5) / n for v, n in zip(self.voxel, shape, strict=True)]
            del places[normal]
            cross(pixels, *places)
            panels.append(lettered(pixels, letters))
        return next_to(panels)

    def _planes(self, normal: int) -> dict[str, np.ndarray]:
        """The plane across an axis, of the contrast chosen and of the masks switched on."""
        arrays = {self.contrast: self.greys[self.contrast]}
        arrays |= {name: mask for name, mask in self.masks.items() if self.on(name)}
        return {n: array.take(self.voxel[normal], axis=normal) for n, array in arrays.items()}

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        return (
            f"{self.words()} Sagittal plane with anterior on the left, coronal and axial plane "
            "with the patient's right on the left; a thin cross marks the voxel."
        )

    def figure(self) -> Figure:
        """Figure of the three planes."""
        return self.picture().figure(self.words())


class _Slices:
    """The screen that needs no graphics card: the still picture, drawn again with each change."""

    remark = INSTALL

    def __init__(self) -> None:
        self.widget = ipywidgets.HTML()

    def draw(self, shown: _Volume) -> None:
        self.widget.value = shown.picture().html(shown.alt)
