"""What trainings of every kind share: the compiled network, the hash, the rows, the record.

`trainings/<hash>/` holds `record.json`, `metrics.csv.gz`, `history.csv` and `model.weights.h5`. The
record is written last: a folder with a record is finished, one without is done again or gone on
with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ivdlib import files, provenance
from ivdlib.data.contrasts import is_derived
from ivdlib.evaluation import recorded, scores
from ivdlib.networks import cost
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing.folds import Fold
from ivdlib.training import likeness, weights
from ivdlib.training.trainer import Trainer
from ivdlib.training.weights import WEIGHTS

if TYPE_CHECKING:
    from ivdlib.data.cases import Case
    from ivdlib.training.experiment import Experiment


@lru_cache(maxsize=2)  # the spine network and one other
def trainer(
    network: str, config: Any, tile: tuple[int, int], options: TrainingOptions, channels: int = 1
) -> Trainer:
    """The compiled network for these settings; two are kept, for compiling takes long."""
    return Trainer(network.partition(":")[0], config, tile, options, channels=channels)


def begin_row(
    case: Case, fold: Fold, seed: int, network: str, size: str, trained_on: str, contrast: str,
    target: str = "disc",
) -> dict[str, Any]:  # fmt: skip
    """Begin a row of `metrics.csv`: who was scored by what, without the scores."""
    return {
        "network": network, "size": size, "trained_on": trained_on, "fold": fold.number,
        "seed": seed, "case": case.name, "subject": case.subject, "stage": case.stage,
        "contrast": contrast, "derived": is_derived(contrast, case.derived), "target": target,
        "scope": "volume", "level": "",
    }  # fmt: skip


def finish(
    experiment: Experiment,
    place: Path,
    engine: Trainer,
    history: list[dict[str, float]],
    score: Callable[[], list[dict[str, Any]]],
    what: Mapping[str, Any],
    fold: Fold,
    more: Mapping[str, Any],
) -> None:
    """Write weights, curve, scores and, last, the record; then the checkpoint may go.

    `more` is for the passport of the weights: tile, region and whatever else this kind needs.
    """
    begin = time.monotonic()
    rows = score()
    card = {
        "network": engine.network, "config": engine.config.to_dict(), "target": what["target"],
        "images": what["images"], "trained_by": f"{experiment.name}/{place.name}", **more,
        **likeness.of_scans(experiment.cases[name] for name in fold.train),
    }  # fmt: skip
    card = weights.save_weights(engine.model, place / WEIGHTS, card)
    files.write_csv(place / "history.csv", pd.DataFrame(history))
    files.write_csv(place / scores.METRICS, pd.DataFrame(rows))
    record = provenance.record(
        **what,
        fold=fold.number,
        passport=card,
        precision=engine.precision,
        parameters=cost.parameters(engine.model),
        seconds_training=round(history[-1]["seconds"], 1),
        seconds_scoring=round(time.monotonic() - begin, 1),
        sha256=recorded.sealed(place, (scores.METRICS, "history.csv")),
    )
    files.write_json(place / "record.json", record)
    (place / "checkpoint.h5").unlink(missing_ok=True)
