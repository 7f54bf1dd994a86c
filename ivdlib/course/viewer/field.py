"""The receptive-field explorer: which pixels stacks of dilated convolutions see."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ivdlib.course.viewer.picture import Picture, next_to
from ivdlib.course.viewer.shown import Shown, arranged, choice, whole_slider
from ivdlib.errors import ConfigError
from ivdlib.report.plotting import ORANGE

_MOST = 4
"""Convolutions in a stack, and stacks beside each other."""

HIGHEST = 9
"""Largest dilation rate that the sliders offer."""

SIDE = 250
"""Pixels; largest side of a panel."""


def receptive_field(
    rates: Sequence[Sequence[int]] = ((1, 1, 1), (2, 2, 2), (1, 2, 3)),
) -> Shown:
    """Change the dilation rates of stacked 3 × 3 convolutions and see what one output pixel sees.

    Parameters
    ----------
    rates : sequence of sequences of int
        Dilation rates (pixels, 1 to 9) of one to four stacks, drawn beside each other to one scale;
        one to four convolutions each.

    Returns
    -------
    Shown
        To be shown as the last line of a cell, or by `display`; `.figure()` is that of
        `diagrams.draw_receptive_field`.

    Raises
    ------
    ConfigError
        If there are too few or too many stacks or convolutions, or a rate is no whole number
        from 1 to 9.
    """
    return _Field(rates)


def _checked(rates: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    stacks = [tuple(stack) if isinstance(stack, Sequence) else (stack,) for stack in rates]
    if not 1 <= len(stacks) <= _MOST:
        raise ConfigError(f"{len(stacks)} stacks were given; give one to {_MOST}.")
    for stack in stacks:
        if not 1 <= len(stack) <= _MOST:
            raise ConfigError(
                f"a stack of {len(stack)} convolutions cannot be drawn; give one to {_MOST} rates."
            )
        for rate in stack:
            if not isinstance(rate, int | np.integer) or not 1 <= rate <= HIGHEST:
                raise ConfigError(
                    f"dilation rate {rate!r} is no whole number from 1 to {HIGHEST}; "
                    "a plain convolution has rate 1."
                )
    return stacks


class _Field(Shown):
    def __init__(self, rates: Sequence[Sequence[int]]) -> None:
        # diagrams brings Keras, some seconds that the other widgets need not wait for
        from ivdlib.report import diagrams

        self._diagrams, self._stacks = diagrams, _checked(rates)
        names = [(str(k + 1), k) for k in range(len(self._stacks))]
        self._which = choice("stack to change", names)
        self._count = whole_slider("convolutions", 1, 1, _MOST)
        self._rates = [
            whole_slider(f"rate of convolution {k + 1}", 1, 1, HIGHEST) for k in range(_MOST)
        ]
        self._screen, self._text = ipywidgets.HTML(), ipywidgets.HTML()
        controls = [self._which, self._count, *self._rates]
        self.widget = arranged(self._screen, self._text, controls)
        self._load()
        self._which.observe(self._load, "value")
        for slider in (self._count, *self._rates):
            slider.observe(self._change, "value")
        self._draw()

    def _load(self, _change: object = None) -> None:
        """Set the sliders to the rates of the stack chosen."""
        stack = self._stacks[self._which.value]
        self._loading = True
        self._count.value = len(stack)
        for slider, rate in zip(self._rates, stack, strict=False):
            slider.value = rate
        self._loading = False
        self._enable()

    def _change(self, _change: object) -> None:
        if not self._loading:
            stack = tuple(slider.value for slider in self._rates[: self._count.value])
            self._stacks[self._which.value] = stack
            self._enable()
            self._draw()

    def _enable(self) -> None:
        for number, slider in enumerate(self._rates):
            slider.disabled = number >= self._count.value

    def _draw(self) -> None:
        self._screen.value = self._picture().html(self.alt)
        items = "".join(f"<li>{self._words(stack)}</li>" for stack in self._stacks)
        self._text.value = f"<ol>{items}</ol>"

    def _picture(self) -> Picture:
        reach = max(map(sum, self._stacks)) + 1
        return next_to([Picture(self._panel(stack, reach)) for stack in self._stacks])

    def _panel(self, stack: tuple[int, ...], reach: int) -> np.ndarray:
        """Pixels of one stack, (side, side, 3): the darker, the more ways; what is not seen white.

        As `diagrams.draw_receptive_field` draws it, with a frame.
        """
        cell = SIDE // (2 * reach + 1)
        ways = self._diagrams.coverage(stack)
        seen = np.outer(ways, ways) / ways.max() ** 2
        blues = np.round(255 * colormaps["Blues"]((np.sqrt(seen) + 0.4) / 1.4)[:, :, :3])
        field = np.where(seen[:, :, None] > 0, blues, 255).astype(np.uint8)
        field[sum(stack), sum(stack)] = 255 * np.array(to_rgb(ORANGE))
        margin = reach - sum(stack)
        panel = np.pad(field, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)
        panel = panel.repeat(cell, axis=0).repeat(cell, axis=1)
        panel[[0, -1]] = panel[:, [0, -1]] = 128
        return panel

    def _words(self, stack: tuple[int, ...]) -> str:
        """Size of the field and its holes."""
        ways = self._diagrams.coverage(stack)
        every, seen = len(ways) ** 2, int(np.count_nonzero(ways)) ** 2
        size = f"Rates {', '.join(map(str, stack))}: a field of {len(ways)} × {len(ways)} pixels"
        if seen == every:
            return f"{size} without holes."
        return f"{size}; {every - seen} of its {every} pixels are holes, never seen (gridding)."

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        return (
            "What one output pixel (orange) sees of the input: darker where more ways lead to it, "
            f"white where none does. {' '.join(map(self._words, self._stacks))}"
        )

    def figure(self) -> Figure:
        """Figure of the present stacks."""
        return self._diagrams.draw_receptive_field(self._stacks)
