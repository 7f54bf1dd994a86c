"""Base of the networks' configurations: plain values, to and from JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from ivdlib.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig:
    """What a network is made of; lists become tuples, so that it can be compared and hashed."""

    def __post_init__(self) -> None:
        """Freeze lists to tuples, then check the values."""
        for field in fields(self):
            object.__setattr__(self, field.name, _tupled(getattr(self, field.name)))
        self.check()

    def check(self) -> None:
        """Refuse values that do not fit together.

        Raises
        ------
        ConfigError
            Says which field and what it may be.
        """

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON knows them: tuples become lists."""
        return {key: _listed(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a configuration from `to_dict`'s answer; missing fields take their defaults.

        Raises
        ------
        ConfigError
            For a field that the network does not have, or values that do not fit.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ConfigError(
                f"{cls.__name__} has no field {', '.join(unknown)}; it has {', '.join(known)}."
            )
        return cls(**values)

    def one_of(self, field: str, allowed: Sequence[Any]) -> None:
        """Raise ConfigError unless the value of `field` is among `allowed`."""
        value = getattr(self, field)
        if value not in allowed:
            raise ConfigError(
                f"{type(self).__name__}.{field} is {value!r}; it may be "
                f"{', '.join(map(repr, allowed))}."
            )

    def positive(self, *names: str) -> None:
        """Raise ConfigError unless the numbers in the fields `names` are all above zero."""
        for name in names:
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"{type(self).__name__}.{name} is {getattr(self, name)}; it must be positive."
                )


def _tupled(value: Any) -> Any:
    return tuple(_tupled(v) for v in value) if isinstance(value, list | tuple) else value


def _listed(value: Any) -> Any:
    return [_listed(v) for v in value] if isinstance(value, list | tuple) else value
