"""What must not be in a page of the site: what it would fetch, dead links, folders."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

from bs4 import BeautifulSoup

from bindery.heads import ROOT

TEXTS = (".html", ".js", ".css", ".md", ".json", ".txt")


def remote(site: Path) -> list[str]:
    """Whatever a page of the site would fetch from elsewhere."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in page.find_all(["script", "img", "iframe", "source", "link"]):
            address = str(tag.get("src") or (tag.get("href") if tag.name == "link" else "") or "")
            if re.match(r"(https?:)?//", address):
                found.append(f"{path.relative_to(site)}: {address}")
    return found


def dead(site: Path) -> list[str]:
    """Links of the pages, and pictures, that lead to no file of the site."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for tag in page.find_all(["a", "img", "script", "link"]):
            address = str(tag.get("src") or tag.get("href") or "").split("#")[0].split("?")[0]
            if not address or re.match(r"[a-z]+:|//", address):
                continue
            if not (path.parent / address).exists():
                found.append(f"{path.relative_to(site)}: {address}")
    return found


def personal(site: Path) -> list[str]:
    """Files of the site that name this machine's folders or the user's home."""
    home = str(Path.home())
    names = {str(ROOT), home} - {"/"}
    if home == "/root":
        names |= {"/root/"}
    user = getpass.getuser()
    if user != "root":  # a word like any other
        names.add(f"/{user}/")
    return [
        str(path.relative_to(site))
        for path in sorted(site.rglob("*"))
        if path.suffix in TEXTS
        and any(name in path.read_text(encoding="utf-8", errors="replace") for name in names)
    ]
