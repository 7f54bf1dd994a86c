"""No message names a patient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivdlib.data.incoming.frame import HIDDEN, Patient, hider

ANNA = Patient("PID-77", "Mueller^Anna-Lena", "19481231", ("Schmidt^Eva",))


@pytest.mark.parametrize("text", [
    "series 3 (MUELLER T1)", "/scans/Mueller_Anna_Lena/IM1", "anna-lena mueller.dcm", "pid 77",
    "PID77", "born 1948 12 31", "19481231", "31.12.1948", "eva schmidt",
])  # fmt: skip
def test_an_identifier_is_hidden_however_it_is_written(text):
    found = hider(ANNA.secrets())(text)
    assert HIDDEN in found
    left = found.casefold()
    assert not any(s in left for s in ("mueller", "anna", "lena", "77", "1948", "schmidt"))


def test_what_names_nobody_stays():
    assert hider(ANNA.secrets())("series 3 (T1 VIBE Dixon)") == "series 3 (T1 VIBE Dixon)"
    assert hider(Patient().secrets())("anything") == "anything"
    assert "li" not in Patient(name="Li^Bo").secrets()  # or no word would be left


@given(st.text(st.characters(categories=("L", "N")), min_size=3, max_size=12), st.text(max_size=20))
def test_a_number_never_survives(number, around):
    found = hider(Patient(number).secrets())(f"{around}{number}{around}")
    assert number not in found or number in HIDDEN


@pytest.mark.parametrize(("name", "text"), [
    ("Müller-Lüdenscheidt^Hans", "W/Mueller_Luedenscheidt.IMA"), ("KRÜGER^ZOË", "KRUEGER-ZOE"),
    ("Strößner^Änne Márta", "STROESSNER"), ("Strößner^Änne Márta", "STRÖSSNER"),
    ("Strößner^Änne Márta", "Marta"), ("Strößner^Änne Márta", "Stroessner_Aenne"),
])  # fmt: skip
def test_a_name_is_hidden_in_all_its_spellings(name, text):
    left = hider(Patient(name=name).secrets())(text).replace(HIDDEN, "")
    assert len([c for c in left if c.isalpha()]) <= len("W IMA")


@pytest.mark.parametrize("text", ["07.03.61", "7.3.1961", "1961-3-7", "07031961", "3/7/61"])
def test_a_date_of_birth_is_hidden_however_it_is_written(text):
    assert hider(Patient(born="19610307").secrets())(f"a {text}_b") == f"a {HIDDEN}_b"


def test_the_digits_of_a_number_are_hidden():
    assert hider(Patient("PAT-0471123").secrets())("0471123/IM1") == f"{HIDDEN}/IM1"
