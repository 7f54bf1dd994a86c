"""Learning curves as they grow, for TensorBoard: an option, `ivdlib grid --tensorboard DIR`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ivdlib.errors import ConfigError

VARIABLE = "IVDLIB_TENSORBOARD"
"""Names the folder for the logs; workers of this machine inherit it."""


def need_tensorboard() -> None:
    """Refuse what cannot be done.

    Raises
    ------
    ConfigError
        If logs are wanted and TensorBoard is not installed.
    """
    if os.environ.get(VARIABLE):
        _writer_class()


@contextmanager
def log(label: str) -> Iterator[Callable[[int, float], None]]:
    """Give a function that notes a loss at a step, in a folder named after a training.

    Without the variable `VARIABLE` it notes nothing.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield lambda step, loss: None
        return
    name = re.sub(r"^training \d+/\d+: ", "", label)
    writer = _writer_class()(str(Path(folder) / re.sub(r"[^\w.-]+", "_", name)))

    def note(step: int, loss: float) -> None:
        writer.add_scalar("training loss", loss, step)
        writer.flush()

    try:
        yield note
    finally:
        writer.close()


def _writer_class() -> type:
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise ConfigError(
            "logs for TensorBoard need it; install it with: pip install 'ivdlib[tensorboard]'."
        ) from error
    return Writer
