"""Signs without a font: the PDF is made, and a sentence says what to install."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from ivdlib.report import fonts

pytest.importorskip("weasyprint", exc_type=OSError)

HANGUL, HAN, DEVANAGARI, EMOJI = "김민수", "漢字", "अनिता", "\N{BONE}"
EUROPEAN = "Müller Łukasz Ångström Ζαχαρίας Дмитрий O’Brien – 5 µm × ½ ≥ ∇ · … „x“ € ✓ ✗ é e\u0301"
UNSEEN = "a\u00adb\tc\u200bd\u200de\ufe0ff\u2060g\u00a0h\ufeffi\u2028j\u202fk\x01l\u200em\u034fn"
FINE = f"{EUROPEAN} {UNSEEN} ❤\ufe0f"

CASES = {
    "hangul": (HANGUL, ("김, 민, 수 (Hangul)", "fonts-noto-cjk")),
    "chinese and japanese": (f"{HAN} ひら、", ("、, 字, 漢 (CJK)", "(Hiragana)", "fonts-noto-cjk")),
    "marks": (DEVANAGARI, ("अ, त, न (Devanagari)", "fonts-noto-core")),
    "emoji": (f"Ann {EMOJI}\N{LEFT-POINTING MAGNIFYING GLASS}", (EMOJI, "fonts-noto-color-emoji")),
    "two": (HANGUL + DEVANAGARI, ("apt-get install fonts-noto-cjk fonts-noto-core)",)),
    "many": ("".join(chr(0xAC00 + k) for k in range(40)), ("and 32 more",)),
    "private": ("\U0010abcd", ("U+10ABCD", "private use")),
}
"""Text → what is said where DejaVu is the only font."""

PROGRAM = """
import json, sys, warnings
from pathlib import Path
from ivdlib.report import pages
warnings.simplefilter("always")
found = []
for text in json.load(sys.stdin):
    with warnings.catch_warnings(record=True) as told:
        html = f"<html lang=en><title>x</title><body><p>{text}</p></body></html>"
        made = pages.write_report(Path(sys.argv[1]), html)
    assert made["pdf"].read_bytes().startswith(b"%PDF")
    found.append([str(one.message) for one in told])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What is said of each text of `CASES`, and of `FINE`, where DejaVu is the only font."""
    place = tmp_path_factory.mktemp("fonts")
    dejavu = Path(matplotlib.get_data_path(), "fonts", "ttf")
    config = f"<fontconfig><dir>{dejavu}</dir><cachedir>{place}/cache</cachedir></fontconfig>"
    (place / "fonts.conf").write_text(config)
    environment = {**os.environ, "FONTCONFIG_FILE": str(place / "fonts.conf"), "PATH": ""}
    texts = json.dumps([*(text for text, _ in CASES.values()), FINE])
    words = [sys.executable, "-c", PROGRAM, str(place / "page")]
    done = subprocess.run(words, env=environment, input=texts, capture_output=True, text=True)
    assert done.returncode == 0 and "notdef" not in done.stderr, done.stderr
    return dict(zip([*CASES, "fine"], json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_signs_without_a_font_are_told_with_what_to_install(said, case):
    (told,) = said[case]
    assert "page.pdf" in told and "box" in told and told.endswith(".")
    assert all(word in told for word in CASES[case][1]), told


def test_what_has_a_font_or_nothing_to_show_is_no_matter(said):
    assert said["fine"] == []


def test_the_log_of_others_is_as_it_was(caplog):
    logger = logging.getLogger("weasyprint")
    before = logger.level, list(logger.filters)
    with fonts.watched_letters() as signs:
        logger.warning('.notdef glyph rendered for "%s" (U+%04X)', "김", ord("김"))
        logger.warning("Ignored `x: y` at 1:2, unknown property.")
        logger.error("Failed to load image")
    assert signs == {"김"} and (logger.level, logger.filters) == before
    assert [record.getMessage() for record in caplog.records] == ["Failed to load image"]


def test_a_group_has_its_name_and_its_package():
    told = fonts.missing_letters("x.pdf", {"ക", "𓀀", "𝔸", "あ", "🦴", "김"})
    for word in ("(Malayalam)", "Egyptian", "Mathematical", "Hiragana", "Hangul"):
        assert word in told
    assert told.count("fonts-noto-cjk") == 1 and told.count("(Debian:") == 1
    assert (
        fonts.missing_letters("x.pdf", set())
        == fonts.missing_letters("x.pdf", set(UNSEEN[1::2]))
        == ""
    )
