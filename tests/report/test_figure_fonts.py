"""Letters without a font in figures: never silently a box."""

import io
import warnings

import matplotlib.font_manager as manager
import pytest
from matplotlib.figure import Figure

from ivdlib.errors import DataWarning
from ivdlib.report import figure_fonts, plotting


def figure(text):
    drawn = Figure(figsize=(3, 2))
    drawn.add_subplot().set_title(text)
    return drawn


@pytest.fixture
def no_other_fonts(monkeypatch):
    monkeypatch.setattr(manager, "findSystemFonts", lambda: [])


def test_letters_without_a_font_are_named_with_the_package(no_other_fonts):
    with pytest.warns(DataWarning) as told:
        uri = plotting.data_uri(figure("case 김민수"), "a title")
    (sentence,) = {str(one.message) for one in told}
    assert "a figure shows boxes in place of 김, 민, 수 (Hangul)" in sentence
    assert "fonts-noto-cjk" in sentence and "make it again" in sentence
    assert uri.startswith("data:image/png;base64,")


def test_letters_that_all_have_a_font_are_drawn_in_silence(no_other_fonts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plotting.data_uri(figure("Dice, Müller, Αθήνα, 25 µm"), "a title")


def test_another_font_of_the_machine_is_taken(monkeypatch):
    """Here the font of figures is one without letters, and that of the machine has them."""
    fonts = manager.get_font_names(), manager.findfont("DejaVu Sans")
    assert "DejaVu Sans" in fonts[0]
    monkeypatch.setattr(manager, "findSystemFonts", lambda: [fonts[1]])
    drawn, out = figure("Müller"), io.BytesIO()
    drawn.axes[0].title.set_fontfamily("STIXSizeOneSym")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure_fonts.save_figure(drawn, out, format="png")
    assert drawn.axes[0].title.get_fontfamily() == ["STIXSizeOneSym", "DejaVu Sans"]
    assert out.getvalue().startswith(b"\x89PNG") and out.getvalue().count(b"IEND") == 1


def test_other_warnings_are_passed_on(monkeypatch, no_other_fonts):
    drawn = figure("plain")
    real = drawn.savefig

    def odd(*args, **how):
        warnings.warn("something else", UserWarning, stacklevel=1)
        real(*args, **how)

    monkeypatch.setattr(drawn, "savefig", odd)
    with pytest.warns(UserWarning, match="something else"):
        figure_fonts.save_figure(drawn, io.BytesIO(), format="png")
