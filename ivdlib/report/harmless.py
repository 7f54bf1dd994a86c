"""HTML of notebooks made harmless: what a white list does not name is left out.

Nothing that is left runs, fetches, or reaches beyond its place on the page. What browsers are told
besides stands in `pages.POLICY`.
"""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import nh3

from ivdlib.files import readable
from ivdlib.report import formulas
from ivdlib.report.headings import PICTURE

TAGS = (nh3.ALLOWED_TAGS | {"big", "font", "input", "section", "tfoot"}) - {
    *("area", "map", "article", "footer", "header", "nav"),  # the last four are the page's own
}

DRAWN = ("svg", "math")

GONE = {
    *("script", "style", "title", "template", "noscript", "iframe", "noembed", "noframes"),
    *("object", "video", "audio", *DRAWN),
}
"""Elements that leave nothing behind; of all others that are not in `TAGS` the text is kept."""

ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {
    "*": {
        *("id", "class", "style", "title", "lang", "dir", "aria-label"),
        *("align", "valign", "width", "height", "border", "bgcolor"),
    },
    "a": {"href", "name"},
    "details": {"open"},
    "font": {"color", "face", "size"},
    "input": {"checked"},
    "li": {"value"},
    "ol": {"start", "type", "reversed"},
}

STYLES = {
    *("color", "background-color", "opacity", "white-space", "line-height", "letter-spacing"),
    *("width", "min-width", "max-width", "height", "min-height", "max-height"),
    *("display", "float", "clear", "overflow", "overflow-x", "list-style-type", "table-layout"),
    *(f"text-{part}" for part in ("align", "decoration", "transform")),
    *(f"font{part}" for part in ("", "-family", "-size", "-style", "-weight", "-variant")),
    *(f"padding{side}" for side in ("", "-left", "-right", "-top", "-bottom")),
    *(f"border{side}" for side in ("", "-left", "-right", "-top", "-bottom")),
    *(f"border-{part}" for part in ("collapse", "color", "radius", "spacing", "style", "width")),
    "vertical-align",
}
"""Properties that take no picture, and move nothing over what stands elsewhere."""

NAMESPACES = {"": "http://www.w3.org/2000/svg", ":xlink": "http://www.w3.org/1999/xlink"}

DEPTH = 50
VOID = {"br", "col", "hr", "img", "input", "wbr"}


def clean(text: str) -> str:
    """Leave out of a piece of HTML what could do harm; what it leaves open is closed.

    Parameters
    ----------
    text : str
        From anybody. Its drawings (SVG, MathML) become images: nothing runs within an image.
    """
    flags = re.DOTALL | re.IGNORECASE
    for name in DRAWN:  # up to the last that is closed, or each of 10,000 would seek its end
        *_, end = 0, *(m.end() for m in re.finditer(rf"</{name}\s*>", text, flags))
        head = re.sub(rf"<({name})\b.*?</{name}\s*>", _image, text[:end], flags=flags)
        text = head + text[end:]
    found = _CLEANER.clean(readable(text))
    flat = _flat(found)
    return found if flat == found else _CLEANER.clean(flat)


def _flat(text: str) -> str:
    """Drop tags that are nested deeper than `DEPTH`: WeasyPrint gives up some levels further on."""
    depth = 0

    def kept(tag: re.Match[str]) -> str:
        nonlocal depth
        level, closes = depth, tag[1] == "/"
        depth += 0 if tag[2] in VOID else -1 if closes else 1
        return tag[0] if level < DEPTH + closes else ""

    return re.sub(r"<(/?)([a-z0-9]+)[^>]*>", kept, text)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value of an attribute; None if it leads into a script, or to files or servers."""
    if attribute == "style":
        return None if re.search(r"url|image|\\", value, re.IGNORECASE) else value
    if attribute == "href":
        return value if re.match(r"\s*(#|https?:|mailto:)", value, re.IGNORECASE) else None
    return value if attribute != "src" or value.startswith("data:image/") else None


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=GONE,
    attributes=ATTRIBUTES,
    attribute_filter=_kept,
    filter_style_properties=STYLES,
    set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}},  # of a list of tasks
    url_schemes={"http", "https", "mailto", "data"},
    link_rel=None,
)


def _image(found: re.Match[str]) -> str:
    """An inline drawing as an image with its title as alternative text."""
    text = re.sub(r"&(?!(?:amp|lt|gt|quot|apos);)\w+;", lambda m: html.unescape(m[0]), found[0])
    try:
        if found[1].lower() == "math":
            return str(formulas.from_mathml(text))
        for prefix, address in NAMESPACES.items():
            if f"xmlns{prefix}=" not in text.partition(">")[0]:
                text = f'{text[:4]} xmlns{prefix}="{address}"{text[4:]}'
        title = ElementTree.fromstring(text).findtext("{*}title")
    except Exception:  # the parsers fail in many ways, with errors of many kinds
        return PICTURE
    return str(formulas.image(text, " ".join((title or PICTURE).split())))
