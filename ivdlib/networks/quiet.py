"""Prepare Keras and TensorFlow at the moment they are imported: explained, without chatter, steady.

Keras fails on a setting of the user that cannot be, deep within; here that is a sentence that names
its place. TensorFlow's C++ side writes to the terminal while it loads, before any of its own
switches works, so the stream itself is set aside for that moment. A hook does both, because they
are imported at places that are not ours: TensorFlow by Keras, Keras by notebooks.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

from ivdlib.errors import ConfigError

STDERR = 2

lean = False
"""Whether Keras is started without `UNUSED`: by commands, for notebooks may want all of it."""

UNUSED = ("sklearn", "matplotlib", "pandas")
"""What Keras loads if it is there, for wrappers, pictures and tables that no command hands to it: a
third of its start."""

BACKENDS = ("tensorflow", "jax", "torch")
"""Backends of Keras on which networks are trained."""


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what C++ code writes to the error stream; show it only where the block fails."""
    try:
        keep = os.dup(STDERR)
    except OSError:  # no such stream, e.g. in a windowed Python
        yield
        return
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), STDERR)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(keep, aside.read())
            raise
        finally:
            os.dup2(keep, STDERR)
            os.close(keep)


def _steady(tensorflow: ModuleType) -> None:
    """Look for devices while it is silent, and switch off a rewriting of graphs.

    With TensorFlow 2.21 and its oneDNN kernels a training step of DeepLabv3+ ended in `free():
    invalid pointer`; without the "remapping" of the graph it did not, and the step is as fast.
    """
    tensorflow.config.list_physical_devices()
    tensorflow.get_logger().setLevel("ERROR")
    tensorflow.config.optimizer.set_experimental_options({"remapping": False})


@contextlib.contextmanager
def _quiet_tensorflow(module: ModuleType) -> Iterator[None]:
    # Without AVX-512 TensorFlow leaves oneDNN off, and with it the op of `fast.dilated_depthwise`.
    # With some packages beside it, it reads this while it is imported.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with silence():
        yield
        _steady(module)


@contextlib.contextmanager
def _lean() -> Iterator[None]:
    """Let `UNUSED` seem missing, but for what is loaded already."""
    hidden = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def _explained_keras(_: ModuleType) -> Iterator[None]:
    need_backend()
    try:
        with _lean() if lean else contextlib.nullcontext():
            yield
    except MemoryError:
        raise
    except Exception as error:  # of many kinds: its own, of JSON, of the backend
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        read = [str(path)] if (path := keras_json()).exists() else []
        read += sorted(name for name in os.environ if name.startswith("KERAS_"))
        raise ConfigError(
            f"Keras does not start ({said}); mend or remove what it reads: "
            f"{', '.join(read) or 'nothing but its own installation, so install it again'}."
        ) from error


def keras_json() -> Path:
    """The file of settings that Keras reads while it is imported; found as Keras finds it."""
    home = os.path.expanduser("~")
    base = home if os.access(home, os.W_OK) else "/tmp"
    return Path(os.environ.get("KERAS_HOME", os.path.join(base, ".keras"))) / "keras.json"


def has_framework() -> bool:
    """Whether Keras and a backend on which it trains are installed; loads nothing."""
    installed = [name for name in ("keras", *BACKENDS) if importlib.util.find_spec(name)]
    return installed[:1] == ["keras"] and len(installed) > 1


def need_backend() -> None:
    """Refuse a backend of Keras that is unknown or not installed; loads nothing.

    Raises
    ------
    ConfigError
        Names the variable or the file that asks for it.
    """
    name: Any = os.environ.get("KERAS_BACKEND")
    where = "the variable KERAS_BACKEND"
    if not name:
        where = str(path := keras_json().expanduser())
        try:
            name = json.loads(path.read_text()).get("backend", BACKENDS[0])
        except (OSError, ValueError, AttributeError):  # Keras takes its own, or fails with reason
            name, where = BACKENDS[0], "the default"
    if name not in BACKENDS:
        raise ConfigError(
            f"{where} asks for {name!r} as the backend of Keras, and networks run on "
            f"{', '.join(BACKENDS)}; name one of these there, or none."
        )
    if importlib.util.find_spec(name) is None:
        extra = "cpu" if name == "tensorflow" else name
        raise ConfigError(
            f"{where} asks for {name} as the backend of Keras, which is not installed; install it "
            f"with: pip install 'ivdlib[{extra}]', or set KERAS_BACKEND to another."
        )


PREPARED: dict[str, Callable[[ModuleType], AbstractContextManager]] = {
    "tensorflow": _quiet_tensorflow,
    "keras": _explained_keras,
}


class _Loader(importlib.abc.Loader):
    """Does what the loader of a module does, within what prepares the module."""

    def __init__(self, name: str, inner: importlib.abc.Loader) -> None:
        self.name, self.inner = name, inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with PREPARED[self.name](module):
            self.inner.exec_module(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the loaders of modules that are prepared."""

    def find_spec(self, name, path=None, target=None):
        if name not in PREPARED:
            return None
        sys.meta_path.remove(self)  # it asks the others
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None and spec.loader is not None and not isinstance(spec.loader, _Loader):
            spec.loader = _Loader(name, spec.loader)
        return spec


def install() -> None:
    """Wait for their imports, unless these have happened."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _Finder())
