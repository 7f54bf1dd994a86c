"""The reference of the library: a page for each chapter, made from docstrings."""

from __future__ import annotations

from pathlib import Path

API = {
    "Data": (
        "data.cases",
        "data.case",
        "data.dixon",
        "data.quality.checks",
        "data.quality.exchange",
        "phantom",
    ),
    "Before the network": (
        *("preprocessing.fusion", "preprocessing.region", "preprocessing.tiles"),
        *("preprocessing.augmentation", "preprocessing.sampler", "preprocessing.folds"),
    ),
    "Layers and networks": (
        *("networks.by_name", "networks.fds_cnn", "networks.unet", "networks.deeplabv3plus"),
        *("networks.convolution", "networks.blocks", "networks.normalisation"),
        *("networks.resize", "networks.losses", "networks.cost"),
    ),
    "Training and use": (
        *("profiles", "options", "training.trainer", "training.weights", "training.inference"),
        *("training.predict", "training.experiment", "training.run"),
    ),
    "Scores and statistics": (
        *("evaluation.metrics", "data.discs", "evaluation.challenge", "evaluation.scoring"),
        "evaluation.statistics",
    ),
    "Tables, audit, reports": (
        *("evaluation.tables", "evaluation.claims", "evaluation.verdicts", "report.experiment"),
        *("course.exercises", "course.viewer"),
    ),
}
"""Modules of the reference by chapter."""

PASSED_ON = {"data.cases": "Case"}
"""What a module gives out that is another's, and stands there."""

MODULE = """\
## ivdlib.{module}

```{{eval-rst}}
.. automodule:: ivdlib.{module}
   :members:
   :exclude-members: {without}
   :show-inheritance:
```
"""


def write_chapters(folder: Path) -> list[str]:
    """Write the pages `api/1.md` and so on for Sphinx; gives their names without the ending."""
    (folder / "api").mkdir()
    for number, (title, modules) in enumerate(API.items(), start=1):
        parts = [MODULE.format(module=m, without=PASSED_ON.get(m, "")) for m in modules]
        text = "\n".join([f"# {title}\n", *parts])
        (folder / "api" / f"{number}.md").write_text(text, encoding="utf-8")
    return [f"api/{number}" for number in range(1, len(API) + 1)]
