"""An image that came, for tests of what is made of several."""

from functools import partial

import numpy as np

from ivdlib.data.incoming.frame import Patient
from ivdlib.data.incoming.volume import Volume


def volume(
    contrast, number=1, when="", at=0.0, by_echo=False, who=None, study="1.2", kept="", te=2.3,
    time=0, variant=(), date="2024", identity=None,
):  # fmt: skip
    who = who or Patient("A1", "Meier^Eva")
    affine = np.diag([2.0, 1, 1, 1])
    affine[0, 3] = at
    return Volume(contrast, "", by_echo, who, who.number or who.name or study, (date, study),
                  (when, number, time), f"series {number}", (3, 4, 5), affine, partial(np.zeros, 1),
                  facts={"series": number, "echo_time_ms": te}, kept=kept, variant=variant,
                  identity=identity or f"{who.number}{study}{contrast}{number}{when}{at}{time}{te}",
                  )  # fmt: skip
