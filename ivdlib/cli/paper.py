"""Where the paper is: its sections, the modules that follow them, and the lesson that tells it."""

from __future__ import annotations

from pathlib import Path

LIBRARY = Path(__file__).parents[1]

SECTIONS = (
    ("2, Fig. 1", "from scan to mask", "06",
     "training.predict training.inference training.weights"),
    ("2.1", "the spine is found first, by a U-Net", "02",
     "networks.unet training.spine_stage preprocessing.spine_tube preprocessing.region"),
    ("2.2", "separable and dilated convolutions", "03",
     "networks.convolution networks.normalisation networks.blocks networks.receptive_field"),
    ("2.2, Fig. 2", "FDS-CNN", "03",
     "networks.fds_cnn networks.xception networks.resize report.architecture"),
    ("2.3, Fig. 3", "fusion of two contrasts", "01", "preprocessing.fusion data.contrasts"),
    ("3.1", "the challenge's scans", "01", "data.layout data.cases data.dixon data.labels phantom"),
    ("3.1", "tiles, rotation, random pixels", "04",
     "preprocessing.tiles preprocessing.sampler preprocessing.augmentation"),
    ("3.1", "training", "04", "training.trainer networks.losses networks.replicas profiles"),
    ("3.2", "folds of patients", "01", "preprocessing.folds training.grid"),
    ("3.2", "the networks beside it", "03", "networks.unet networks.deeplabv3plus networks.cost"),
    ("3.2", "scores", "05", "evaluation.metrics evaluation.challenge evaluation.statistics"),
    ("3.2, Tables 1–3", "with and without fusion", "05",
     "evaluation.tables training.experiment training.run"),
    ("3.2, Fig. 4", "masks beside the truth", "05", "report.plotting report.result_figures"),
    ("4", "what it claims", "05", "evaluation.claims evaluation.verdicts report.audit.page"),
)  # fmt: skip
"""Section of the paper, its subject, number of the lesson, modules."""


def _place(module: str) -> Path:
    """File of a module, or folder of a package."""
    place = LIBRARY.joinpath(*module.split("."))
    return place if place.is_dir() else place.with_suffix(".py")


def lines(module: str) -> int:
    """Lines of a module; of a package, of all its files."""
    place = _place(module)
    files = place.glob("*.py") if place.is_dir() else [place]
    return sum(len(one.read_text(encoding="utf-8").splitlines()) for one in files)


def markdown() -> str:
    """The table of the README."""
    rows = ["| paper | what | modules of `ivdlib` | lesson |", "|---|---|---|---|"]
    for section, what, lesson, modules in SECTIONS:
        names = ", ".join(f"`{name}`" for name in modules.split())
        rows.append(f"| Sect. {section} | {what} | {names} | {lesson} |")
    return "\n".join(rows)


def listing() -> str:
    """The table for a terminal, a line a module with the lines of its file."""
    found = []
    for section, what, lesson, modules in SECTIONS:
        found.append(f"Sect. {section}: {what} (lesson {lesson})")
        for name in modules.split():
            place = _place(name)
            path = f"ivdlib/{place.relative_to(LIBRARY).as_posix()}{'/' * place.is_dir()}"
            found.append(f"  {path:<44} {lines(name):>5} lines")
    return "\n".join(found)
