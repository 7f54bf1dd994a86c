"""Settings of the framework below Keras: compiler, threads, device (see also `quiet`)."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Iterator

import keras

from ivdlib.errors import ConfigError
from ivdlib.options import PRECISIONS

WHOLE = ("float32", "float64")
"""Precisions that maps and weights share."""

GPU_SHARE = 0.75
"""Of a GPU's memory that trainings side by side divide, as JAX alone takes; the rest is for what
each process needs beside its arrays, some hundred megabytes."""

TOO_LATE = "threads and device must be chosen before the first network; start Python again."

_JAX_SHARES = ("XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION")


def kernels() -> str:
    """`fast`, or `plain` where the environment has ``IVDLIB_KERNELS=plain``.

    Plain kernels are the operations of Keras; fast ones give the same values and gradients, see
    `fast`.
    """
    return "plain" if os.environ.get("IVDLIB_KERNELS") == "plain" else "fast"


def precision(wanted: str = "auto") -> str:
    """Precision of the maps in a training step; weights and statistics are always float32.

    ``auto`` is bfloat16 on a GPU that has units for it, else float32: on the CPU it was measured
    on, bfloat16 saved no time (`benchmarks/train_step.py`).

    Raises
    ------
    ConfigError
        For a name that is none of `PRECISIONS`.
    """
    if wanted not in PRECISIONS:
        raise ConfigError(f"precision is one of {', '.join(PRECISIONS)}, not {wanted!r}.")
    if wanted != "auto":
        return wanted
    return "bfloat16" if has_gpu() and _has_bfloat16() else "float32"


@functools.cache
def _need_device() -> None:
    """Refuse a device that a variable of the environment asks for and that is not here."""
    asked = [name for name in ("KERAS_TORCH_DEVICE", "JAX_PLATFORMS") if os.environ.get(name)]
    if not asked:
        return
    try:
        keras.ops.zeros(1) + keras.random.uniform((1,), seed=0)
    except (RuntimeError, AssertionError) as error:
        said = str(error).splitlines()[0][:150].rstrip(". ")
        raise ConfigError(
            f"{keras.backend.backend()} cannot compute where {' and '.join(asked)} says ({said}); "
            "name another device there, or none."
        ) from error


@contextlib.contextmanager
def policy(name: str = "float32") -> Iterator[None]:
    """Build and run networks in a precision: maps in `name`, weights and the rest in float32.

    All else that keras.json, the environment or a notebook sets for every network of Keras is as
    Keras has it by itself within the block, and as it was after it. So it is in a decorated
    function.
    """
    _need_device()
    config = keras.config
    states = {
        config.set_floatx: (config.floatx(), "float32"),
        config.set_image_data_format: (config.image_data_format(), "channels_last"),
        config.set_epsilon: (config.epsilon(), 1e-7),
        config.set_max_epochs: (config.max_epochs(), None),
        config.set_max_steps_per_epoch: (config.max_steps_per_epoch(), None),
        config.set_dtype_policy: (
            config.dtype_policy(), name if name in WHOLE else f"mixed_{name}"
        ),
    }  # fmt: skip
    for put, (_, value) in states.items():
        put(value)
    try:
        yield
    finally:
        for put, (before, _) in states.items():
            put(before)


def _has_bfloat16() -> bool:
    """Whether the first GPU computes in bfloat16: NVIDIA's from compute capability 8.0 on."""
    name = keras.backend.backend()
    if name == "torch":
        import torch

        return torch.cuda.is_bf16_supported()
    if name == "jax":
        import jax

        capability = getattr(jax.devices()[0], "compute_capability", "0.0")
        return float(capability) >= 8.0
    import tensorflow as tf

    gpu = tf.config.get_visible_devices("GPU")[0]
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0)) >= (8, 0)


def jit_compile() -> bool | str:
    """Compiler switch for `Model.compile`.

    XLA makes a training step on a CPU ten times slower than TensorFlow's own kernels, so it is
    never used there. JAX has no other way to compile a step; PyTorch runs as it is.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return True
    if backend == "tensorflow":
        import tensorflow as tf

        return "auto" if tf.config.get_visible_devices("GPU") else False
    return False


def configure(threads: int | None = None, device: str | None = None, processes: int = 1) -> None:
    """Choose cores and device; call it before any network is built.

    Parameters
    ----------
    threads : int, optional
        Cores to use; default all.
    device : {"cpu", "gpu"}, optional
        Default: a GPU where the framework finds one.
    processes : int, default 1
        So many share each GPU: its memory is divided, and taken only as it is needed.

    Raises
    ------
    ConfigError
        If the values do not fit, no GPU is found, or a network has run already.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads is 1 or more, not {threads}.")
    if device not in {None, "cpu", "gpu"}:
        raise ConfigError(f"device is cpu or gpu, not {device!r}.")
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    backend = keras.backend.backend()
    {"tensorflow": _configure_tensorflow, "jax": _configure_jax, "torch": _configure_torch}[
        backend
    ](threads, device, GPU_SHARE / processes if processes > 1 else None)
    if device == "gpu" and not has_gpu():
        raise ConfigError(
            f"no GPU is visible to {backend}; leave --device out, or say --device cpu."
        )


def has_gpu() -> bool:
    """Whether the framework sees a GPU."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.get_visible_devices("GPU"))
    if backend == "jax":
        import jax

        return any(d.platform != "cpu" for d in jax.devices())
    import torch

    return torch.cuda.is_available() and os.environ.get("KERAS_TORCH_DEVICE") != "cpu"


def _configure_torch(threads: int | None, device: str | None, share: float | None) -> None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if device == "cpu" and has_gpu():  # Keras has chosen while it was imported
        raise ConfigError("on PyTorch, set KERAS_TORCH_DEVICE=cpu in place of --device cpu.")
    if share and has_gpu():
        for number in range(torch.cuda.device_count()):
            torch.cuda.set_per_process_memory_fraction(share, number)


def _configure_jax(threads: int | None, device: str | None, share: float | None) -> None:
    import jax
    from jax._src.xla_bridge import backends_are_initialized  # there is no public word for it

    wanted: dict[str, str] = {}
    if threads is not None:
        wanted["PJRT_NPROC"] = str(threads)  # all that XLA on the CPU heeds, but for affinity
    if share:
        wanted["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        if not any(name in os.environ for name in _JAX_SHARES):
            wanted[_JAX_SHARES[0]] = f"{share:.3f}"
    on_cpu = device == "cpu" and jax.config.jax_platforms != "cpu"
    if any(os.environ.get(name) != value for name, value in wanted.items()) or on_cpu:
        if backends_are_initialized():
            raise ConfigError(TOO_LATE)
        os.environ.update(wanted)
    if on_cpu:
        jax.config.update("jax_platforms", "cpu")


def _configure_tensorflow(threads: int | None, device: str | None, share: float | None) -> None:
    import tensorflow as tf

    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(min(threads, 2))
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        gpus = tf.config.get_visible_devices("GPU") if share else []
        if gpus:
            os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
        for gpu in gpus if (total := _gpu_megabytes()) else []:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=int(share * total))
            tf.config.set_logical_device_configuration(gpu, [limit])
    except RuntimeError as error:
        raise ConfigError(TOO_LATE) from error


def _gpu_megabytes() -> int:
    """Memory of the smallest GPU; 0 where the driver does not tell."""
    words = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return min(map(int, said.split()), default=0)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def _from_environment() -> None:
    """Take over what a parent process chose (`IVDLIB_THREADS`, `_DEVICE`, `_PROCESSES`)."""
    threads, device = os.environ.get("IVDLIB_THREADS"), os.environ.get("IVDLIB_DEVICE")
    processes = os.environ.get("IVDLIB_PROCESSES") or "1"
    for name, text, what in (("THREADS", threads, "cores"), ("PROCESSES", processes, "processes")):
        if text and not text.isdigit():
            raise ConfigError(f"IVDLIB_{name} is a number of {what}, not {text!r}.")
    if threads or device or processes != "1":
        configure(int(threads) if threads else None, device or None, int(processes))


_from_environment()
