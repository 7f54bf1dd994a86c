"""Of hostile Markdown only what does no harm is left."""

import base64
import re
import time
from xml.etree import ElementTree

import pytest
import tinyhtml5
from bs4 import BeautifulSoup
from hostile import ATTACKS, filled, notebook
from hostile_report import SCRIPT, fitted

from ivdlib.report import harmless_html
from ivdlib.report import notebook as lesson
from ivdlib.report.headings import LABEL

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
EVIL = """\
# Title {script}

<style>body {{ display: none }} @import url(https://example.org/x.css);</style>
<p style="background: url(https://example.org/a.png)">kept</p>
<p style="color: green">green</p>
<img src="https://example.org/x.png" srcset="https://example.org/y.png 2x" alt="a picture">
<img src="data:text/html;base64,AAAA" alt="no picture">
<a href="javascript:alert(1)" onclick="alert(1)">link</a> <a href="java\tscript:alert(1)">tab</a>
<svg><a xlink:href="file:///etc/passwd"><text>svg</text></a></svg>
<meta http-equiv="refresh" content="0; url=https://example.org">
<video src="https://example.org/v.mp4"></video> <iframe srcdoc="x"></iframe>

##### A deep heading

[page](https://example.org/) and ![remote](https://example.org/z.png)
"""


def test_a_notebook_brings_nothing_that_runs_or_fetches():
    soup = fitted(EVIL.format(script=SCRIPT))
    names = ["script", "style", "meta", "video", "iframe", "link", "object", "form"]
    assert soup.find_all(names) == []
    for tag in soup.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name == "srcset"]
        assert "url" not in tag.attrs.get("style", "")
        assert tag.attrs.get("src", "data:image/").startswith("data:image/")
    links = [tag.attrs.get("href") for tag in soup.find_all("a")]
    assert links == [None, None, "https://example.org/"]
    text = soup.get_text()
    assert all(word in text for word in ("kept", "a picture", "no picture", "remote"))
    assert soup.find("p", style="color:green")


@pytest.mark.parametrize("attack", ATTACKS)
def test_of_an_attack_only_what_is_on_the_white_list_is_left(attack):
    made = lesson.body(notebook(filled(ATTACKS[attack], "http://h")), "07_x", lambda _: True)
    allowed = harmless_html.ATTRIBUTES
    for tag in tinyhtml5.parse(made["html"], namespace_html_elements=False).find("body").iter():
        assert tag.tag in {*harmless_html.TAGS, "body"}
        own = {"disabled", "type"} if tag.tag == "input" else set(tag.attrib) & {LABEL}
        assert set(tag.attrib) <= allowed["*"] | allowed.get(tag.tag, set()) | own
        assert tag.get("src", "data:image/").startswith("data:image/")
        assert re.match("#|http://h|mailto:", tag.get("href", "#"))
        assert not re.search("url|position|margin|transform", tag.get("style", ""))


@pytest.mark.parametrize(
    ("markdown", "selector"),
    [
        ("- [x] done", "li input[type=checkbox][checked][disabled]"),
        ('<input type="password">', "input[type=checkbox]"),
        ("<details><summary>a</summary>\n\nb</details>", "details summary"),
        ('<table border="1"><tr><td colspan="2" style="text-align: right">a</table>',
         'td[colspan="2"][style="text-align:right"]'),
        ('<p style="color: red; position: fixed">a', 'p[style="color:red"]'),
        ('<font color="red">a</font>', 'font[color="red"]'),
        ('<a name="b"></a> [a](#b)', 'a[href="#b"]'),
        ("<sup id='fn1'>1</sup>", "sup#fn1"),
        ("<ol start='3'><li>a</ol>", 'ol[start="3"]'),
        (f'<img src="data:image/png;base64,{PNG}" width="9" alt="a">', 'img[width="9"][alt="a"]'),
        ('<svg width="9" height="9" viewBox="0 0 9 9"><title>A &lt; B&nbsp;c</title></svg>',
         'img[src^="data:image/svg+xml"][alt="A < B c"]'),
        ('<math><msup><mi>x</mi><mn>2</mn></msup></math>', 'img.formula[alt="x 2"]'),
        ("a $x^2$ b", 'img.formula[alt="x^2"]'),
    ],
)  # fmt: skip
def test_what_does_no_harm_is_kept(markdown, selector):
    (found,) = fitted(f"# A lesson\n\n{markdown}").select(selector)
    assert found.name in harmless_html.TAGS


def test_an_inline_drawing_is_an_image_that_stands_on_its_own():
    soup = fitted(
        '<svg viewBox="0 0 9 9"><use xlink:href="#a"/>&eacute;</svg> <svg>broken</p></svg>'
    )
    (image,) = soup.find_all("img")
    drawn = ElementTree.fromstring(base64.b64decode(image["src"].split(",")[1]))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and drawn.get("viewBox") == "0 0 9 9"
    assert drawn[0].get("{http://www.w3.org/1999/xlink}href") == "#a" and drawn[0].tail == "é"
    assert "(picture)" in soup.get_text() and "broken" not in soup.get_text()


@pytest.mark.parametrize("text", ["<svg>" * 50_000, "</svg " * 50_000])
def test_what_is_never_closed_takes_no_time(text):
    begun = time.process_time()
    fitted(text)
    assert time.process_time() - begun < 20


def test_classes_of_the_page_are_its_own():
    names = "badge facts title failure note points formula long out messages code"
    soup = fitted(f'# <img class="formula" src="data:image/png;base64,{PNG}"> A\n\n'
                  f'<p class="{names} jp-A ansi-red ours-note">x</p>')  # fmt: skip
    assert soup.p["class"] == ["jp-A", "ansi-red"] and not soup.select(".formula")
    assert harmless_html.OURS not in str(soup)


@pytest.mark.parametrize(
    "text", ["<script>never closed, words", "a<svg b words", "<style>words", "<!-- words",
             "<script>a</script> <script>words", "<object><video>words"],
)  # fmt: skip
def test_what_is_never_closed_swallows_no_words(text):
    assert "words" in BeautifulSoup(harmless_html.clean(text), "html.parser").get_text()
