"""A plot of a few curves as SVG: written in a millisecond, where a figure takes some tenths."""

from __future__ import annotations

import html
from collections.abc import Mapping

from ivdlib.report.film_strip import Curve
from ivdlib.report.plotting import MARKERS

WIDE, HIGH = 320, 196
"""Pixels."""

_LEFT, _RIGHT, _UP, _DOWN = 44, 312, 40, 172
"""Where the curves are, in pixels."""

_DASHES = ("", "7 3", "2 3", "9 3 2 3", "1 4", "4 4")
"""Of the first, second, … curve: never told by its colour alone."""


def small_plot(curves: Mapping[str, Curve], title: str, right: float, top: float) -> str:
    """Draw values over steps.

    Parameters
    ----------
    curves : mapping of str to mapping of int to float
        Value by step, by the name of the curve; at most six. What is above `top` is cut off.
    title : str
        Stands above the curves, before their names.
    right, top : float
        Ends of the axes, which begin at 0.

    Returns
    -------
    str
        An `<svg>` that says its ends to those who cannot see it.
    """
    right, top = max(right, 1), max(top, 1e-9)

    def place(step: float, value: float) -> str:
        x = _LEFT + (_RIGHT - _LEFT) * step / right
        return f"{x:.1f},{_DOWN - (_DOWN - _UP) * min(max(value, 0.0), top) / top:.1f}"

    parts = [f'<path d="M{_LEFT} {_UP}V{_DOWN}H{_RIGHT}" fill="none" stroke="#666"/>']
    parts += [_word(_LEFT - 5, _DOWN, "0", "end"), _word(_LEFT - 5, _UP + 8, f"{top:.3g}", "end")]
    parts += [_word(_LEFT, _DOWN + 17, "0"), _word(_RIGHT, _DOWN + 17, f"{right:g}", "end")]
    parts += [_word((_LEFT + _RIGHT) // 2, _DOWN + 17, "step", "middle"), _word(4, 14, title)]
    told, across = [], _LEFT
    for (name, curve), (colour, _), dash in zip(curves.items(), MARKERS, _DASHES, strict=False):
        line = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        points = " ".join(place(*point) for point in curve.items() if point[1] == point[1])
        parts.append(f'<polyline points="{points}" {line}/>')
        if len(curves) > 1:
            parts.append(f'<path d="M{across} 28h24" {line}/>')
            parts.append(_word(across + 29, 32, name))
            across += 45 + 7 * len(name)
        if curve:
            told.append(f"{name}: {next(iter(curve.values())):.2f} to {[*curve.values()][-1]:.2f}")
    label = html.escape(f"{title} over the steps. {'; '.join(told)}")
    size = f'viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}"'
    style = 'style="display:block;max-width:100%;background:white"'
    return f'<svg role="img" aria-label="{label}" {size} {style}>{"".join(parts)}</svg>'


def _word(x: int, y: int, text: str, anchor: str = "start") -> str:
    style = 'font-family="sans-serif" font-size="12" fill="#222"'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {style}>{html.escape(text)}</text>'
