"""What parts of ivdlib need beyond its core, and the sentence for whoever has not installed it.

Extras with a sentence of their own, such as `dicom`, say it where they are used.
"""

from __future__ import annotations

import importlib.util

from ivdlib.errors import ConfigError

MODULES = {
    "training": ("keras", "sklearn"),
    "report": ("nbformat", "nbconvert", "bs4", "nh3", "weasyprint", "ziamath"),
    "lessons": (
        *("papermill", "jupyterlab", "ipykernel", "ipywidgets", "jupyter_client", "nbclient"),
        *("jupytext", "anywidget", "traitlets"),
    ),
}
"""Modules of each extra; a test holds them in step with pyproject.toml."""

BROUGHT_ALONG = {"IPython": "lessons", "pygments": "report"}
"""Modules that a package of an extra brings, and ivdlib imports too."""

_INSTALLED_BY = {"training": "cpu", "lessons": "cpu"}
"""What to install in place of an extra: with these two alone comes no framework, and few lessons do
without."""


def need(*names: str) -> None:
    """Refuse to begin without these extras; loads nothing.

    Raises
    ------
    ConfigError
        Names the first module that is missing, and the extra that brings it.
    """
    for name in names:
        for module in MODULES[name]:
            if importlib.util.find_spec(module) is None:
                raise ConfigError(_sentence(module, name))


def lacking(error: Exception) -> str:
    """What to install if this error is the failed import of what an extra brings, else ""."""
    module = ((error.name or "") if isinstance(error, ImportError) else "").partition(".")[0]
    extra = BROUGHT_ALONG.get(module) or next((n for n, m in MODULES.items() if module in m), "")
    return _sentence(module, extra) if extra else ""


def _sentence(module: str, extra: str) -> str:
    return (
        f"this needs {module}, which is not installed; install it with: "
        f"pip install 'ivdlib[{_INSTALLED_BY.get(extra, extra)}]'."
    )
