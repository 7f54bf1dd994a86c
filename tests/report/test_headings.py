"""Headings of lessons in the table of contents, the title and the PDF's outline: none is empty."""

import base64
import io

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from ivdlib.report import notebook, pages

SVG = "data:image/svg+xml;base64,"


def png():
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def body(*sources, stem="01_x"):
    cells = [nbformat.v4.new_markdown_cell(source) for source in sources]
    for cell in cells:
        cell["attachments"] = {"grey.png": {"image/png": png()}}
    return notebook.body(nbformat.v4.new_notebook(cells=cells), stem, lambda _: True)


def entry(heading):
    """What stands in the contents for a heading, as HTML that is fit to be looked through."""
    made = body("# A lesson", f"## {heading}", "## The last")
    *found, (ident, last) = made["parts"]
    assert str(last) == "The last" and f'id="{ident}"' in made["html"]
    return BeautifulSoup(str(found[0][1]), "html.parser") if found else None


def seen(soup):
    """Text of an entry, formulas as their LaTeX between bars."""
    for image in soup.find_all("img"):
        assert image["src"].startswith(SVG) and image["class"] == ["formula"]
        image.replace_with(f"|{image['alt']}|")
    assert soup.find(True) is None, soup
    return soup.get_text()


@pytest.mark.parametrize(
    ("heading", "shown"),
    [
        (r"$\nabla_\theta \mathcal{L}$", r"|\nabla_\theta \mathcal{L}|"),
        (r"$$\int x\,dx$$", r"|\int x\,dx|"),
        (r"\\(a^2\\) and \\[b^2\\]", "|a^2| and |b^2|"),
        (
            r"Exercise 1 (5 minutes): the loss $\mathcal{L}_{\mathrm{Dice}}$",
            r"Exercise 1 (5 minutes): the loss |\mathcal{L}_{\mathrm{Dice}}|",
        ),
        ("$a < b$ & $c > d$, R&D", "|a < b| & |c > d|, R&D"),
        (r"$\begin{matrix}a & b\end{matrix}$", r"|\begin{matrix}a & b\end{matrix}|"),
        (r"$\nosuchthing{$", r"\nosuchthing{"),
        (r"\begin{equation}E=mc^2\end{equation}", r"|\begin{equation}E=mc^2\end{equation}|"),
        (r"$\text{김민수}$ and $\text{Müller}$", r"\text{김민수} and |\text{Müller}|"),
        ("It costs $5 and $6, or 3 $ a head", "It costs $5 and $6, or 3 $ a head"),
        ("`code` alone: `a$b$c`", "code alone: a$b$c"),
        ("`x`", "x"),
        ("\N{BONE}", "\N{BONE}"),
        ("<b>bold</b> and <i>tags</i>", "bold and tags"),
        ("*The **Dice** `score`s*", "The Dice scores"),
        ("[a link](https://example.org) to $x$", "a link to |x|"),
        ("![a grey square](attachment:grey.png)", "a grey square"),
        ("![](attachment:grey.png)", "(picture)"),
        ("<svg><circle r='1'/></svg>", "(picture)"),
        ("a&nbsp;b &lt;script&gt;", "a b <script>"),
        ("x <!-- a remark --> y", "x y"),
        ("김민수 $x$", "김민수 |x|"),
    ],
)
def test_an_entry_shows_what_its_heading_shows(heading, shown):
    assert seen(entry(heading)) == shown


@pytest.mark.parametrize("heading", ["", "<br>", "&nbsp;", "\u200b", "<!-- nothing -->"])
def test_a_heading_that_shows_nothing_has_no_entry(heading):
    assert entry(heading) is None


def test_equal_headings_lead_to_places_of_their_own():
    made = body("# A lesson", "## $x$\n\none\n\n## $x$\n\ntwo", "## Same", "## Same")
    idents = [ident for ident, _ in made["parts"]]
    assert len(set(idents)) == 4
    soup = BeautifulSoup(made["html"], "html.parser")
    assert [soup.find(id=ident).name for ident in idents] == ["h3"] * 4


@pytest.mark.parametrize(
    ("first", "title", "shown"),
    [
        (r"# $\nabla f$ & more", r"01 \nabla f & more", r"01 |\nabla f| & more"),
        ("# ![](attachment:grey.png)", "01 (picture)", "01 (picture)"),
        ("# <!-- -->", "01_x", "01_x"),
        ("# 01 $x$", "01 x", "01 |x|"),
    ],
)
def test_a_title_is_text_and_its_entry_may_be_a_formula(first, title, shown):
    made = body(first, "text")
    assert made["title"] == title and "<" not in title
    assert seen(BeautifulSoup(str(made["entry"]), "html.parser")) == shown


def test_the_page_and_the_outline_of_its_pdf(tmp_path, monkeypatch):
    weasyprint = pytest.importorskip("weasyprint", exc_type=OSError)
    part = body("# The $x$ lesson", r"## $\nabla$", "## ![](attachment:grey.png)", "## Plain *one*")
    html = pages.fill("report/handin.html.j2", kind="coursework", name=part["title"], badges=[],
                       facts=[], results=[], lessons=[part], left=[], remarks=[])  # fmt: skip
    page = BeautifulSoup(html, "html.parser")
    links = page.nav.find_all("a")
    assert all(a.get_text(strip=True) or a.img["alt"] for a in links)
    assert page.title.get_text().startswith("01 The x lesson") and not page.title.find(True)
    tree = weasyprint.HTML(string=html).render().make_bookmark_tree()

    def labels(branches):
        for label, _, below, _ in branches:
            yield label
            yield from labels(below)

    found = list(labels(tree))
    assert {"The x lesson", r"\nabla", "(picture)", "Plain one"} <= set(found)
    assert all(label.strip() for label in found)
