"""Settings of the framework below Keras: compiler, threads, device (see also `quiet`)."""

from __future__ import annotations

import os

import keras

from ivdlib.errors import ConfigError


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
    elif backend == "torch" and threads is not None:
        import torch

        torch.set_num_threads(threads)
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

    return torch.cuda.is_available()


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
    if threads or device:
        configure(int(threads) if threads else None, device or None)


_from_environment()
