"""What can go wrong, in one sentence each: what, where, and what to do.

Every error that a user can cause is an `IvdlibError`; the command line prints its message without a
traceback (`--debug` shows it) and exits with a non-zero status.
"""

import warnings


class IvdlibError(Exception):
    """Base of all errors that the package raises on purpose; the message is for the user."""


class DataError(IvdlibError):
    """A file or an image is missing, broken or inconsistent with the others."""


class ConfigError(IvdlibError):
    """A profile, parameter, configuration or experiment folder does not fit."""


class LeakageError(IvdlibError):
    """A patient stands on both sides of a split (paper, Sect. 3.2)."""


class DataWarning(UserWarning):
    """Something in the data was mended, derived or assumed; the message says what."""


class NothingFound(DataWarning):
    """A network found nothing: a mask is empty, or a region is the whole image."""


def _plainly(message, category, filename, lineno, line=None) -> str:
    """Write our own warnings as a sentence, without the place in the library that gave them."""
    if issubclass(category, DataWarning):
        return f"warning: {message}\n"
    return _python_format(message, category, filename, lineno, line)


_python_format = warnings.formatwarning
warnings.formatwarning = _plainly
