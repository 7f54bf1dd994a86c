"""Profiles: which data, networks, folds, seeds and steps an experiment has, under one name.

The numbers of the paper are the defaults of the option classes (`options`); where a profile
differs, `deviations` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field, fields
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ivdlib.errors import ConfigError, checked
from ivdlib.options import (
    OWN_RATES,
    SIZE_NAMES,
    Count,
    Flag,
    Many,
    Momentum,
    PhantomOptions,
    SpineOptions,
    Text,
    TrainingOptions,
    Whole,
    once,
)

NETWORKS = ("fds_cnn", "unet", "deeplabv3plus")
TITLES = {"fds_cnn": "FDS-CNN", "unet": "U-Net", "deeplabv3plus": "DeepLabv3+"}
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

FAIR = ("unet:equal_weights", "unet:equal_cost")
"""U-Net in the sizes that compare with FDS-CNN on like terms: other sizes, not other ideas."""

MOST_SEEDS = 1000
"""More is a slip of the keyboard: each seed trains every network once."""


def _networks(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in names if name.partition(":")[0] not in TITLES]:
        raise ValueError(f"takes some of {', '.join(TITLES)}, not {unknown[0]!r}")
    return names


@checked
class Profile:
    """A whole experiment by name; single fields can be overridden, see `profile`."""

    name: Text
    note: Text
    """Command, measured time, what to expect."""
    size: Literal[*SIZE_NAMES] = "paper"
    bn_momentum: Momentum = 0.99
    """Of the running means of batch normalisation (Keras' default; the paper names none). After n
    steps the first guess still weighs momentum ** n: 100 steps with 0.99 leave 37 % of it."""
    networks: Annotated[Many[Text], AfterValidator(_networks), AfterValidator(once)] = NETWORKS
    """Variants of FDS-CNN too; `ivdlib info --network fds_cnn` lists them. None at all: the spine
    stage alone."""
    arms: Annotated[Many[Literal[*ARMS]], Field(min_length=1), AfterValidator(once)] = (
        "with",
        "without",
    )
    """Some of `ARMS`, at equal steps."""
    folds: Annotated[Whole, Field(ge=2)] | None = None
    """None: four as in the paper, or as many as leave two patients to test."""
    partition: Annotated[Whole, Field(ge=0)] = 0
    """Seed of who is in which fold, which the paper does not say."""
    inner: Flag = False
    """Divide each fold's training patients again: for choices that no test patient may make."""
    leak: Literal[*LEAKS] = "none"
    """One of `LEAKS`; no result rests on anything but `none`."""
    seeds: Annotated[Count, Field(le=MOST_SEEDS)] = 1
    refold: Flag = False
    """Divide the patients anew for each seed: seed s trains by the folds of `partition` + s."""
    training: TrainingOptions = field(default_factory=TrainingOptions)
    spine: SpineOptions = field(default_factory=SpineOptions)
    phantom: PhantomOptions = field(default_factory=PhantomOptions)
    score_discs: Flag = True
    """Also score disc by disc (distances in mm); the tables need the Dice per scan only."""
    stress: Annotated[Many[Literal[*STRESSES]], AfterValidator(once)] = ()
    """Also score test images made worse: some of `STRESSES`, see `ivdlib.evaluation.stress`."""
    references: Flag = True
    """Also score what needs no network: level atlas and logistic regression."""
    comparable: Flag = True
    """Whether the numbers may be set beside others; small profiles say "not comparable"."""

    def __post_init__(self) -> None:
        """Refuse a profile that trains nothing (ConfigError)."""
        if not self.networks and self.spine.region != "predicted":
            raise ConfigError(
                f"profile {self.name}: without networks there is only a spine network to train, so "
                f"spine.region is predicted, not {self.spine.region}."
            )

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
            "`make reproduce`: every step of the whole on a small phantom, 6 to 8 minutes on two "
            "cores; every network has learnt, but not enough for the order of the rows to count "
            "(and U-Net may miss fat: lesson 05).",
            size="tiny",
            bn_momentum=0.9,
            training=TrainingOptions(
                steps=150,
                batch=4,
                learning_rate=1.5e-2,
                unet_rate=3e-3,
                deeplabv3plus_rate=2e-2,
                schedule="cosine",
                noise_probability=0.0,
                average=0.9,
            ),
            spine=SpineOptions(steps=70, batch=8, learning_rate=2e-3),
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


def arm_title(arm: str) -> str:
    """For people."""
    return {"quiet": "without random pixels", "random": "with random mixtures",
            "stacked": "contrasts as channels"}.get(arm, f"{arm} fusion")  # fmt: skip


def leaves_out(network: str) -> bool:
    """Whether this is a network without one of its ideas, such as `fds_cnn:no_dilation`."""
    return ":" in network and network not in FAIR


def title(network: str) -> str:
    """For people: `fds_cnn:no_dilation` is "FDS-CNN, no dilation"."""
    name, _, variant = network.partition(":")
    return TITLES.get(name, name) + (f", {variant.replace('_', ' ')}" if variant else "")


COMPARED = {name: title(name) for name in (*TITLES, *FAIR)}
"""Networks that stand beside one another in tables and figures, with their names for people.
Variants, which lack an idea, are told by the audit."""


def rank(shown: str) -> int:
    """Where a network stands in tables and figures, by its name for people; others stand last."""
    order = list(COMPARED.values())
    return order.index(shown) if shown in order else len(order)


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
    """Value of a field, dotted where nested; `ConfigError` if there is none of that name."""
    if key not in (*keys(), "note"):
        raise ConfigError(f"unknown field {key!r} of a profile; known are {', '.join(keys())}.")
    return attrgetter(key)(p)


def profile(name: str, overrides: Mapping[str, Any] | None = None) -> Profile:
    """Find a profile by name and override single fields.

    Parameters
    ----------
    name : str
        `test`, `smoke`, `laptop` or `paper`.
    overrides : mapping, optional
        Values by dotted field, e.g. ``{"training.steps": 500, "seeds": 3}``. A learning rate is
        meant for every network: rates of single ones that the profile has do not hold then.

    Raises
    ------
    ConfigError
        If the profile or a field is unknown, or a value has the wrong type or range.

    Examples
    --------
    >>> profile("smoke", {"training.steps": 5}).training.steps
    5
    """
    if name not in PROFILES:
        raise ConfigError(f"unknown profile {name!r}; known are {', '.join(PROFILES)}.")
    values = asdict(PROFILES[name])
    if "training.learning_rate" in (overrides or {}):  # it is meant for every network
        values["training"] |= dict.fromkeys(OWN_RATES.values())
    for key, value in (overrides or {}).items():
        current(PROFILES[name], key)  # or there is none of that name
        part, _, leaf = key.rpartition(".")
        (values[part] if part else values)[leaf] = value
    return Profile(**values)


EXTENDABLE = ("networks", "arms", "seeds", "note")
"""Fields of a profile that may grow under one name: they add trainings and change none."""
