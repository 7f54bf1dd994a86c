"""What would flatter: choosing the best step of a training on the scans that test it.

Nothing here serves a result. It exists to be measured, see `profiles.LEAKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ivdlib.evaluation.scores import BEST


class Watched:
    """Scores the test scans at each row of the learning curve; a `watch` of `Trainer.fit`.

    Parameters
    ----------
    score : callable
        Gives rows with `dice` for the network as it is.
    """

    def __init__(self, score: Callable[[], list[dict[str, Any]]]) -> None:
        self.score = score
        self.seen: list[tuple[int, list[dict[str, Any]]]] = []

    def __call__(self, step: int, *_: Any) -> None:
        """Score the network as it is after `step` steps."""
        self.seen.append((step, self.score()))

    def best(self) -> list[dict[str, Any]]:
        """Rows of the step with the highest mean Dice: what must not be reported."""
        step, rows = max(self.seen, key=lambda one: np.mean([row["dice"] for row in one[1]]))
        return [{**row, "scope": BEST, "step": step} for row in rows]
