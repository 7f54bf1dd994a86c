"""Base of the networks' configurations: plain values, to and from JSON."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Self

from ivdlib.errors import checked

LATER = {"later": True}
"""Metadata of a field that came when hashes and records were there already: at its default, which
does as before, it is not written."""


@checked
class NetworkConfig:
    """What a network is made of; lists become tuples, so that it can be compared and hashed."""

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON knows them: tuples become lists; see `LATER`."""
        silent = {f.name for f in fields(self)
                  if f.metadata.get("later") and getattr(self, f.name) == f.default}  # fmt: skip
        return {k: _listed(value) for k, value in asdict(self).items() if k not in silent}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration from `to_dict`'s answer; missing fields take their defaults.

        Raises
        ------
        ConfigError
            For a field that the network does not have, or values that do not fit.
        """
        return cls(**values)


def _listed(value: Any) -> Any:
    return [_listed(v) for v in value] if isinstance(value, list | tuple) else value
