"""Recipes: fields that are set together in any profile, and what they need to be worth it."""

from __future__ import annotations

from typing import Any

from ivdlib.errors import ConfigError
from ivdlib.profiles import Profile, current, profile

RECIPES: dict[str, dict[str, Any]] = {
    "paper": {},
    "better": {
        "training.neighbours": 1,
        "training.intensity": 0.3,
        "spine.factor": 1,
        "spine.gap": 5.0,
    },
}
"""Fields that a recipe sets in any profile. `better` is for whoever wants the best result: of the
switches that were tried on inner patients these four were kept, see "Chosen on inner patients" in
`reports/reference/AUDIT.md` and the README beside it. Contrasts as channels, averaged weights and
twice the steps were not: they gained nothing there."""

LEAST: dict[str, dict[str, int]] = {"better": {"spine.steps": 800}}
"""What a recipe needs at least: a profile that has less is raised to it. Whole slices
(`spine.factor` 1) were chosen with 800 steps; after 300 the averaged ones were better."""


def recipe(name: str, on: str = "paper") -> dict[str, Any]:
    """Overrides of a recipe for the profile `on`; `ConfigError` if there is none of a name."""
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}; known are {', '.join(RECIPES)}.")
    base = profile(on)
    raised = {k: v for k, v in LEAST.get(name, {}).items() if current(base, k) < v}
    return {**RECIPES[name], **raised}


def follows(p: Profile, name: str) -> bool:
    """Whether a profile has every field as a recipe sets it."""
    return all(current(p, key) == value for key, value in RECIPES[name].items())


def short_of(name: str, p: Profile) -> list[str]:
    """Say what of a profile that follows a recipe is less than the recipe needs."""
    return [
        f"{key} is {current(p, key)}, less than the {least} that the recipe {name} was chosen "
        f"with; leave it out, or set {least} or more"
        for key, least in LEAST.get(name, {}).items()
        if follows(p, name) and current(p, key) < least
    ]


def short_of_any(p: Profile) -> list[str]:
    """As `short_of`, for whichever recipe a profile follows."""
    return [sentence for name in LEAST for sentence in short_of(name, p)]
