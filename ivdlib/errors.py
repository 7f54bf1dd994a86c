"""What can go wrong, in one sentence each: what, where, and what to do.

Every error that a user can cause is an `IvdlibError`; the command line prints its message without a
traceback (`--debug` shows it) and exits with a non-zero status.
"""


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
