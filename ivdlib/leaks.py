"""What would flatter: choosing the best step of a training on the scans that test it.

Nothing here serves a result. It exists to be measured, see `profiles.LEAKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ivdlib.sampler import Draw, TileSampler

POINTS = 20
"""How often in a training the test scans are looked at."""

BEST = "best_step"
"""Scope of the rows."""


class Watched:
    """A sampler that scores the test scans every now and then, as it is asked for batches.

    Parameters
    ----------
    sampler : TileSampler
        What the training draws from; unchanged.
    steps : int
        Of the whole training.
    score : callable
        Gives rows with `dice` for the network as it is.
    """

    def __init__(
        self, sampler: TileSampler, steps: int, score: Callable[[], list[dict[str, Any]]]
    ) -> None:
        self.sampler, self.score = sampler, score
        self.every = max(1, steps // POINTS)
        self.seen: list[tuple[int, list[dict[str, Any]]]] = []

    def draw(self, step: int) -> Draw:
        """Draw the batch of a step; before it, look where it is time."""
        if step and step % self.every == 0:
            self.look(step)
        return self.sampler.draw(step)

    def look(self, step: int) -> None:
        """Score the network as it is after `step` steps."""
        self.seen.append((step, self.score()))

    def best(self) -> list[dict[str, Any]]:
        """Rows of the step with the highest mean Dice: what must not be reported."""
        step, rows = max(self.seen, key=lambda one: np.mean([row["dice"] for row in one[1]]))
        return [{**row, "scope": BEST, "step": step} for row in rows]
