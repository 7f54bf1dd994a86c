"""Figure 2: the architecture of FDS-CNN, drawn from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import FancyBboxPatch

from ivdlib.networks import xception
from ivdlib.report.plotting import BLACK, BLUE, GREEN, ORANGE, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ivdlib.networks.fds_cnn import FDSCNNConfig


def _text(block: str, config: FDSCNNConfig) -> str:
    """What stands in the box of a module: feature maps, rates, stride, repetitions."""
    k = xception.BLOCKS.index(block)
    widths = [str(config.channels(width)) for width in xception.WIDTHS[k]]
    maps = f"{widths[0]} maps" if len(set(widths)) == 1 else "·".join(widths) + "\nmaps"
    name = f"{block} × {config.middle_units}" if block == "middle" else block
    lines = [name, maps, "rate " + _rates(config.rates_of(block))]
    return "\n".join([*lines, f"stride {s}"] if (s := max(config.strides[k])) > 1 else lines)


def _rates(units: list[tuple[int, ...]]) -> str:
    """Rates of a module: once where its repetitions have the same, else of the first and last."""
    texts = ["·".join(map(str, rates)) for rates in units]
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} … {texts[-1]}"


def box(
    axes: Axes, x: float, y: float, text: str, colour: str, size: tuple[float, float] = (0.92, 0.9)
) -> None:
    """Draw a box with rounded corners about a point, and a text in it.

    Parameters
    ----------
    axes : Axes
    x, y : float
        Its centre.
    text, colour : str
    size : tuple of float
        Width and height.
    """
    width, height = size
    axes.add_patch(FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=colour + "40", edgecolor=colour, linewidth=1.3,
    ))  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5)


def arrow(
    axes: Axes, *points: tuple[float, float], colour: str = BLACK, dashes: str = "solid"
) -> None:
    """Draw a line through the points with a head at the last one.

    Parameters
    ----------
    axes : Axes
    *points : (x, y)
    colour, dashes : str
    """
    x, y = zip(*points, strict=True)
    axes.plot(x[:-1], y[:-1], color=colour, linestyle=dashes, linewidth=1.1)
    axes.annotate("", xy=points[-1], xytext=points[-2], arrowprops={
        "arrowstyle": "->", "color": colour, "linestyle": dashes, "linewidth": 1.1, "shrinkA": 0,
        "shrinkB": 0,
    })  # fmt: skip


def architecture(config: FDSCNNConfig, tile: tuple[int, int] = (112, 128)) -> Figure:
    """Draw FDS-CNN as its configuration describes it (in place of the lost Fig. 2 of the paper).

    Parameters
    ----------
    config : FDSCNNConfig
    tile : tuple of int
        Input in pixels (AP, SI).
    """
    figure, axes = new_figure(4.6)
    axes.set(xlim=(-0.55, 8.55), ylim=(-1.65, 3.75))
    axes.set_axis_off()
    box(axes, 0, 3, f"image\n{tile[0]} × {tile[1]}\n1 channel", BLACK)
    for x, block in enumerate(xception.BLOCKS, start=1):
        box(axes, x, 3, _text(block, config), BLUE)
        arrow(axes, (x - 0.54, 3), (x - 0.46, 3))
    _pyramid(axes, config)
    _skips(axes, config)
    width = config.channels(config.decoder_width)
    last = f"1 × 1\n{1 if config.head == 'sigmoid' else 2} map{'s' * (config.head != 'sigmoid')}"
    enlarge = f"enlarge\n× {config.decoder_stride}\nbilinear"
    boxes = (
        "join" if config.skips else "(no skips)",
        f"decoder\n2 {config.convolution}\n{width} maps",
        *((last, enlarge) if config.upsample == "logits" else (enlarge, last)),
        f"probability\n{tile[0]} × {tile[1]}",
    )
    for x, text in zip((4.6, 3.45, 2.3, 1.15, 0), boxes, strict=True):
        box(axes, x, 0, text, BLACK if x == 0 else GREEN)
        if x:
            arrow(axes, (x - 0.46, 0), (x - 0.69, 0))
    return figure


def _pyramid(axes: Axes, config: FDSCNNConfig) -> None:
    """Spatial pyramid: branches beside each other, joined by a 1 × 1 convolution."""
    branches = ["1 × 1"] if config.aspp_pointwise else []
    branches += [f"{config.convolution}, rate {rate}" for rate in config.aspp_rates]
    branches += ["mean of the map"] if config.image_pooling else []
    maps = config.channels(config.aspp_width)
    ends = np.linspace(1.05, -1.05, len(branches)) if len(branches) > 1 else [0.0]
    for y, text in zip(ends, branches, strict=False):
        box(axes, 7.35, y, text, VERMILION, size=(1.25, 0.36))
        arrow(axes, (8, 2.55), (8.25, 2.3), (8.25, y), (7.98, y), colour=VERMILION)
        arrow(axes, (6.72, y), (6.22, 0), colour=VERMILION)
    if branches:
        title = f"spatial pyramid (ASPP), {maps} maps each"
        axes.text(7.35, -1.45, title, ha="center", fontsize=7.5)
    else:
        arrow(axes, (8, 2.55), (8, 0), (6.22, 0), colour=VERMILION)
    text = f"join\n1 × 1\n{maps} maps" if branches else f"1 × 1\n{maps} maps"
    if config.stride > config.decoder_stride:
        text += f"\nenlarge × {config.stride // config.decoder_stride}"
    box(axes, 5.8, 0, text, VERMILION, size=(0.84, 0.9))
    arrow(axes, (5.38, 0), (5.06, 0))


def _skips(axes: Axes, config: FDSCNNConfig) -> None:
    """Low-level features, each through a 1 × 1 convolution, to the pyramid's output."""
    maps = config.channels(config.skip_width)
    rails = {
        "third_layer": (1.1, 4.35, 1.18),
        "entry": (1.7, 4.6, 1.5),
        "middle": (1.1, 4.85, 1.18),
    }
    for skip in config.skips:  # chosen so that no line crosses another, or a text
        rail, end, height = rails[skip]
        block, number = config.skip_place(skip)
        x = 1 + xception.BLOCKS.index(block)
        points = ((x, 2.55), (x, rail), (end, rail), (end, 0.46))
        arrow(axes, *points, colour=ORANGE, dashes="dashed")
        factor = config.stride_of(block, number) // config.decoder_stride
        text = f"1 × 1, {maps} maps" + (f", × {factor}" if factor > 1 else "")
        axes.text(min(x, end) + 0.1, height, text, fontsize=7.5)
