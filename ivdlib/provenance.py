"""What made a result (versions, device, time), and where data and results lie.

A result without its record is not a result. Data and reports lie in the checkout that one stands
in, else in the present folder; what comes with ivdlib lies in the checkout, else in the package.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tomllib
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ivdlib.errors import ConfigError, printable
from ivdlib.files import folder

PACKAGES = (
    "ivdlib", "keras", "tensorflow", "jax", "torch", "openvino", "numpy", "scipy", "scikit-learn",
    "nibabel",
)  # fmt: skip
"""Packages whose versions can change a number."""

REPLACED: dict[str, str] = {}
"""Parts of the library that something else stands for at the moment, with a hash of that: part of
the hash of every training, see `ivdlib.course.own`."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed; nothing is imported."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        for build in (name, f"{name}-cpu"):  # tensorflow-cpu is TensorFlow without CUDA
            with suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(build)
    return found


def processor() -> str:
    """Name of the processor and the number of cores this process may use."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        said = re.search(r"^model name\s*:(.*)", _system("/proc/cpuinfo"), re.MULTILINE)
        name = said[1].strip() if said else name
    return f"{name}, {cores()} cores"


def _system(path: str) -> str:
    """What the system says of itself in a file."""
    return Path(path).read_text(encoding="utf-8")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes of memory that a process can still get; None if the system does not say."""
    found = []
    with suppress(OSError, ValueError):
        said = re.findall(r"^MemAvailable:\s*(\d+)", _system("/proc/meminfo"), re.MULTILINE)
        found += [int(kilobytes) * 1024 for kilobytes in said]
        found.append(int(_system("/sys/fs/cgroup/memory.max")))  # of a container, or "max"
    return min(found, default=None)


def device() -> str:
    """Where the networks run; asks the framework only where it is loaded already."""
    if sys.modules.get("keras") is None:
        return processor()
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        details = map(
            tf.config.experimental.get_device_details, tf.config.get_visible_devices("GPU")
        )
        gpus = [str(one.get("device_name", "GPU")) for one in details]
    elif backend == "jax":
        import jax

        gpus = [str(d.device_kind) for d in jax.devices() if d.platform != "cpu"]
    else:
        import torch

        on_cpu = os.environ.get("KERAS_TORCH_DEVICE") == "cpu"
        count = 0 if on_cpu else torch.cuda.device_count()
        gpus = [torch.cuda.get_device_name(i) for i in range(count)]
    return f"{backend} on " + (", ".join(gpus) if gpus else processor())


def record(**fields: Any) -> dict[str, Any]:
    """Stamp `fields` with the time, the versions and the device."""
    return {
        **fields,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "device": device(),
    }


LONGEST_NAME = 100
"""Letters of a name that becomes a folder's, and a part of longer names."""


FIRST_LESSON = "00_start_here.py"
"""Source of the first lesson."""


_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows keeps for itself."""


def checkout() -> Path | None:
    """The checkout of ivdlib that one stands in; None outside, and in that of another project."""
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if _is_ours(place)), None)


def _is_ours(place: Path) -> bool:
    """Whether `pyproject.toml` is ivdlib's, or a copy without it holds our lessons' sources."""
    notebooks = place / "notebooks"
    try:
        about = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = (place / "environment.yml", notebooks / "src" / FIRST_LESSON)
        return all(path.is_file() for path in there)
    except (OSError, ValueError):
        return False
    project = about.get("project")
    named = isinstance(project, dict) and project.get("name") == "ivdlib"
    return named and notebooks.is_dir()


def root() -> Path:
    """The checkout that one stands in, else the present folder.

    So a notebook opened from `notebooks/` and a command given at the top find the same folders.
    """
    return checkout() or Path.cwd()


PACKED = Path(__file__).with_name("packed")
"""What the installed package has of the checkout, see `brought`."""


def brought(name: str) -> Path:
    """Where something lies that comes with ivdlib besides code: lessons, declared experiments.

    In the checkout that one stands in; else in the package, into which it is packed when that is
    built, or in the checkout that the package is run from.

    Parameters
    ----------
    name : str
        Its path within the checkout, such as ``"notebooks/src"``. It need not be there.
    """
    home = checkout() or (PACKED if PACKED.is_dir() else PACKED.parents[1])
    return home / name


def sound_name(name: str) -> str:
    """Give a name for a folder that every system can have and every reader can tell from others.

    Raises
    ------
    ConfigError
        If it is none: empty, too long, with signs that do not print or that paths are made of,
        with a point, dash or blank at its ends, a device of Windows, or with signs such as the
        wide letters of Unicode, which look like plain ones.
    """
    if (
        not name
        or len(name.encode(errors="replace")) > LONGEST_NAME
        or not name.isprintable()
        or set(name) & set('/\\<>:"|?*')
        or name[0] in ".- "
        or name[-1] in ". "
        or _DEVICE.fullmatch(name)
        or unicodedata.normalize("NFKC", name) != name
    ):
        raise ConfigError(
            f"{printable(name)[:LONGEST_NAME]!r} is no name for an experiment; use up to "
            f"{LONGEST_NAME} letters, digits, - and _, and begin with a letter or digit."
        )
    return name


def data_folder() -> Path:
    """Folder for data, made if there is none."""
    return folder(root() / "data")


def reports_folder() -> Path:
    """Folder for experiments, made if there is none."""
    return folder(root() / "reports")
