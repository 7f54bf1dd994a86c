"""Profiles: which data, networks, folds, seeds and steps an experiment has, under one name.

The numbers of the paper are the defaults of the option classes (`options`); where a profile
differs, `deviations` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ivdlib.errors import ConfigError
from ivdlib.options import (
    LONGEST_MM,
    LOSSES,
    PLACEMENTS,
    PRECISIONS,
    PhantomOptions,
    SpineOptions,
    TrainingOptions,
)

NETWORKS = ("fds_cnn", "unet", "deeplabv3plus")
TITLES = {"fds_cnn": "FDS-CNN", "unet": "U-Net", "deeplabv3plus": "DeepLabv3+"}
SIZES = ("tiny", "laptop", "paper")
ARMS = {
    "with": "contrasts+fused",
    "without": "contrasts",
    "random": "contrasts+random",
    "quiet": "no random pixels",
    "stacked": "contrasts as channels",
}
"""What a network trains on: with the fused contrasts as in the paper's Tables 1 and 2; without them
as in Table 3; with as many random mixtures of two (ours); as the first of these that the data
allow, but without random pixels; with all contrasts at once, each a channel (ours), which gives one
mask a scan. Values as in `metrics.csv`."""
PROBES = ("random", "quiet")
"""Arms that ask why the paper's own method works: trained with the first network only."""
STRESSES = ("blurred", "noisy", "pixels")
LEAKS = {
    "none": "",
    "scan": "SPLIT BY SCAN (a patient trains and tests)",
    "epoch": "ALSO THE BEST STEP ON THE TEST SCANS",
}
"""What must not be done and can be, to measure how much it flatters: folds of scans in place of
patients; the best of some 40 steps, chosen on the test scans (rows of scope `best_step`)."""


@dataclass(frozen=True)
class Profile:
    """A whole experiment by name; single fields can be overridden, see `profile`."""

    name: str
    note: str
    """Command, measured time, what to expect."""
    size: str = "paper"
    bn_momentum: float = 0.99
    """Of the running means of batch normalisation (Keras' default; the paper names none). After n
    steps the first guess still weighs momentum ** n: 100 steps with 0.99 leave 37 % of it."""
    networks: tuple[str, ...] = NETWORKS
    """Variants of FDS-CNN too; `ivdlib info --network fds_cnn` lists them. None at all: the spine
    stage alone."""
    arms: tuple[str, ...] = ("with", "without")
    """Some of `ARMS`, at equal steps."""
    folds: int | None = None
    """None: four as in the paper, or as many as leave two patients to test."""
    partition: int = 0
    """Seed of who is in which fold, which the paper does not say."""
    inner: bool = False
    """Divide each fold's training patients again: for choices that no test patient may make."""
    leak: str = "none"
    """One of `LEAKS`; no result rests on anything but `none`."""
    seeds: int = 1
    training: TrainingOptions = field(default_factory=TrainingOptions)
    spine: SpineOptions = field(default_factory=SpineOptions)
    phantom: PhantomOptions = field(default_factory=PhantomOptions)
    score_discs: bool = True
    """Also score disc by disc (distances in mm); the tables need the Dice per scan only."""
    stress: tuple[str, ...] = ()
    """Also score test images made worse: some of `STRESSES`, see `ivdlib.evaluation.stress`."""
    references: bool = True
    """Also score what needs no network: level atlas and logistic regression."""
    comparable: bool = True
    """Whether the numbers may be set beside others; small profiles say "not comparable"."""

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, for records and hashes."""
        return asdict(self)


PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile(
            "test",
            "`ivdlib reproduce --profile test`: two steps a training, for tests and browsers; "
            "minutes; no score means anything.",
            size="tiny",
            bn_momentum=0.9,
            training=TrainingOptions(steps=2, batch=2, learning_rate=1e-3),
            spine=SpineOptions(steps=2, batch=2, factor=4),
            phantom=PhantomOptions(subjects=4, stages=1, slices=2),
            folds=2,
            score_discs=False,
            references=False,
            comparable=False,
        ),
        Profile(
            "smoke",
            "`make reproduce`: every step of the whole on a small phantom, under 20 minutes on two "
            "cores; the networks have begun to learn, the order of the rows means nothing.",
            size="tiny",
            bn_momentum=0.9,
            training=TrainingOptions(steps=120, batch=4, learning_rate=5e-3, schedule="cosine"),
            spine=SpineOptions(steps=80, batch=8, learning_rate=2e-3),
            phantom=PhantomOptions(subjects=4, stages=2, slices=8),
            folds=2,
            score_discs=False,
            references=False,
            comparable=False,
        ),
        Profile(
            "laptop",
            "`ivdlib grid --profile laptop`: hours on a CPU; numbers that mean something.",
            size="tiny",
            training=TrainingOptions(steps=1200, learning_rate=4e-3, schedule="cosine"),
            spine=SpineOptions(steps=600),
        ),
        Profile(
            "paper",
            "`ivdlib grid --profile paper --seeds 3`: the full network, four folds, three seeds; "
            "a GPU is needed (one training is about 37 GMAC a tile and 20,000 steps of 16 tiles).",
            seeds=3,
        ),
    )
}

SMALLEST_TILE = 16
"""Pixels: what four halvings in U-Net and DeepLabv3+ leave one of."""

LARGEST = 1e9
"""No number of a profile is beyond it: no record could hold it, no computer wait for it."""

MOST_SEEDS = 1000
"""More is a slip of the keyboard: each seed trains every network once."""

COARSEST = 8
"""Most pixels a side that the spine stage may average: beyond, a vertebra is a few pixels."""


def arm_title(arm: str) -> str:
    """For people."""
    return {"quiet": "without random pixels", "random": "with random mixtures",
            "stacked": "contrasts as channels"}.get(arm, f"{arm} fusion")  # fmt: skip


def title(network: str) -> str:
    """For people: `fds_cnn:no_dilation` is "FDS-CNN, no dilation"."""
    name, _, variant = network.partition(":")
    return TITLES.get(name, name) + (f", {variant.replace('_', ' ')}" if variant else "")


def _split(key: str, profile: Profile) -> tuple[Any, str]:
    """Find the object and the field that a dotted key such as `training.steps` names."""
    part, _, leaf = key.rpartition(".")
    owner = getattr(profile, part, None) if part else profile
    known = [f.name for f in fields(owner)] if hasattr(owner, "__dataclass_fields__") else []
    if leaf not in known or key == "name":
        raise ConfigError(f"unknown field {key!r} of a profile; known are {', '.join(keys())}.")
    return owner, leaf


def keys() -> list[str]:
    """Every field of a profile that can be overridden, nested ones with a dot."""
    names = []
    for f in fields(Profile):
        value = getattr(PROFILES["paper"], f.name)
        if hasattr(value, "__dataclass_fields__"):
            names += [f"{f.name}.{inner.name}" for inner in fields(value)]
        elif f.name not in {"name", "note"}:
            names.append(f.name)
    return names


def current(p: Profile, key: str) -> Any:
    """Value of a field, dotted where nested; `ConfigError` where there is none of that name."""
    return getattr(*_split(key, p))


def profile(name: str, overrides: Mapping[str, Any] | None = None) -> Profile:
    """Find a profile by name and override single fields.

    Parameters
    ----------
    name : str
        `test`, `smoke`, `laptop` or `paper`.
    overrides : mapping, optional
        Values by dotted field, e.g. ``{"training.steps": 500, "seeds": 3}``.

    Raises
    ------
    ConfigError
        Where the profile or a field is unknown, or a value has the wrong type or range.

    Examples
    --------
    >>> profile("smoke", {"training.steps": 5}).training.steps
    5
    """
    if name not in PROFILES:
        raise ConfigError(f"unknown profile {name!r}; known are {', '.join(PROFILES)}.")
    found = PROFILES[name]
    for key, value in (overrides or {}).items():
        owner, leaf = _split(key, found)
        changed = replace(owner, **{leaf: _typed(key, value, getattr(owner, leaf))})
        part = key.rpartition(".")[0]
        found = replace(found, **{part: changed}) if part else changed
    _check(found)
    return found


def _kind(kind: type) -> str:
    """A type in the words of a declared file."""
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false",
             tuple: "a list", list: "a list", dict: "a table"}  # fmt: skip
    return words.get(kind, "a table of fields")


def _typed(key: str, value: Any, old: Any) -> Any:
    """Bring a value to the type of the field it replaces; `4` is a fine float, `"4"` is not."""
    for number in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(number, int | float) and abs(number) > LARGEST:
            raise ConfigError(f"field {key} is a number up to {LARGEST:g}, not {value!r:.40}.")
    if isinstance(old, tuple) and isinstance(value, (list, tuple)):
        kind = type(old[0]) if old else str
        if all(type(item) is kind for item in value):
            return tuple(value)
        raise ConfigError(f"field {key} holds {_kind(kind)} values, not {value!r}.")
    if isinstance(old, float) and type(value) is int:
        return float(value)
    if key == "folds" and value is None:
        return None
    kind = int if key == "folds" else type(old)
    if type(value) is not kind:
        raise ConfigError(f"field {key} takes {_kind(kind)}, not {value!r} ({_kind(type(value))}).")
    return value


def _check(p: Profile) -> None:
    """Refuse values that no training could use."""
    rules: Iterable[tuple[bool, str]] = (
        (p.size in SIZES, f"size is one of {', '.join(SIZES)}, not {p.size!r}"),
        ({n.partition(":")[0] for n in p.networks} <= set(TITLES),
         f"networks are some of {', '.join(TITLES)}, not {', '.join(map(str, p.networks))!r}"),
        (bool(p.arms) and set(p.arms) <= set(ARMS), f"arms are some of {', '.join(ARMS)}"),
        (len(set(p.networks)) == len(p.networks) and len(set(p.arms)) == len(p.arms),
         "networks and arms stand once each"),
        (bool(p.networks) or p.spine.region == "predicted",
         "without networks there is only a spine network to train, so spine.region is predicted"),
        (set(p.stress) <= set(STRESSES) and len(set(p.stress)) == len(p.stress),
         f"stress is some of {', '.join(STRESSES)}, once each"),
        (p.leak in LEAKS, f"leak is one of {', '.join(LEAKS)}, not {p.leak!r}"),
        (p.seeds >= 1, f"seeds is 1 or more, not {p.seeds}"),
        (p.seeds <= MOST_SEEDS, f"seeds is {MOST_SEEDS} or fewer, not {p.seeds}"),
        (0 <= p.bn_momentum < 1, "bn_momentum is at least 0 and below 1"),
        (p.partition >= 0, f"partition is 0 or more, not {p.partition}"),
        (p.folds is None or p.folds >= 2, f"folds is 2 or more, not {p.folds}"),
        (p.training.steps >= 1 and p.spine.steps >= 1, "steps is 1 or more"),
        (p.training.batch >= 1 and p.spine.batch >= 1, "batch is 1 or more"),
        (p.training.learning_rate > 0 and p.spine.learning_rate > 0, "learning_rate is above 0"),
        (p.spine.size in SIZES, f"spine.size is one of {', '.join(SIZES)}, not {p.spine.size!r}"),
        (p.training.loss in LOSSES,
         f"training.loss is one of {', '.join(LOSSES)}, not {p.training.loss!r}"),
        (len(p.training.tile) == 2 and min(p.training.tile) >= SMALLEST_TILE,
         f"training.tile is two numbers of pixels, AP and SI, {SMALLEST_TILE} or more"),
        (0 <= p.training.rotation <= 180, "training.rotation is between 0 and 180 degrees"),
        (0 <= p.spine.margin <= LONGEST_MM, f"spine.margin is 0 to {LONGEST_MM:g} mm"),
        (0 <= p.spine.gap <= LONGEST_MM, f"spine.gap is 0 to {LONGEST_MM:g} mm"),
        (0 <= p.spine.tolerance <= 0.1, "spine.tolerance is between 0 and 0.1 mm"),
        (p.training.schedule in {"constant", "cosine"}, "schedule is constant or cosine"),
        (p.training.tiles in {"thinned", "all"}, "tiles is thinned or all"),
        (p.training.placement in PLACEMENTS,
         f"training.placement is one of {', '.join(PLACEMENTS)}"),
        (p.spine.region in {"predicted", "true", "none"},
         "spine.region is predicted, true or none"),
        (1 <= p.spine.factor <= COARSEST, f"spine.factor is 1 to {COARSEST}"),
        (p.training.precision in PRECISIONS,
         f"training.precision is one of {', '.join(PRECISIONS)}, not {p.training.precision!r}"),
        (0 <= p.training.noise_probability <= 1, "noise_probability is between 0 and 1"),
        (0 <= p.training.noise_max_share <= 1, "noise_max_share is between 0 and 1"),
        (p.training.neighbours >= 0, "training.neighbours is 0 or more"),
        (0 <= p.training.intensity < float("inf"), "training.intensity is 0 or more"),
        (0 <= p.training.average < 1, "training.average is at least 0 and below 1"),
    )  # fmt: skip
    for holds, sentence in rules:
        if not holds:
            raise ConfigError(f"profile {p.name}: {sentence}.")


EXTENDABLE = ("networks", "arms", "seeds", "note")
"""Fields of a profile that may grow under one name: they add trainings and change none."""
