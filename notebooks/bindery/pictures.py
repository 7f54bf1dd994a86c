"""Pictures of executed lessons: taken out of the notebook, and a third as large as WebP."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from PIL import Image

FOLDER = "pictures"
"""Where they lie in the site."""
QUALITY = 88
"""Of WebP with loss; letters in figures stay clean."""


@dataclass(frozen=True)
class Picture:
    """A picture of the site: its address there, what is to be seen, and its size in pixels."""

    source: str
    alt: str
    width: int
    height: int
    still: bool = False  # of a widget, which moves in JupyterLab

    def tag(self, kind: str = "figure") -> str:
        """HTML of it, as far away as the page that names it."""
        return (
            f'<img class="{kind}" src="{self.source}" alt="{html.escape(self.alt, quote=True)}" '
            f'width="{self.width}" height="{self.height}" loading="lazy">'
        )


@dataclass
class Shelf:
    """The pictures of a site, written into a folder as they come.

    Attributes
    ----------
    folder : Path
        Of the site; the pictures lie in `FOLDER` in it.
    tagged : dict
        The first picture of a cell with a tag, by lesson and tag.
    """

    folder: Path
    tagged: dict[tuple[str, str], Picture] = field(default_factory=dict)
    _taken: dict[str, dict[tuple[int, int], Picture]] = field(default_factory=dict)

    def take(self, notebook: NotebookNode, stem: str) -> dict[tuple[int, int], Picture]:
        """Write the pictures of a lesson, once; gives them by the numbers of cell and output."""
        if stem in self._taken:
            return self._taken[stem]
        found: dict[tuple[int, int], Picture] = {}
        for place, cell in enumerate(notebook.cells):
            for number, output in enumerate(cell.get("outputs", [])):
                if "image/png" not in output.get("data", {}):
                    continue
                picture = self._written(output, f"{stem}-{len(found) + 1:02d}")
                found[place, number] = picture
                for tag in cell.metadata.get("tags", []):
                    self.tagged.setdefault((stem, tag), picture)
        self._taken[stem] = found
        return found

    def put(self, path: Path, alt: str) -> Picture:
        """Take a picture that lies in a file."""
        return self._kept(path.read_bytes(), path.stem, alt)

    def _written(self, output: NotebookNode, name: str) -> Picture:
        alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        still = any("widget" in kind for kind in output.data)
        return self._kept(base64.b64decode(output.data["image/png"]), name, alt, still=still)

    def _kept(self, data: bytes, name: str, alt: str, *, still: bool = False) -> Picture:
        size, smaller = as_webp(data)
        path = self.folder / FOLDER / f"{name}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(smaller)
        return Picture(f"{FOLDER}/{name}.webp", alt, *size, still)


def as_webp(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Width and height of a picture, and the same as WebP: without loss if that is smaller."""
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    plain = Image.new("RGB", picture.size, "white")
    plain.paste(picture, mask=picture.getchannel("A"))
    made = []
    for words in ({"quality": QUALITY, "method": 6}, {"lossless": True, "method": 4}):
        buffer = io.BytesIO()
        plain.save(buffer, "WEBP", **words)
        made.append(buffer.getvalue())
    return picture.size, min(made, key=len)
