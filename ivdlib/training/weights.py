"""Weights files: a network and its passport, written and read (`*.weights.h5`, never a pickle)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import networks
from ivdlib.errors import DataError, DataWarning, memory_full
from ivdlib.files import atomic, need_room
from ivdlib.training import likeness, weights_file, weights_passport
from ivdlib.training.shipped import WEIGHTS

if TYPE_CHECKING:
    import keras


@dataclass
class Network:
    """A trained network and what it needs to be used.

    Attributes
    ----------
    model : keras.Model
        Takes (batch, AP, SI, 1), gives probabilities of the same shape.
    passport : dict
        `network`, `config`, `tile`, `images`, and more; see `save_weights`.
    """

    model: keras.Model
    passport: dict[str, Any]


def save_weights(
    model: keras.Model, path: str | os.PathLike, card: Mapping[str, Any], *, half: bool = False
) -> dict[str, Any]:
    """Write weights together with their passport; `path` ends with ``.weights.h5``.

    Parameters
    ----------
    model : keras.Model
    path : path
    card : mapping
        The passport; what may stand in it, see `weights_passport.ALLOWED`.
    half : bool, default False
        Keep kernels as float16, for weights that are sent about; see `weights_file.halve`.

    Returns
    -------
    dict
        The passport as it is in the file, with a checksum of the weights.

    Raises
    ------
    DataError
        If the weights are not finite or too large for `half`, or the passport says what cannot be.
    """
    from ivdlib.networks.structure import layers_of  # here the framework is started

    card = json.loads(json.dumps(dict(card)))
    weights_passport.check_passport(card, path)
    weights_passport.config_in(card, path)
    need_room(path, 4 * model.count_params())
    with atomic(path) as temporary:
        model.save_weights(temporary)
        if half:
            weights_file.halve(temporary)
        try:
            layers = layers_of(model)
        except TypeError:  # a network that somebody has added: Keras alone can run it
            layers = []
        return weights_file.seal_weights(temporary, card, layers)


def load_model(path: str | os.PathLike, *, quiet: bool = False) -> Network:
    """Build the network that a weights file names and load its weights, whatever its ending.

    Parameters
    ----------
    path : path
    quiet : bool, default False
        Leave it to the caller to say that the passport is old.

    Raises
    ------
    DataError
        If the file is missing, damaged, was not written by `save_weights`, or its passport says
        what cannot be.

    Warns
    -----
    DataWarning
        If the passport is older than checksums and voxel sizes, see `likeness.older`.
    """
    card, shapes = weights_file.read_passport(path)
    from ivdlib.networks.backend import jit_compile, policy  # here the framework is started

    with policy():
        model = _built(path, card, shapes)
        model.compile(jit_compile=jit_compile())
    if not quiet and (old := likeness.older({path: card})):
        warnings.warn(old, DataWarning, stacklevel=2)
    return Network(model, card)


def _built(path: str | os.PathLike, card: Mapping[str, Any], shapes: list) -> keras.Model:
    """Build the network of a passport and load its weights."""
    shape = (*card["tile"], card.get("channels", 1))
    try:
        config = weights_passport.config_in(card, path)
        if _planned(card["network"], config, shape) != sorted(shapes):
            raise weights_file.damaged(
                path, "the network of its passport does not fit the numbers in the file"
            )
        model = networks.build(card["network"], config, shape)
        with _as_weights_h5(Path(path)) as named:
            model.load_weights(named)
    except Exception as error:  # Keras and h5py raise every kind
        if memory_full(error) or isinstance(error, DataError):
            raise
        raise weights_file.damaged(path, error) from error
    return model


def _planned(network: str, config: Any, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of a network's weights, sorted, without making them: they might fill memory."""
    import keras

    from ivdlib.networks.backend import policy

    def plan() -> list[tuple[int, ...]]:
        with policy(), keras.StatelessScope(initialize_variables=False):
            return sorted(tuple(w.shape) for w in networks.build(network, config, shape).weights)

    # Keras keeps a list of what was not made yet, and makes it all with the next network. Each
    # thread has a list of its own, which ends with it.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(plan).result()


@contextmanager
def _as_weights_h5(path: Path) -> Iterator[Path]:
    """Give weights under a name by which Keras knows their kind; it goes by the ending alone."""
    if path.name.endswith(".weights.h5"):
        yield path
        return
    with tempfile.TemporaryDirectory() as place:
        named = Path(place, WEIGHTS)
        try:
            named.symlink_to(path.absolute())
        except OSError:  # Windows lets not everybody make links
            shutil.copyfile(path, named)
        yield named
