"""Settings of the framework below Keras: compiler, threads, device (see also `quiet`)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import keras

from ivdlib.errors import ConfigError
from ivdlib.options import PRECISIONS


def kernels() -> str:
    """`fast`, or `plain` where the environment has ``IVDLIB_KERNELS=plain``.

    Plain kernels are the operations of Keras; fast ones give the same values and gradients, see
    `layers.kernels`.
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


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Build networks in a precision: maps in `name`, weights in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name if name == "float32" else f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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


def configure(threads: int | None = None, device: str | None = None) -> None:
    """Choose cores and device; call it before any network is built.

    Parameters
    ----------
    threads : int, optional
        Cores to use; default all.
    device : {"cpu", "gpu"}, optional
        Default: a GPU where the framework finds one.

    Raises
    ------
    ConfigError
        Where the values do not fit, no GPU is found, or a network has run already.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads is 1 or more, not {threads}.")
    if device not in {None, "cpu", "gpu"}:
        raise ConfigError(f"device is cpu or gpu, not {device!r}.")
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        _configure_tensorflow(threads, device)
    elif backend == "jax" and device == "cpu":
        import jax

        jax.config.update("jax_platforms", "cpu")
    elif backend == "torch":
        _configure_torch(threads, device)
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


def _configure_torch(threads: int | None, device: str | None) -> None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if device == "cpu" and has_gpu():  # Keras has chosen while it was imported
        raise ConfigError("on PyTorch, set KERAS_TORCH_DEVICE=cpu in place of --device cpu.")


def _configure_tensorflow(threads: int | None, device: str | None) -> None:
    import tensorflow as tf

    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(min(threads, 2))
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
    except RuntimeError as error:
        raise ConfigError("threads and device must be chosen before the first network.") from error


def _from_environment() -> None:
    """Take over what the command line of a parent process chose (`IVDLIB_THREADS`, `_DEVICE`)."""
    threads, device = os.environ.get("IVDLIB_THREADS"), os.environ.get("IVDLIB_DEVICE")
    if threads and not threads.isdigit():
        raise ConfigError(f"IVDLIB_THREADS is a number of cores, not {threads!r}.")
    if threads or device:
        configure(int(threads) if threads else None, device or None)


_from_environment()
