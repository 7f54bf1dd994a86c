"""What the widgets of the lessons share: how they are shown, and how their controls look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets
from matplotlib.figure import Figure

from ivdlib.report import plotting

STYLE = {"description_width": "11em"}
WIDE = {"width": "26em", "max_width": "100%"}


class Shown(ABC):
    """A live widget together with the picture that stands for it where it cannot run.

    Attributes
    ----------
    widget : ipywidgets.Widget
        What is shown where widgets run.
    """

    widget: ipywidgets.Widget

    @property
    @abstractmethod
    def alt(self) -> str:
        """What is to be seen at present, for those who cannot see it."""

    @abstractmethod
    def figure(self) -> Figure:
        """Figure of the present state."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        """Give a notebook the picture, its text and the widget; it shows the best it can."""
        data, metadata = self.still()
        return self.widget._repr_mimebundle_() | data, metadata

    def still(self) -> tuple[dict, dict]:
        """The picture alone, with its text, as a notebook keeps it."""
        alt = self.alt
        picture = plotting.data_uri(self.figure(), alt).partition(",")[2]
        return {"image/png": picture, "text/plain": alt}, {"image/png": {"alt": alt}}


def choice(
    description: str, options: Sequence, button_width: str = "4em"
) -> ipywidgets.ToggleButtons:
    """Buttons of which one is down, the first at the start.

    No list to drop down: in JupyterLab the arrow keys would leave the cell instead of choosing.
    """
    return ipywidgets.ToggleButtons(
        description=description,
        options=options,
        style=STYLE | {"button_width": button_width},
        layout={"display": "flex", "width": "100%"},
    )


def whole_slider(description: str, value: int, low: int, high: int) -> ipywidgets.IntSlider:
    """A slider over whole numbers."""
    return ipywidgets.IntSlider(
        description=description, value=value, min=low, max=high, style=STYLE, layout=WIDE
    )


def switch(description: str, value: bool = True) -> ipywidgets.Checkbox:
    """A box to tick."""
    return ipywidgets.Checkbox(
        description=description, value=value, indent=False, layout={"width": "max-content"}
    )


def row_of_widgets(controls: Iterable[ipywidgets.Widget]) -> ipywidgets.Box:
    """Controls beside each other, or below where the page is narrow."""
    return ipywidgets.Box(list(controls), layout={"flex_flow": "row wrap", "width": "100%"})


def arranged(
    screen: ipywidgets.Widget, text: ipywidgets.Widget, controls: Iterable[ipywidgets.Widget]
) -> ipywidgets.Widget:
    """Put the controls above the picture, and the words below it."""
    return ipywidgets.VBox([row_of_widgets(controls), screen, text])
