"""What is written beside a mask, by something that ends its process: for tests of lost workers."""

import os
import signal
import time
from pathlib import Path

from ivdlib.training.segmenter import Beside


def _kill(always, case, found, folder, warned):
    """End the process at case 02: the first time, or each time; keep the others busy meanwhile."""
    mark = Path(folder, "killed")
    with (Path(folder) / f"{case.name}.tries").open("a") as tries:
        tries.write("x")
    if case.name == "02" and (always or not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.3)
    return {}


def kills(always):
    from functools import partial

    return Beside((), {}, partial(_kill, always))
