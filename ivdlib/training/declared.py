"""Experiments declared in small files (TOML), for `ivdlib grid --experiment` and `make audit`.

    about = "Tables 1 to 3 on disc crops of six patients"
    data = "ivdm3seg_crops"          # a folder in $IVDLIB_DATA or data/, or several in a list;
                                     # without it the phantom
    profile = "laptop"
    recipe = "better"                # without it the paper's

    [set]                            # fields of the profile, as with --set
    seeds = 3
    training.steps = 1200

The file's name is the experiment's.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from ivdlib import profiles
from ivdlib.errors import ConfigError, DataError, checked
from ivdlib.files import cannot
from ivdlib.links import need_content
from ivdlib.options import Many, Text, once
from ivdlib.provenance import brought, root
from ivdlib.training import recipes

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

BRING = "put the folder into data/, or name the folder that it lies in with IVDLIB_DATA"
"""What to do if data are not there."""

_LONGEST = 20_000
"""Letters of a file; tomllib needs minutes for keys with dots by the hundred thousand."""


def _named(folders: tuple[str, ...]) -> tuple[str, ...]:
    if not all(folders):
        raise ValueError("is empty; name a folder, or leave data out (the phantom)")
    return folders


_ONE_OR_MORE = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)


@checked
class DeclaredFile:
    """The keys of a file."""

    about: Text = ""
    profile: Text = "laptop"
    data: Annotated[Many[Text], _ONE_OR_MORE, AfterValidator(_named), AfterValidator(once)] = ()
    recipe: Text = "paper"
    set: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Declared:
    """What a file declares.

    Attributes
    ----------
    name : str
    about : str
        One sentence for people.
    profile : str
    data : tuple of str
        Names or paths of folders of scans; none: the phantom of the profile.
    recipe : str
    fields : mapping
        Fields of the profile that the file sets itself.
    """

    name: str
    about: str
    profile: str
    data: tuple[str, ...] = ()
    recipe: str = "paper"
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def overrides(self) -> dict[str, Any]:
        """Fields of the profile, those of the recipe too."""
        return {**recipes.recipe(self.recipe, self.profile), **self.fields}

    def short_of(self, experiment: Experiment) -> list[str]:
        """Sentences on what was set lower than the recipe needs, if it takes part."""
        used = self.recipe != "paper" and experiment.uses_spine_network
        return recipes.short_of(self.recipe, experiment.profile) if used else []

    def folders(self) -> list[Path]:
        """Folders of the data; none for the phantom.

        Raises
        ------
        DataError
            If one is not there.
        """
        for name in self.absent():
            raise DataError(f"the data {name} of experiment {self.name} are not there; {BRING}.")
        return [place for name in self.data if (place := self._folder(name))]

    def absent(self) -> list[str]:
        """Names of the data that are not there."""
        return [name for name in self.data if self._folder(name) is None]

    def _folder(self, name: str) -> Path | None:
        places = [Path(name), root() / "data" / name]
        if given := os.environ.get("IVDLIB_DATA"):
            places.insert(0, Path(given).expanduser() / name)
        for place in places:
            need_content(place)
            if place.is_dir():
                return place
        return None


def load(path: str | os.PathLike, recipe: str | None = None) -> Declared:
    """Read a declared experiment.

    Parameters
    ----------
    path : path
        Where there is no such file, that of this name which comes with ivdlib, as in
        ``"benchmarks/audit/crops.toml"``.
    recipe : str, optional
        In place of the one that the file names.

    Raises
    ------
    ConfigError
        If the file cannot be read, has an unknown key, or its profile does not fit.
    """
    path = Path(path)
    need_content(path)
    if not path.exists() and (packed := brought(os.fspath(path))).is_file():
        path = packed
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise ConfigError(
                f"{path} has more than {_LONGEST:,} letters, so it declares no experiment; name "
                "another file."
            )
        found = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8; save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(cannot("read", path, error)) from error
    except (RecursionError, ValueError) as error:  # a number of 5000 digits, too
        raise ConfigError(f"{path} cannot be read as an experiment in TOML ({error}).") from error
    try:
        file = DeclaredFile(**found)
        declared = Declared(
            path.stem,
            file.about,
            file.profile,
            file.data,
            recipe or file.recipe,
            _fields(file.set),
        )
        profiles.profile(declared.profile, declared.overrides)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return declared


def _fields(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Fields by their dotted names: `training.steps = 5` is a table within a table in TOML."""
    found = {}
    for key, value in table.items():
        found |= (
            _fields(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
        )
    return found
