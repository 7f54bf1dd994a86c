"""Whether a value out of JSON is of the shape that its reader needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 2**63
"""What no number of a record comes to."""


def misfit(value: Any, shape: Any, where: str = "it") -> str:
    """Say which part of a value out of JSON is missing or of another kind; "" if none is.

    Parameters
    ----------
    value : any
    shape : any
        A type (`float` is any finite number, `int` a whole one, `object` anything); None; a tuple
        of shapes, of which one must fit; a list of one shape, that of every item; a function that
        says whether a value fits; a mapping of keys to shapes, in which `...` stands for all other
        keys and a key that ends in ``!`` must be there.
    where : str
        What the value is called.
    """
    if isinstance(shape, tuple):
        return where if all(misfit(value, one) for one in shape) else ""
    if isinstance(shape, list) and isinstance(value, list):
        parts = [(f"{where}[{k}]", one, shape[0]) for k, one in enumerate(value)]
    elif isinstance(shape, Mapping) and isinstance(value, Mapping):
        known = {str(key).rstrip("!"): inner for key, inner in shape.items() if key is not ...}
        for key in shape:
            if key is not ... and key.endswith("!") and key[:-1] not in value:
                return f"{where}.{key[:-1]}".removeprefix("it.")
        rest = shape.get(..., object)
        parts = [(f"{where}.{key}", one, known.get(key, rest)) for key, one in value.items()]
    else:
        return "" if _fits(value, shape) else where.removeprefix("it.")
    odd = (misfit(one, inner, name.removeprefix("it.")) for name, one, inner in parts)
    return next(filter(None, odd), "")


def _fits(value: Any, shape: Any) -> bool:
    if shape is None:
        return value is None
    if shape is float:
        return isinstance(value, int | float) and type(value) is not bool and abs(value) < _MOST
    if shape is int:
        return isinstance(value, int) and type(value) is not bool and abs(value) < _MOST
    return isinstance(value, shape) if isinstance(shape, type) else callable(shape) and shape(value)
