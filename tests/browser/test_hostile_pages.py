"""Pages made of hostile notebooks and names, in Chromium: nothing runs, nothing is fetched.

Each attack is first let loose on a bare page, to see that it does harm if nothing is in its way.
"""

import shutil
import time
from pathlib import Path

import nbformat
import pytest
from hostile import ATTACKS, NAME, experiment, filled, notebook, server

from ivdlib.course import class_reports, hand_in, sheet
from ivdlib.data.quality import checks
from ivdlib.phantom import make_phantom
from ivdlib.report import check_page, compare, pages, phantom_page
from ivdlib.report import experiment as report
from ivdlib.report.record import Author

pytestmark = pytest.mark.slow

LESSON = "07_lesson"
TOUCH = """() => {
  for (const it of document.querySelectorAll('details')) it.open = true;
  for (const it of document.querySelectorAll('body *')) {
    if (typeof it.href == 'string' && /^(https?|mailto|file):/.test(it.href)) continue;
    for (const kind of ['click', 'mouseover', 'focus'])
      it.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
  }
}"""
LEAVING = {"links", "refresh", "form"}
"""Attacks that lead to another page, which no policy of the page forbids: the white list does."""
ONE = {"audit", "sheet"}
"""Pages of a single text, or without it: nothing comes after the attack."""
COVERED = "() => document.elementFromPoint(30, 10).closest('article') !== null"


@pytest.fixture(scope="module")
def host():
    with server() as (address, asked):
        yield address, asked


def on(ask):
    """Ask a page, again if an attack has just led it elsewhere."""
    for _ in range(20):
        try:
            return ask()
        except Exception as error:  # Playwright's, which is not installed everywhere
            if "Execution context was destroyed" not in str(error):
                raise
        time.sleep(0.05)
    return ask()


@pytest.fixture(scope="module")
def seen(browser, host):
    """Give the function that opens a page; it returns what ran, what was asked for, the page."""
    page, ran, asked = browser.new_page(), [], []
    page.on("dialog", lambda dialog: (ran.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))

    def look(path: Path):
        page.goto("about:blank")
        for told in (ran, asked, host[1]):
            told.clear()
        page.goto(path.as_uri())
        page.wait_for_timeout(50)
        on(lambda: page.evaluate(TOUCH))
        page.wait_for_timeout(50)
        marks = ["variable"] if on(lambda: page.evaluate("() => 'ran' in window")) else []
        marks += ["title"] if on(page.title) == "1" else []
        others = [url for url in asked if url != path.as_uri() and not url.startswith("data:")]
        return [*ran, *marks], [*others, *host[1]], page

    yield look
    page.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_does_harm_on_a_bare_page_and_none_under_the_policy(attack, seen, host, tmp_path):
    text, path = filled(ATTACKS[attack], host[0]), tmp_path / "bare.html"
    path.write_text(f"<!DOCTYPE html><title>bare</title><body>{text}", encoding="utf-8")
    ran, asked, _ = seen(path)
    assert ran or asked
    policy = f'<meta http-equiv="Content-Security-Policy" content="{pages.POLICY}">'
    path.write_text(f"<!DOCTYPE html>{policy}<title>bare</title><body>{text}", encoding="utf-8")
    ran, _, _ = seen(path)
    assert not ran and (not host[1] or attack in LEAVING)


@pytest.fixture(scope="module")
def course(tmp_path_factory, host):
    """A course folder in which everybody handed in another attack."""
    folder = tmp_path_factory.mktemp("course")
    for number, (name, attack) in enumerate(ATTACKS.items()):
        copy = notebook(filled(attack, host[0]))
        for place in ("release", f"submitted/{name}", f"autograded/{name}"):
            path = folder / place / LESSON / f"{LESSON}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            if place != "release" or not number:
                nbformat.write(copy, path)
    return folder


@pytest.fixture(scope="module")
def made(course, host, tmp_path_factory):
    """Pages of all kinds; those of notebooks by attack."""
    found, out = {}, tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ivdlib.report.pdf.write_pdf", lambda html, path: False)
        patch.setattr(
            "ivdlib.report.results.embedded_figures", lambda folder, metrics: []
        )  # slow, and ours
        name = filled(NAME, host[0])
        author, plain = Author(name, name, name), Author("Ann")
        class_reports.class_reports(course, author=author)
        for attack in ATTACKS:
            path = course / "autograded" / attack / LESSON / f"{LESSON}.ipynb"
            folder = experiment(out / attack, name)
            (folder / "notebooks").mkdir()
            shutil.copy(path, folder / "notebooks" / f"{LESSON}.ipynb")
            shutil.copy(path, folder / "notebooks" / f"08_{name}.failed.ipynb")
            audit = out / f"audit-{attack}"
            audit.mkdir()
            text = filled(ATTACKS[attack], host[0]).replace("<img", "<image").replace("![", "[")
            text = f"# The audit\n\n{text}\n\nwords at the end"
            (audit / "AUDIT.md").write_text(text, encoding="utf-8")
            task, given, origin = sheet.unanswered(str(path))
            found[attack] = {
                "report": report.build_report(folder, author=author)["html"],
                "hand-in": hand_in.hand_in(
                    path, author, out / f"{attack}-in", whole=True, code=True
                )["html"],
                "class": course / "reports" / f"{attack}.html",
                "sheet": sheet.sheet(task, given, plain, out / f"{attack}-sheet")["html"],
                "audit": report.build_report(audit, author=author)["html"],
            }
    return found


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_and_nothing_is_fetched(attack, made, seen):
    for kind, path in made[attack].items():
        ran, asked, page = seen(path)
        assert not ran and not asked, kind
        assert page.locator("h1").count() == 1, kind
        assert not page.evaluate(COVERED), kind
        last = "my answer" if kind == "class" else "words at the end"  # a class has answers alone
        assert last in page.locator("main").inner_text() or kind in ONE, kind


def test_names_do_nothing_on_pages_without_notebooks(seen, host, tmp_path, write_case, monkeypatch):
    monkeypatch.setattr("ivdlib.report.pdf.write_pdf", lambda html, path: False)
    name = filled(NAME, host[0])
    two = [experiment(tmp_path / one, name + one) for one in "ab"]
    compared = compare.build_comparison(two, tmp_path / "compared", Author(name))["html"]
    write_case(tmp_path / "scans", "A1")
    (tmp_path / "scans" / "subjects.csv").write_text(f"case,subject\nA1,{name}\n")
    checked = tmp_path / "check.html"
    check_page.write_check_page(checked, name, checks.examine(tmp_path / "scans", pictures=True))
    phantom = make_phantom(tmp_path / "phantom", 1, 1, 3, slices=4, in_plane=96)
    for path in (compared, checked, phantom_page.write_phantom_page(phantom)):
        ran, asked, page = seen(path)
        assert not ran and not asked
        assert page.locator("h1").count() == 1
        assert page.evaluate("() => [...document.images].every(image => image.naturalWidth > 20)")
