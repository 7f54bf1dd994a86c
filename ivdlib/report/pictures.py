"""Pictures that cost more to draw than a page bears are left out."""

from __future__ import annotations

import io
import re
import urllib.request
import warnings
from contextlib import suppress
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from PIL import Image

from ivdlib.report.headings import PICTURE

_KINDS = ("PNG", "JPEG", "GIF", "WEBP")
MOST, ALL = 25_000_000, 250_000_000
"""Pixels of a picture, and of all of a page."""
ELEMENT = 1250
"""Pixels that are as much work as an element of a drawing (SVG)."""


def bound(soup: BeautifulSoup) -> None:
    """Put the alternative text in place of pictures that come from elsewhere, or cost too much."""
    left = ALL
    for tag in soup.find_all("img"):
        with suppress(Exception):  # of many kinds: it is no picture, or a bomb
            left -= _cost(str(tag.get("src", "")))
            if left >= 0:
                continue
        tag.replace_with(tag.get("alt") or PICTURE)


def _cost(address: str) -> int:
    """Work that a picture is, in pixels; raises errors of many kinds if it is too much."""
    kind, found, data = address.partition(",")
    if not found or not kind.startswith("data:image/"):
        raise ValueError("no picture that lies within the page")
    with urllib.request.urlopen(address) as source:  # noqa: S310
        data = source.read()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=_KINDS) as picture:
                pixels = picture.width * picture.height
        except Image.UnidentifiedImageError:
            return _cost_of_drawing(data)
    if pixels > MOST:
        raise ValueError("too many pixels")
    return pixels


def _cost_of_drawing(data: bytes) -> int:
    root = ElementTree.fromstring(data)
    every = [(tag, str(tag.tag).rpartition("}")[2]) for tag in root.iter()]
    if {name for _, name in every} & {"pattern", "marker", "filter", "mask"}:
        raise ValueError("it may be drawn again and again")
    known = {tag.get("id"): tag for tag, _ in every}
    used = pixels = 0
    for tag, name in every:
        links = [value for key, value in tag.attrib.items() if key.rpartition("}")[2] == "href"]
        if name in ("image", "feImage"):
            inner = [link for link in links if link.startswith("data:")]
            if any("svg" in link.partition(",")[0] for link in inner):
                raise ValueError("a drawing within a drawing")
            pixels += sum(map(_cost, inner))
        elif name == "use":
            if not all(link.startswith("#") for link in links):
                raise ValueError("it uses what is not in it")
            used += sum(_flat(known[link[1:]]) for link in links if link[1:] in known)
        elif name == "clipPath" and any("clip-path" in str(part.attrib) for part in tag.iter()):
            raise ValueError("a clip within a clip")
        elif name == "style" and re.search(r"url|\\", tag.text or ""):
            raise ValueError("its styles lead elsewhere")
    if used * ELEMENT > MOST:
        raise ValueError("too many elements")
    return (used + len(every)) * ELEMENT + pixels


def _flat(tag: ElementTree.Element) -> int:
    """Elements of what is used."""
    names = [str(inner.tag).rpartition("}")[2] for inner in tag.iter()]
    if "use" in names:
        raise ValueError("what it uses uses more")
    return len(names)
