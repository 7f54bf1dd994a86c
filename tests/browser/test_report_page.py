"""A report in a browser: its contents stand beside what was found and cover nothing."""

import pytest
from hostile_report import odd_experiment

from ivdlib.report import experiment

BOXES = """() => {
  const box = name => document.querySelector(name).getBoundingClientRect();
  const [nav, first, header] = ['nav', '.first', 'header'].map(box);
  return {
    beside: nav.right <= first.left && nav.right <= header.left,
    below: nav.top >= first.bottom,
    wide: document.documentElement.scrollWidth,
  };
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    page = tmp_path_factory.mktemp("made") / "report.html"
    folder = odd_experiment(tmp_path_factory.mktemp("reports") / "mine")
    page.write_text(experiment.render_report(folder), encoding="utf-8")
    return page


@pytest.mark.parametrize("width", [390, 900, 1280, 2000])
def test_contents_stand_beside_or_below_and_never_over(browser, report, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report.as_uri())
    boxes = page.evaluate(BOXES)
    assert boxes["wide"] <= width
    assert (boxes["beside"], boxes["below"]) == ((True, False) if width > 1200 else (False, True))
    page.close()


def test_the_keyboard_reaches_contents_after_what_was_found(browser, report):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(report.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#found"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#tables"
    page.close()
