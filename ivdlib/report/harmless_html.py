"""HTML of notebooks made harmless: what a white list does not name is left out.

Nothing that is left runs, fetches, or reaches beyond its place on the page. What browsers are told
besides stands in `pages.POLICY`.
"""

from __future__ import annotations

import html
import re
import secrets
from xml.etree import ElementTree

import nh3
from pygments.token import STANDARD_TYPES

from ivdlib.files import readable
from ivdlib.report import formulas
from ivdlib.report.headings import PICTURE

TAGS = (nh3.ALLOWED_TAGS | {"big", "font", "input", "section", "tfoot"}) - {
    *("area", "map", "article", "footer", "header", "nav"),  # the last four are the page's own
}

DRAWN = ("svg", "math")

OURS = f"ours{secrets.token_hex(8)}-"
"""Classes of our own begin with it until a page is whole: nobody who writes a notebook knows it."""
CLASSES = {"highlight", "dataframe", "anchor-link", "solution", *STANDARD_TYPES.values()}
"""Classes that a notebook's content may have, besides `jp-…`, `hl-…` and `ansi-…`."""

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
    *("color", "background-color", "opacity", "white-space"),
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

DEPTH, INDENTED = 50, 6
INDENTING = {"blockquote", "ul", "ol", "dl", "table"}
"""Each makes the column narrower, and WeasyPrint takes minutes for a word a line."""
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
    found = _CLEANER.clean(_closed(readable(text)))
    flat = _flat(found)
    return found if flat == found else _CLEANER.clean(flat)


def _flat(text: str) -> str:
    """Drop tags that are nested deeper than `DEPTH`: WeasyPrint gives up some levels further on."""
    depth = indented = 0

    def kept(tag: re.Match[str]) -> str:
        nonlocal depth, indented
        level, inner, closes = depth, indented, tag[1] == "/"
        depth += 0 if tag[2] in VOID else -1 if closes else 1
        if tag[2] in INDENTING:
            indented += -1 if closes else 1
        narrow = tag[2] in {*INDENTING, "li", "dd", "dt"} and inner >= INDENTED + closes
        narrow |= tag[2] in ("li", "dd", "dt") and inner > INDENTED
        return tag[0] if level < DEPTH + closes and not narrow else ""

    return re.sub(r"<(/?)([a-z0-9]+)[^>]*>", kept, text)


def _closed(text: str) -> str:
    """Show tags of `GONE`, and comments, that nothing closes: all after them would go."""
    ends = {"!--": max(text.rfind("-->"), text.rfind("--!>"))}
    for tag in _ENDS.finditer(text):
        ends[tag[1].lower()] = tag.start()
    return _BEGINS.sub(
        lambda tag: tag[0] if tag.start() < ends.get(tag[1].lower(), -1) else f"&lt;{tag[1]}", text
    )


_ENDS = re.compile(rf"</({'|'.join(sorted(GONE))})\s*>", re.IGNORECASE)
_BEGINS = re.compile(rf"<(!--|(?:{'|'.join(sorted(GONE))})\b)", re.IGNORECASE)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value of an attribute; None if it leads into a script, or to files or servers."""
    if attribute == "class":
        kept = [name for name in value.split() if name.startswith(OURS) or name in CLASSES
                or re.fullmatch("(jp|hl|ansi)-[a-zA-Z0-9-]+", name)]  # fmt: skip
        return " ".join(kept) or None
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
            return f'<code class="{OURS}{formulas.MATHML}">{html.escape(text)}</code>'
        for prefix, address in NAMESPACES.items():
            if f"xmlns{prefix}=" not in text.partition(">")[0]:
                text = f'{text[:4]} xmlns{prefix}="{address}"{text[4:]}'
        title = ElementTree.fromstring(text).findtext("{*}title")
    except Exception:  # the parsers fail in many ways, with errors of many kinds
        return PICTURE
    return str(formulas.image(text, " ".join((title or PICTURE).split())))
