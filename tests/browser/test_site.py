"""The copy of the course, opened from disk with the network shut off."""

from pathlib import Path

import pytest

COPY = Path(__file__).resolve().parents[2] / "reports" / "reference" / "course"
WIDTHS = (1280, 900, 390)


@pytest.fixture
def opened(browser):
    """Give the function that opens a page; nobody is asked for anything, and nothing fails."""
    seen, contexts = [], []

    def open_page(name: str, width: int = 1280):
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: seen.append(r.url) if "://" in r.url[:8] else None)
        page.on("requestfailed", lambda r: seen.append(f"failed: {r.url}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error}"))
        page.goto((COPY / name).as_uri())
        page.wait_for_load_state()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in seen if not url.startswith("file://")] == []


def test_the_front_page_is_one_screen_with_every_picture(opened):
    page = opened("index.html")
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 50)")
    assert page.locator("a.card").count() >= 8


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name",
    [
        *("index.html", "02_spine_unet.html", "glossary.html"),
        *("commands.html", "data.html", "model_card.html", "results.html", "your_scans.html"),
    ],
)
def test_no_page_is_wider_than_the_screen(opened, name, width):
    page = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_answer_is_folded_until_a_key_opens_it(opened):
    page = opened("02_spine_unet.html")
    fold = page.locator("details", has=page.locator("summary", has_text="A solution")).first
    assert not fold.locator("pre").first.is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("pre").first.is_visible()


def test_a_term_of_a_lesson_leads_to_the_glossary(opened):
    page = opened("01_data_loading.html")
    link = page.locator('a[href^="glossary.html#term-"]').first
    word = link.inner_text().lower().rstrip("s")
    link.click()
    page.wait_for_load_state()
    place = page.evaluate("document.querySelector(':target').textContent.toLowerCase()")
    assert "glossary.html#term-" in page.url and word in place
