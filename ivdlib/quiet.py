"""Prepare TensorFlow at the moment it is imported: without its chatter, and steady.

TensorFlow's C++ side writes to the terminal while it loads, before any of its own switches works,
so the stream itself is set aside for that moment. A hook does it, because it is Keras that imports
TensorFlow, at a place that is not ours.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from types import ModuleType

STDERR = 2


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


class _Loader(importlib.abc.Loader):
    """Does what the loader of TensorFlow does, silently, and prepares the module."""

    def __init__(self, inner: importlib.abc.Loader) -> None:
        self.inner = inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with silence():
            self.inner.exec_module(module)
            _steady(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the loader of TensorFlow, once."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def install() -> None:
    """Wait for the import of TensorFlow, unless it has happened."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        sys.meta_path.insert(0, _Finder())
