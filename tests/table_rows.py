"""Rows of scores."""

import itertools


def rows(network="fds_cnn", trained_on="contrasts", contrasts=("wat",), seeds=1, cases=("01",),
         value=0.5, **fields):  # fmt: skip
    """Rows of `metrics.csv`; `value` may be a function of contrast, seed and case."""
    value = value if callable(value) else lambda *_: fields.get("dice", 0.5)
    return [
        {"network": network, "trained_on": trained_on, "fold": 1, "contrast": c, "seed": s,
         "case": case, "subject": case,
         "target": "disc", "scope": "volume", "level": "", "dice": value(c, s, case), **fields}
        for c, s, case in itertools.product(contrasts, range(seeds), cases)
    ]  # fmt: skip
