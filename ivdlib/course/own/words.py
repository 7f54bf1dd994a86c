"""Arguments and results in a few words, for sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

FEW = 24
"""Numbers of an array that is written out."""


def words(value: Any) -> str:
    """A value as one would write it, as long as it is short; else what it is."""
    if callable(value):
        return getattr(value, "__name__", "a function")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {words(part)}" for key, part in value.items()) + "}"
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    array = _array(value)
    if isinstance(value, list | tuple) and (array is None or array.size > FEW):
        return f"[{', '.join(map(words, value[:FEW]))}{', …' * (len(value) > FEW)}]"
    if array is None or not array.ndim:
        return str(value) if array is None or array.dtype.kind != "f" else f"{float(array):.4g}"
    if array.size <= FEW:
        array = array.astype(int) if array.dtype.kind == "b" else array
        return np.array2string(array, precision=3, separator=", ").replace("\n", "")
    return f"an array of {' × '.join(map(str, array.shape))}"


def written_out(value: Any) -> bool:
    """Whether `words` tells a whole value, and not only what it is."""
    if isinstance(value, dict):
        return all(map(written_out, value.values()))
    array = _array(value)
    if isinstance(value, list | tuple) and (array is None or array.size > FEW):
        return len(value) <= FEW and all(map(written_out, value))
    return not callable(value) and (array is None or array.size <= FEW)


def result_in_words(found: Any, right: Any) -> str:
    """What is wrong with the kind or shape of a result; nothing where both are right."""
    if isinstance(right, dict):
        if not isinstance(found, dict):
            return f"return a dict, not {_kind(found)}"
        lacking, odd = right.keys() - found.keys(), found.keys() - right.keys()
        told = [f"lacks {', '.join(map(repr, sorted(lacking, key=str)))}"] if lacking else []
        told += [f"should not have {', '.join(map(repr, sorted(odd, key=str)))}"] if odd else []
        return f"the dict {' and '.join(told)}" if told else ""
    ours, theirs = _array(right), _array(found)
    if ours is None:
        fits = isinstance(found, type(right))
        return "" if fits else f"return {_kind(right)}, not {_kind(found)}"
    if theirs is None:
        return f"return {_kind(right)}, not {_kind(found)}"
    if ours.shape != theirs.shape:
        return f"the result should be {_kind(right)}, and is {_kind(found)}"
    if ours.dtype.kind == "b" != theirs.dtype.kind:
        return "the result should hold True and False, not numbers"
    if not np.isfinite(theirs.astype(float)).all() and np.isfinite(ours.astype(float)).all():
        return "the result holds NaN or infinity: something is divided by zero"
    return ""


def _array(value: Any) -> np.ndarray | None:
    """A value as an array of numbers or truth values; None if it is none."""
    if isinstance(value, str | set | frozenset | dict) or value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" else None


def _kind(value: Any) -> str:
    array = _array(value)
    if array is None:
        return f"a {type(value).__name__}"
    if not array.ndim:
        return "a truth value" if array.dtype.kind == "b" else "a number"
    return f"an array of shape {array.shape}"
