"""The grid of Tables 1, 2 and 3: every network, with and without fusion, every fold, every seed.

An experiment is a folder under `reports/`. A training is recognised by the hash of all that could
change its result (`hashes`) and is never done twice; `run` does what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ivdlib import files, profiles, provenance
from ivdlib.data import people
from ivdlib.data.cases import load_cases
from ivdlib.errors import ConfigError, DataError, printable
from ivdlib.evaluation import recorded, scores
from ivdlib.links import need_content
from ivdlib.options import essence
from ivdlib.preprocessing.folds import patient_folds, subjects_of
from ivdlib.preprocessing.folds_file import folds_from_file
from ivdlib.profiles import EXTENDABLE, Profile
from ivdlib.provenance import data_folder, reports_folder, sound_name
from ivdlib.training import hashes, recording
from ivdlib.training.grid import Grid

if TYPE_CHECKING:
    from ivdlib.data.case import Case
    from ivdlib.phantom import Conditions
    from ivdlib.preprocessing.folds import Fold


class Experiment(Grid):
    """A grid of trainings under one name: its scans and folds, its folder, its record.

    Parameters
    ----------
    name : str
        Folder under `reports`.
    profile : str, default "smoke"
        See `profiles.PROFILES`.
    data : path or sequence of paths, optional
        Folder with scans, or several whose scans are taken together; without it the phantom of the
        profile is made (once) and used.
    overrides : mapping, optional
        Single fields of the profile, see `profiles.profile`.
    reports : path, optional
        Where experiments lie; default see `provenance.reports_folder`.
    split : path, optional
        CSV with the columns `case,fold`, in place of the folds made here.
    load : mapping, optional
        Further arguments of `cases.load_cases`, such as ``{"discs": {1}}``.
    claim : bool, default True
        Write the folder's `record.json`; False for plans, which write nothing but the phantom.

    Raises
    ------
    ConfigError
        If the profile does not fit, or the folder holds another experiment.
    DataError
        If the data cannot be used.
    """

    def __init__(
        self,
        name: str,
        profile: str = "smoke",
        data: str | os.PathLike | Sequence[str | os.PathLike] | None = None,
        *,
        overrides: Mapping[str, Any] | None = None,
        reports: str | os.PathLike | None = None,
        split: str | os.PathLike | None = None,
        load: Mapping[str, Any] | None = None,
        claim: bool = True,
    ) -> None:
        self.name = sound_name(name)
        self.profile = profiles.profile(profile, overrides)  # refused before a folder is made
        self._check_variants()
        given = [data] if isinstance(data, str | os.PathLike) else [*(data or ())]
        folders = [Path(folder) for folder in given if folder]
        self.arguments = {  # plain values, for workers that open the experiment again
            "name": name,
            "profile": profile,
            "data": [str(folder.resolve()) for folder in folders] or None,
            "overrides": dict(overrides or {}),
            "reports": str(Path(reports or reports_folder()).resolve()),
            "split": split and str(Path(split).resolve()),
            "load": {k: sorted(v) if isinstance(v, Set) else v for k, v in (load or {}).items()},
        }
        self.folder = (Path(reports) if reports else reports_folder()) / name
        self.is_phantom = not folders
        self.data = folders or [self._phantom()]
        self.cases = self._load(dict(load or {}))
        self.folds = self._divide(split)
        self._claim_folder(claim)

    def _load(self, load: Mapping[str, Any]) -> dict[str, Case]:
        """Scans of all folders by name; DataError if two have one name."""
        found: dict[str, Case] = {}
        for folder in self.data:
            for case in load_cases(folder, labels_required=True, **load):
                if case.name in found:
                    raise DataError(
                        f"a case {case.name} lies in several of the folders {self.data_name}; "
                        "rename one."
                    )
                found[case.name] = case
        one = len(self.data) == 1
        return found if one else {name: found[name] for name in sorted(found, key=people.key)}

    @property
    def data_name(self) -> str:
        """What the data are called: names of their folders, without the way to them."""
        if self.is_phantom:
            return "phantom"
        return " + ".join(printable(folder.resolve().name) for folder in self.data)

    def _divide(self, split: str | os.PathLike | None) -> list[Fold]:
        """Folds of the patients; of each seed its own, one after the other, if the profile says."""
        profile = self.profile
        if split and profile.refold:
            raise ConfigError(
                f"the folds are those of {split}, so refold can make none; leave one of them out."
            )
        if split:
            found = folds_from_file(split, self.cases.values())
        else:
            people = self._subjects()
            first = profile.partition
            partitions = range(first, first + (profile.seeds if profile.refold else 1))
            found = [fold for p in partitions for fold in patient_folds(people, profile.folds, p)]
        found = [replace(fold, number=number) for number, fold in enumerate(found, start=1)]
        return [fold.inner() for fold in found] if profile.inner else found

    def _subjects(self) -> dict[str, str]:
        """Who is kept on one side of a fold, by scan."""
        people = subjects_of(self.cases.values())  # asks who is who, refuses copies
        return {name: name for name in people} if self.profile.leak == "scan" else people

    def _check_variants(self) -> None:
        """Refuse a variant that its network does not have, before any scan is read."""
        for network in self.profile.networks:
            if ":" in network:
                hashes.config(self, network, self.profile.size)

    def _phantom(self) -> Path:
        from ivdlib.phantom import make_phantom

        sizes, conditions = _drawn(self.profile)
        workers = min(sizes["subjects"] * sizes["stages"], provenance.cores())
        return make_phantom(
            phantom_folder(self.profile), **sizes, conditions=conditions, workers=workers
        )

    # --- what has been done ----------------------------------------------------------------

    @property
    def config(self) -> dict[str, Any]:
        """All that must be equal for results to stand in one table."""
        return {
            "profile": self._fixed(self.profile.to_dict()),
            "data": files.sha256_json(self.fingerprints),
            "folds": [{"number": f.number, "train": f.train, "test": f.test} for f in self.folds],
        }

    @property
    def digest(self) -> str:
        """Hash of `config`, of the profile only what differs from its defaults."""
        return files.sha256_json({**self.config, "profile": self._fixed(essence(self.profile))})

    def _fixed(self, profile: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of a profile that may not change under one name."""
        fixed = {k: v for k, v in profile.items() if k not in EXTENDABLE}
        if "training" in fixed:
            fixed["training"] = self.as_placed(fixed["training"])
        if "spine" in fixed:
            fixed["spine"] = self.as_widened(fixed["spine"])
        return {k: v for k, v in fixed.items() if v != {}}  # as `essence` leaves out such parts

    def _claim_folder(self, write: bool) -> None:
        """Write `record.json`, or refuse a folder that holds another experiment."""
        path = self.folder / "record.json"
        need_content(path)  # not to train again what was
        digest = self.digest
        if path.is_file():
            old = recorded.read_record(self.folder)
            if old.get("config_hash") == digest:
                return
            if any(self.folder.glob("trainings/*/*")) or (self.folder / "metrics.csv").exists():
                different = _differences(old["config"], self.config)
                raise ConfigError(
                    f"{self.folder} holds an experiment with another configuration ({different}); "
                    "choose another name, or delete that folder."
                )
        if write:
            files.write_json(path, recording.begun(self))

    def metrics(self) -> pd.DataFrame:
        """Every row scored so far, tidy: a row a case × contrast × disc or volume.

        Raises
        ------
        DataError
            If nothing has been scored yet.
        """
        places = [hashes.place_of(self, training) for training in self.trainings()]
        places += [hashes.spine_place(self, fold) for fold in self.folds]
        places += [hashes.place(self, hashes.reference_digest(self, fold)) for fold in self.folds]
        found = scores.join_scores(p / scores.METRICS for p in places if hashes.finished(p))
        if found is None:
            raise DataError(f"{self.folder} holds no results yet; run the grid first.")
        for column in ("subject", "stage"):  # as they are known now: subjects.csv may be corrected
            found[column] = [getattr(self.cases[name], column) for name in found["case"]]
        return found

    def label(self) -> str:
        """What stands below every table: data, profile, seeds."""
        seeds, discs = self.profile.seeds, self.profile.networks
        steps = self.profile.training.steps if discs else self.profile.spine.steps
        text = (
            f"{self.data_name}, profile {self.profile.name}, {len(self.cases)} scans, "
            f"{len(self.folds)} folds, {seeds} seed{'s' * (seeds > 1)}, "
            f"{steps} steps{'' if discs else ' of the spine network'}"
        )
        if self.profile.inner:
            text += ", INNER PATIENTS (for choices, no result)"
        if self.profile.leak != "none":
            text += f", {profiles.LEAKS[self.profile.leak]}"
        return text if self.profile.comparable else text + ", NOT COMPARABLE"


def phantom_folder(profile: Profile) -> Path:
    """Where the phantom of a profile lies, or will; it is whole if it holds ``phantom.csv``."""
    from ivdlib.phantom import VERSION
    from ivdlib.phantom.scanner import PLANE

    sizes, conditions = _drawn(profile)
    name = "phantom{}-{subjects}x{stages}x{slices}-seed{seed}".format(VERSION, **sizes)
    name += "" if sizes["in_plane"] == PLANE else "-plane{in_plane}".format(**sizes)
    return data_folder() / (name + (f"-swap{conditions.swap:g}" if conditions.swap else ""))


def _drawn(profile: Profile) -> tuple[dict[str, int], Conditions]:
    """Sizes and conditions of the phantom of a profile."""
    from ivdlib.phantom import Conditions

    sizes = asdict(profile.phantom)
    return sizes, Conditions(swap=sizes.pop("swap"))


def of_parameters(
    profile: str, data_dir: str = "", name: str = "", reports_dir: str = "", seeds: int = 0
) -> Experiment:
    """Open the experiment that the parameters of a lesson name.

    Parameters
    ----------
    profile : str
        See `profiles.PROFILES`.
    data_dir, name, reports_dir : str, optional
        As `data`, `name` and `reports` of `Experiment`; "" stands for its default, for `name` that
        of the profile.
    seeds : int, optional
        0 leaves it to the profile.
    """
    return Experiment(
        name or profile,
        profile,
        data_dir or None,
        overrides={"seeds": seeds} if seeds else None,
        reports=reports_dir or None,
    )


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> str:
    """Name what differs between two configurations, for an error message."""
    found = []
    for key in sorted(set(old) | set(new)):
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found.append(_differences(a, b, f"{prefix}{key}."))
        elif files.sha256_json(a) != files.sha256_json(b):
            short = len(str(a)) + len(str(b)) < 60
            found.append(f"{prefix}{key}: {a} there, {b} here" if short else f"{prefix}{key}")
    return "; ".join(text for text in found if text)
