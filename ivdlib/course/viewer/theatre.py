"""The training theatre: the mask of a slice is redrawn while a network learns, and kept as a film.

In a live notebook one picture changes in its place, and the film strip takes that place at the end.
Elsewhere nothing is drawn until the end.
"""

from __future__ import annotations

import html
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from IPython.display import DisplayHandle, display
from matplotlib.figure import Figure

from ivdlib.course.viewer.picture import Picture, enlarge_pixels, grey, lettered, overlay_pixels
from ivdlib.course.viewer.picture import next_to as beside
from ivdlib.course.viewer.shown import Shown
from ivdlib.course.viewer.small_plot import small_plot
from ivdlib.errors import in_lab
from ivdlib.evaluation import metrics
from ivdlib.preprocessing.region import Region
from ivdlib.progress import Progress, duration
from ivdlib.report import plotting
from ivdlib.report.film_strip import Frame, draw_film, words_of
from ivdlib.training import inference

if TYPE_CHECKING:
    import keras

LOOKS = 30
"""Looks at a training; each takes about as long as a step."""

MARGIN = 12
"""Pixels around the true discs that are shown; the Dice is of the whole slice."""

HIGH = 260
"""Pixels; height of a slice on the screen."""


class Stopped(KeyboardInterrupt):
    """A training that somebody stopped; a notebook shows its one sentence, and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it."""
        return [str(self)]


@dataclass(frozen=True, eq=False)
class Scene:
    """A scan of which the slice with most disc is looked at.

    Attributes
    ----------
    image : ndarray of float32, (slices, AP, SI)
        As the network sees it.
    truth : ndarray of bool, (slices, AP, SI)
        Its discs.
    region : Region
        Of interest.
    spacing : tuple of 3 floats
        Voxel edges in mm.
    """

    image: np.ndarray
    truth: np.ndarray
    region: Region
    spacing: tuple[float, float, float]

    def look(self, step: int, model: keras.Model) -> Frame:
        """What a network finds in the slice."""
        k = plotting.middle_slice(self.truth)
        mask, truth = self.region.mask, self.truth[k]
        region = Region(None if mask is None else mask[k : k + 1], self.region.window)
        answer = inference.predict_images(model, {"": self.image[k : k + 1]}, region)[""][0]
        found, near = answer >= inference.THRESHOLD, plotting.around(truth, MARGIN)
        masks = {"truth": truth[near], "found": found[near]}
        dice = metrics.dice(found, truth)
        return Frame(step, self.image[k][near], masks, dice, tuple(self.spacing))


class Theatre(Shown):
    """Watch a training of so many steps.

    As a context manager around the library's trainer, with `note` as the `watch` of `Trainer.fit`;
    around a loop that somebody wrote, `follow`. If it is interrupted, the film so far is shown, and
    what was noted stays.

    Parameters
    ----------
    scenes : mapping of str to Scene
        What is looked at, by a name such as "held out". None may be of a test patient, for somebody
        who watches a training may stop it.
    steps : int
        Of the training.

    Attributes
    ----------
    losses : dict of int to float
        By the number of steps made before.
    films : dict of str to list of Frame
        Of each scene.
    """

    def __init__(self, scenes: Mapping[str, Scene], steps: int) -> None:
        self._scenes, self._steps, self._every = scenes, steps, max(1, steps // LOOKS)
        self.losses: dict[int, float] = {}
        self.films: dict[str, list[Frame]] = {name: [] for name in scenes}
        self._handle: DisplayHandle | None = None
        self._begin = time.monotonic()

    # --- while it trains ---------------------------------------------------------------------

    def __enter__(self) -> Theatre:
        self._begin = time.monotonic()
        if in_lab():
            self.widget = ipywidgets.HTML("<p>The curtain rises with the first step.</p>")
            self._handle = display(self, display_id=True)
        return self

    @contextmanager
    def follow(self, model: keras.Model, label: str) -> Iterator[None]:
        """Watch a loop that asks for a gradient once in each step, see `gradients`.

        Parameters
        ----------
        model : keras.Model
            Trained within the block.
        label : str
            Shown beside the progress.
        """
        from ivdlib.training import gradients  # with Keras, some seconds; other widgets go without

        def watch(images: np.ndarray, truth: np.ndarray, loss: float) -> None:
            self.note(progress.done, loss, model)
            progress.advance(note=f"loss {loss:.2f}")

        with self, Progress(self._steps, label) as progress:
            with gradients.watched(watch):
                yield
            self.look(progress.done, model)

    def note(self, step: int, loss: float, model: keras.Model) -> None:
        """Note the loss after so many steps, and look at the slices now and then.

        Parameters
        ----------
        step : int
            Steps made.
        loss : float
        model : keras.Model
            As it is at that step.
        """
        self.losses[step] = loss
        if not self._looked or step - self._seen >= self._every or step >= self._steps:
            self.look(step, model)

    def look(self, step: int, model: keras.Model) -> None:
        """Look at the slices as the network is now."""
        if step == self._seen and self._looked:
            return
        for name, scene in self._scenes.items():
            self.films[name].append(scene.look(step, model))
        if self._handle is not None:
            self.widget.value = self._live()

    @property
    def _looked(self) -> list[Frame]:
        return next(iter(self.films.values()))

    @property
    def _seen(self) -> int:
        """Steps at the last look."""
        return self._looked[-1].step if self._looked else 0

    def _live(self) -> str:
        """The picture of the moment: slices, loss, Dice, and a line of words."""
        panels = [panel(films[-1], HIGH) for films in self.films.values()]
        alt = "; ".join(f"{n}: Dice {f[-1].dice:.2f}" for n, f in self.films.items())
        image = beside(panels).html(f"Discs found and true after {self._seen} steps. {alt}")
        top = max((v for v in self.losses.values() if math.isfinite(v)), default=1.0)
        plots = [
            small_plot({"loss": self.losses}, "loss of the batch", self._steps, top),
            small_plot(self.dice, "Dice of the slice", self._steps, 1.0),
        ]
        parts = "".join(f"<div>{part}</div>" for part in (image, *plots))
        box = f'<div style="display:flex;flex-wrap:wrap;gap:16px;line-height:1.4">{parts}</div>'
        return f"{box}<p>{html.escape(self._words())}</p>"

    def _words(self) -> str:
        spent = time.monotonic() - self._begin
        left = spent / max(self._seen, 1) * (self._steps - self._seen)
        names = " | ".join(self.films)
        loss = f", loss {[*self.losses.values()][-1]:.2f}" if self.losses else ""
        return (
            f"{names}: truth (orange, solid), found (blue, dashed). Step {self._seen} of "
            f"{self._steps}{loss}, about {duration(left)} left."
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._looked:
            shown, self._handle = self._handle, None
            shown.update(self) if shown else display(self)
        elif self._handle is not None:
            self.widget.value = ""
        if kind is None and not self._looked:
            print("This training was there already: no step was made, so there is no film of it.")
        if kind is KeyboardInterrupt:
            raise Stopped(
                f"Stopped after step {max(self.losses, default=0)} of {self._steps}. The network "
                "is as it was then, and the film ends there; run the cell again for all of it."
            ) from None

    # --- what stays --------------------------------------------------------------------------

    @property
    def dice(self) -> dict[str, dict[int, float]]:
        """Dice of the slice of each scene, by step."""
        return {name: {f.step: f.dice for f in frames} for name, frames in self.films.items()}

    @property
    def alt(self) -> str:
        """What the film strip shows."""
        if not self._looked:
            return "No look at a training yet."
        first, *_, last = [*self.losses.values()] * 2 or [math.nan] * 2
        return f"{words_of(self.films)} Below, the loss from {first:.2f} to {last:.2f}, and Dice."

    def figure(self) -> Figure:
        """The film strip so far."""
        return draw_film(self.films, {"loss": self.losses})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        """The picture that changes while there is one, then the film strip."""
        if self._handle is None and self._looked:
            return self.still()
        return self.widget._repr_mimebundle_(), {}


def panel(frame: Frame, high: int) -> Picture:
    """Draw a frame of a film as quick pixels, so many of them high."""
    edges = frame.spacing[1:]
    scale = high / (frame.plane.shape[1] * edges[1])
    low, top = np.percentile(frame.plane, (0.5, 99.5))
    bright = np.uint8(np.round(255 * np.clip((frame.plane - low) / max(top - low, 1e-6), 0, 1)))
    pixels = grey(enlarge_pixels(bright, edges, scale))
    masks = {name: enlarge_pixels(mask, edges, scale) for name, mask in frame.masks.items()}
    overlay_pixels(pixels, masks)
    return lettered(pixels, "APSI")
