"""Parameters of a lesson: read from its notebook, checked before a kernel starts."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ivdlib.errors import ConfigError
from ivdlib.files import readable
from ivdlib.report import edits

TYPES = {"str": str, "int": int, "float": float, "bool": bool}
"""Types that a parameter of a lesson can have."""


@dataclass(frozen=True)
class Parameter:
    """One line of the cell tagged `parameters`; `type` is one of `TYPES`."""

    name: str
    type: str
    default: Any

    def __str__(self) -> str:
        return f"{self.name}: {self.type} = {self.default!r}"


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """Parameters that a notebook takes, by name.

    Read with `ast`: papermill's own inspection loses a line with a second `=` in its comment.

    Raises
    ------
    ConfigError
        If the parameters are not plain `name: type = value` lines.
    """
    cells = edits.opened(notebook).cells
    source = "\n".join(c.source for c in cells if "parameters" in c.metadata.get("tags", []))
    found = {}
    try:
        for line in ast.parse(source).body:
            if isinstance(line, ast.AnnAssign):
                target, kind = line.target, ast.unparse(line.annotation)
                default = ast.literal_eval(line.value)
            elif isinstance(line, ast.Assign):
                target, default = line.targets[0], ast.literal_eval(line.value)
                kind = type(default).__name__
            else:
                continue
            found[target.id] = Parameter(target.id, kind, default)
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"the parameters of {notebook.name} cannot be read ({error}); "
            "write them as plain lines such as: seeds: int = 3"
        ) from error
    return found


def checked_values(notebook: Path, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a notebook's parameters, in the types that it asks for.

    Parameters
    ----------
    notebook : path
    parameters : mapping
        Values by name; text from a command line is brought to the type, as `"3"` for an `int`.

    Raises
    ------
    ConfigError
        If a name is unknown or a value does not fit its type.
    """
    known = parameters_of(notebook)
    for name, value in parameters.items():
        if name not in known:
            listed = ", ".join(map(str, known.values())) or "none at all"
            raise ConfigError(f"{notebook.stem} has no parameter {name!r}; it takes {listed}.")
        if isinstance(value, str) and (text := readable(value)) != value:
            raise ConfigError(
                f"parameter {name} is {text}, which is not UTF-8, so no notebook can hold it; "
                "rename that folder."
            )
    return {name: _typed(known[name], value, notebook) for name, value in parameters.items()}


def _typed(parameter: Parameter, value: Any, notebook: Path) -> Any:
    kind = TypeAdapter(TYPES.get(parameter.type, Any))
    try:
        if isinstance(value, str) and parameter.type in ("int", "bool"):
            return kind.validate_json(value.strip().lower(), strict=True)  # "1.0" is no int
        return kind.validate_python(value, strict=not isinstance(value, str))
    except ValidationError as error:
        raise ConfigError(
            f"parameter {parameter.name} of {notebook.stem} is of type {parameter.type}, "
            f"and {value!r} is not; its default is {parameter.default!r}."
        ) from error
