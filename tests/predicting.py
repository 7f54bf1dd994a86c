"""Call `predict` and look at what it wrote."""

import json
import shutil

import h5py

from ivdlib import cli
from ivdlib.networks import UNetConfig
from ivdlib.training import weights_file, weights_passport

CONFIG = UNetConfig(base=2, levels=1)


def predict(*arguments):
    """Masks and their records alone."""
    return cli.main(["predict", "--mask-only", *(str(a) for a in arguments)])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def with_passport(tiny_experiment, tmp_path, **changes):
    """A copy of the experiment, both of whose passports have these keys, or have them no more."""
    changes = {"checksum": None} | changes
    place = shutil.copytree(tiny_experiment, tmp_path / "trainings")
    for path in place.glob("*/*.h5"):
        with h5py.File(path, "a") as file:
            card = json.loads(file.attrs["ivdlib"]) | changes
            card = {k: v for k, v in card.items() if v is not None}
            file.attrs["ivdlib"] = json.dumps(card)
        if not weights_passport.SEALED.isdisjoint(card):
            weights_file.seal_weights(path, card)
    return place / "disc" / "model.weights.h5"
