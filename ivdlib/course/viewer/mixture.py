"""The controls of a fused contrast: a weight for each contrast of a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import ipywidgets

from ivdlib.course.viewer.shown import STYLE, WIDE, row_of_widgets
from ivdlib.preprocessing import fusion

WORDS = {"wat": "water", "fat": "fat", "inn": "in phase", "opp": "opposed phase"}
"""The Dixon contrasts in words; others keep their names."""

LOWEST, HIGHEST, STEP = -1.0, 2.0, 0.05
"""Weights that the sliders offer."""


class Mixture:
    """Sliders for the weights, and a button for each of the paper's fused contrasts.

    Parameters
    ----------
    names : iterable of str
        Contrasts; wat+opp stands at the start where it can be made, else the first.
    changed : callable
        Called without arguments when the weights have changed.

    Attributes
    ----------
    sliders : dict of str to ipywidgets.FloatSlider
    buttons : ipywidgets.Box
    """

    def __init__(self, names: Iterable[str], changed: Callable[[], None]) -> None:
        self._changed, names = changed, [*names]
        start = fusion.fused_names(names)[:1] or (names[0],)
        self.sliders = {
            name: ipywidgets.FloatSlider(
                description=WORDS.get(name, name), value=name in start[0].split("+"), min=LOWEST,
                max=HIGHEST, step=STEP, style=STYLE, layout=WIDE,
            )
            for name in names
        }  # fmt: skip
        buttons = []
        for pair in fusion.fused_names(names):
            button = ipywidgets.Button(
                description=pair, tooltip=f"set the weights to {pair}", layout={"width": "7em"}
            )
            button.on_click(partial(self._choose, pair))
            buttons.append(button)
        self.buttons = row_of_widgets(buttons)
        self._listen(True)

    def _listen(self, on: bool) -> None:
        for slider in self.sliders.values():
            (slider.observe if on else slider.unobserve)(self._move, "value")

    def _move(self, _change: object) -> None:
        self._changed()

    def _choose(self, pair: str, _button: ipywidgets.Button) -> None:
        """Set all sliders, then tell of it once."""
        self._listen(False)
        for name, slider in self.sliders.items():
            slider.value = name in pair.split("+")
        self._listen(True)
        self._changed()

    @property
    def formula(self) -> str:
        """Weighted sum as `fusion.fuse` takes it; a weight of 0 is left out."""
        weights = {name: round(slider.value, 2) for name, slider in self.sliders.items()}
        some = {name: weight for name, weight in weights.items() if weight} or weights
        return "+".join(f"{weight:g}*{name}" for name, weight in some.items())

    @property
    def words(self) -> str:
        """The sum, to be read."""
        parts = [part.split("*") for part in self.formula.split("+")]
        text = " + ".join(f"{float(weight):g} × {WORDS.get(n, n)}" for weight, n in parts)
        return text.replace("+ -", "− ").replace("-", "−")
