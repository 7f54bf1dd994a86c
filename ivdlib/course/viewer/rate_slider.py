"""The learning-rate slider: a small network is trained at the rate chosen, and one sees how."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from ivdlib.course.viewer.picture import next_to as beside
from ivdlib.course.viewer.shown import STYLE, WIDE, Shown, arranged
from ivdlib.course.viewer.small_plot import small_plot
from ivdlib.course.viewer.theatre import panel
from ivdlib.evaluation import metrics
from ivdlib.preprocessing.region import shrink
from ivdlib.report.film_strip import FRAMES, Frame, draw_film, words_of

FACTOR = 2
"""Tiles are shrunk by it, so that a training takes two seconds and not a minute."""

LOWEST, START, HIGHEST = -4.0, -2.0, 1.0
"""Powers of ten; the slider moves by half a power."""

HIGH = 150
"""Pixels; height of a slice on the screen."""

BATCH = 4


@dataclass(frozen=True, eq=False)
class _Run:
    """One training: the loss before each step, and some looks at a tile that is held out.

    `sure`: whether the network in the end is sure of each pixel.
    """

    losses: list[float]
    frames: list[Frame]
    sure: bool


def learning_rate(
    tiles: np.ndarray,
    truths: np.ndarray,
    held_out: tuple[np.ndarray, np.ndarray],
    spacing: Sequence[float],
    steps: int = 40,
) -> LearningRate:
    """Choose a learning rate and see what becomes of a training.

    Each rate trains a small U-Net for a moment when the slider is let go: live, on tiles of half
    the size, from the same first weights and with the same batches. What was trained once is kept.

    Parameters
    ----------
    tiles, truths : ndarray, (tiles, AP, SI)
        To train on: grey values from 0 to 1, and discs.
    held_out : tuple of ndarray, (AP, SI)
        A tile of a person who does not train, and its discs.
    spacing : sequence of 3 floats
        Voxel edges in mm.
    steps : int, default 40
        Of each training.

    Returns
    -------
    LearningRate
        To be shown as the last line of a cell, or by `display`; `.figure()` has the film strips and
        curves of the lowest rate, the one chosen, and the highest, `.verdicts()` says what they
        mean.
    """
    return LearningRate(tiles, truths, held_out, spacing, steps)


class LearningRate(Shown):
    """The slider and its trainings, see `learning_rate`."""

    def __init__(
        self,
        tiles: np.ndarray,
        truths: np.ndarray,
        held_out: tuple[np.ndarray, np.ndarray],
        spacing: Sequence[float],
        steps: int,
    ) -> None:
        # Keras takes some seconds, which the other widgets need not wait for
        import keras

        from ivdlib import networks
        from ivdlib.networks import losses
        from ivdlib.training import gradients

        self._steps, self._descend = steps, gradients.descend
        self._numpy = keras.ops.convert_to_numpy
        self._tiles, self._truths = shrink(tiles, FACTOR), shrink(truths, FACTOR) >= 0.5
        self._image = shrink(held_out[0][np.newaxis], FACTOR)[0]
        self._truth = shrink(held_out[1][np.newaxis], FACTOR)[0] >= 0.5
        self._spacing = (spacing[0], *(FACTOR * edge for edge in spacing[1:]))
        keras.utils.set_random_seed(0)
        small = networks.UNetConfig(base=8, levels=2, bn_momentum=0.8)
        self._model = networks.build("unet", small, (*self._image.shape, 1))
        self._first = self._model.get_weights()
        self._ask = gradients.value_and_gradient(self._model, losses.cross_entropy_and_dice)
        self._runs: dict[float, _Run] = {}
        self._slider = ipywidgets.FloatLogSlider(
            description="learning rate", value=10**START, min=LOWEST, max=HIGHEST, step=0.5,
            continuous_update=False, style=STYLE, layout=WIDE,
        )  # fmt: skip
        self._screen, self._text = ipywidgets.HTML(), ipywidgets.HTML()
        self.widget = arranged(self._screen, self._text, [self._slider])
        self._slider.observe(self._draw, "value")
        self._draw()

    @property
    def _power(self) -> float:
        """Of ten; rounded, for the slider gives 0.0316227766."""
        return round(2 * math.log10(self._slider.value)) / 2

    def _run(self, power: float) -> _Run:
        """The training at a rate, made once."""
        if power not in self._runs:
            self._text.value = f"<p>Training with {rate_of(power)} …</p>"
            self._model.set_weights(self._first)
            curve, frames = [], [self._look(0)]
            looks = {round(k) for k in np.linspace(0, self._steps, FRAMES)}
            weights = self._model.trainable_weights
            for loss in self._descend(self._ask, weights, self._batches(), 10**power):
                curve.append(loss)
                if len(curve) in looks:
                    frames.append(self._look(len(curve)))
            sure = bool((np.abs(self._answer() - 0.5) > 0.499).all())
            self._runs[power] = _Run(curve, frames, sure)
        return self._runs[power]

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng(0)
        for _ in range(self._steps):
            chosen = rng.integers(len(self._tiles), size=BATCH)
            yield self._tiles[chosen][..., np.newaxis], self._truths[chosen][..., np.newaxis]

    def _answer(self) -> np.ndarray:
        """Probability of disc in the tile that is held out, (AP, SI)."""
        answer = self._model(self._image[np.newaxis, ..., np.newaxis], training=False)
        return self._numpy(answer)[0, ..., 0]

    def _look(self, step: int) -> Frame:
        found = self._answer() >= 0.5
        masks, dice = {"truth": self._truth, "found": found}, metrics.dice(found, self._truth)
        return Frame(step, self._image, masks, dice, self._spacing)

    def _draw(self, _change: object = None) -> None:
        run = self._run(self._power)
        film = beside([panel(frame, HIGH) for frame in run.frames]).html(self.alt)
        curves = {rate_of(p): dict(enumerate(self._runs[p].losses)) for p in self._compared()}
        top = 1.5 * run.losses[0] if math.isfinite(run.losses[0]) else 1.0
        plot = small_plot(curves, "loss of the batch", self._steps, top)
        self._screen.value = f"{film}<div>{plot}</div>"
        self._text.value = f"<p>{html.escape(self._words())}</p>"

    def _compared(self) -> list[float]:
        """Powers whose curves stand together: the lowest, the one chosen, and the highest."""
        known = {LOWEST, self._power, HIGHEST} & self._runs.keys()
        return sorted(known, key=lambda power: (power != self._power, power))

    def _words(self) -> str:
        run = self._run(self._power)
        steps = ", ".join(str(frame.step) for frame in run.frames)
        return (
            f"A slice that is held out, after {steps} steps: truth (orange, solid), found (blue, "
            f"dashed). Learning rate {rate_of(self._power)}: {verdict(run.losses, run.sure)} Dice "
            f"of the slice at the end: {run.frames[-1].dice:.2f}."
        )

    @property
    def alt(self) -> str:
        """What is to be seen at present."""
        return f"{words_of({'held out': self._run(self._power).frames})} {self._words()}"

    def verdicts(self) -> dict[str, str]:
        """What the curves of the figure say, by their rate."""
        powers = sorted({LOWEST, self._power, HIGHEST})
        runs = {power: self._run(power) for power in powers}
        return {rate_of(power): verdict(run.losses, run.sure) for power, run in runs.items()}

    def figure(self) -> Figure:
        """Film strips and curves of the lowest rate, the one chosen, and the highest."""
        runs = {p: self._run(p) for p in sorted({LOWEST, self._power, HIGHEST})}
        strips = {f"rate {rate_of(p)}": run.frames for p, run in runs.items()}
        losses = {f"rate {rate_of(p)}": dict(enumerate(r.losses)) for p, r in runs.items()}
        return draw_film(strips, losses)


def rate_of(power: float) -> str:
    """A power of ten as a number for people: 0.0001, 0.03, 10."""
    return f"{10**power:.1g}" if power < 1 else f"{10**power:.0f}"


def verdict(losses: Sequence[float], sure: bool = False) -> str:
    """Say in a sentence what a training's loss says of its rate: too high, too low, or right.

    Parameters
    ----------
    losses : sequence of float
        Before each step, from the first weights on; at least one.
    sure : bool, default False
        Whether the network is sure of each pixel in the end: not even a good one is at the rims.

    Returns
    -------
    str
        Too high if the loss is no number, leapt above where it began and did not come back down, or
        stayed high with a network that is sure of everything; too low if it has fallen by less than
        half of itself; right otherwise.
    """
    if not np.isfinite(losses).all():
        return "too high. The weights grew beyond all bounds, and the loss is no number any more."
    first, highest, tail = losses[0], max(losses), max(1, len(losses) // 8)
    last, before = np.mean(losses[-tail:]), np.mean(losses[-2 * tail : -tail] or losses[:1])
    ends = f"the loss went from {first:.2f} to {last:.2f}"
    if highest > 1.1 * first and last > 0.4 * first:
        return f"too high. The steps leap over the goal: {ends}, and up to {highest:.2f} meanwhile."
    if sure and last > 0.5 * first:
        return f"too high. The first steps made it sure of one answer everywhere: {ends}."
    if last > 0.5 * first:
        return f"too low for so few steps. Each of them leads down, but hardly: {ends}."
    more = " It still falls: more steps would help." if before - last > 0.04 * first else ""
    return f"about right. In {len(losses)} steps {ends}.{more}"
