"""What made a result: versions, device, time. A result without its record is not a result."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

PACKAGES = (
    "ivdlib", "keras", "tensorflow", "jax", "torch", "numpy", "scipy", "scikit-learn", "nibabel"
)  # fmt: skip
"""Packages whose versions can change a number."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed; nothing is imported."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Name of the processor and the number of cores this process may use."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            names = [
                line.split(":", 1)[1].strip() for line in stream if line.startswith("model name")
            ]
    except OSError:
        names = []
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {cores()} cores"


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes of memory that a process can still get; None where the system does not say."""
    found = []
    try:
        with open("/proc/meminfo", encoding="utf-8") as stream:
            found += [int(x.split()[1]) * 1024 for x in stream if x.startswith("MemAvailable")]
        with open("/sys/fs/cgroup/memory.max", encoding="utf-8") as stream:  # of a container
            found += [int(limit) for limit in stream if limit.strip() != "max"]
    except (OSError, ValueError):
        pass
    return min(found, default=None)


def device() -> str:
    """Where the networks run; asks the framework only where it is loaded already."""
    if "keras" not in sys.modules:
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
