"""Which contrast a header tells."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivdlib.data.incoming.frame import Frame
from ivdlib.data.incoming.kinds import MOST_TURNS, angle, kind_of

GRE = Frame(Path("x"), sequence="gradient echo", te_ms=3.4, mhz=63.86,
            words=("ORIGINAL", "PRIMARY", "M"))  # fmt: skip


def told(description="", *words, **more):
    kind = kind_of(
        replace(GRE, description=description, words=("DERIVED", "PRIMARY", *words), **more)
    )
    return kind.contrast


@pytest.mark.parametrize(("words", "contrast"), [
    (("DIXON", "WATER"), "wat"), (("W", "W", "DERIVED"), "wat"), (("M", "DIXON", "FAT"), "fat"),
    (("IP", "IP", "DERIVED"), "inn"), (("OP", "OP", "DERIVED"), "opp"), (("OPP_PHASE",), "opp"),
    (("M", "NORM", "DIS3D", "OUT_PHASE"), "opp"), (("OUT OF PHASE",), "opp"),
    (("IN PHASE",), "inn"),
    (("M", "ND"), ""), (("WATER", "FAT"), ""), (("DIXON", "FAT_FRACTION"), ""), (("P", "ND"), ""),
])  # fmt: skip
def test_image_types(words, contrast):
    assert told("t1", *words) == contrast


@pytest.mark.parametrize(("name", "contrast"), [
    ("t1_vibe_dixon_sag_W", "wat"), ("t1_vibe_dixon_sag_F", "fat"), ("t1_vibe_dixon_sag_in", "inn"),
    ("t1_vibe_dixon_sag_opp", "opp"), ("WATER: Sag LAVA-Flex", "wat"), ("FAT: LAVA", "fat"),
    ("InPhase: LAVA", "inn"), ("OutPhase: LAVA", "opp"), ("opp. phase", "opp"),
    ("T1 out-of-phase", "opp"), ("T1 opposed phase", "opp"),
    ("Ax DualEcho (out/in Phase", ""), ("T1 in/opp", ""), ("t1 fat sat", ""), ("t1 FATSAT sag", ""),
    ("t1_vibe_fs", ""), ("water excitation", ""), ("fat suppressed", ""), ("post-op lumbar", ""),
    ("Fatima", ""), ("in vivo test", ""), ("sag spine", ""), ("coffee", ""),
    ("t1_fl2d_in_opp", ""), ("vibe_opp-in", ""), ("T1 in-out phase", ""), ("OP/IP", ""),
    ("T1 VIBE SAT FAT", ""), ("SAT GRAISSE", ""), ("Sag T1-W", ""), ("T1 W", ""),
    ("breath in", ""), ("breath-out", ""), ("Out-of-phase images", "opp"),
    ("Sag T2*-W", ""), ("SWI W", ""), ("Sag MERGE no fat", ""), ("without fat", ""),
    ("in phase image", "inn"), ("dixon_R2_W", "wat"), ("Sub-01_W", "wat"), ("sub_01_wat", "wat"),
])  # fmt: skip
def test_names_of_series(name, contrast):
    assert told(name) == contrast


@pytest.mark.parametrize(("te", "tesla", "contrast"), [
    (2.3, 1.5, "opp"), (4.6, 1.5, "inn"), (2.3, 3.0, "inn"), (1.15, 3.0, "opp"), (3.45, 3.0, "opp"),
    (6.9, 1.5, "opp"), (9.9, 0.35, "opp"), (19.7, 0.35, "inn"), (3.4, 1.5, ""), (1.7, 3.0, ""),
])  # fmt: skip
def test_echo_times(te, tesla, contrast):
    kind = kind_of(replace(GRE, te_ms=te, mhz=42.577 * tesla))
    assert kind.contrast == contrast
    assert kind.by_echo == bool(contrast)
    assert kind.unclear != bool(contrast)


@given(st.floats(0.5, 7.0), st.floats(0.5, 10.0))
def test_the_rule_is_thirty_degrees(tesla, te):
    degrees = angle(te, 42.577 * tesla)
    off = abs((degrees + 90) % 180 - 90)  # from 0 or 180
    if degrees < 360 * MOST_TURNS and abs(off - 30) > 1e-6:
        assert bool(kind_of(replace(GRE, te_ms=te, mhz=42.577 * tesla)).contrast) == (off < 30)


def test_two_echoes_of_a_series_vouch_for_each_other():
    """GE's usual pair at 1.5 T: 4.21 ms lie 31 degrees from in phase."""
    late = replace(GRE, te_ms=4.212, mhz=63.8728)
    assert kind_of(late).unclear
    assert kind_of(late, [2.044, 4.212]).contrast == "inn"
    assert kind_of(replace(late, te_ms=2.044), [2.044, 4.212]).contrast == "opp"
    assert kind_of(late, [4.212, 4.6]).unclear


@pytest.mark.parametrize(("more", "why"), [
    ({"sequence": "spin echo"}, "spin echo"), ({"sequence": "echo planar"}, "echo planar"),
    ({"sequence": ""}, "nor that it is a gradient echo"), ({"suppressed": True}, "suppressed"),
    ({"description": "t1 fs fatsat"}, "suppressed"), ({"te_ms": None}, "no echo time"),
    ({"mhz": None}, "no frequency"), ({"component": "PHASE"}, "a phase image"),
    ({"component": "IMAGINARY"}, "an imaginary image"),
    ({"description": "Sag LAVA FAT", "suppressed": True}, "fat was suppressed"),
    ({"te_ms": 30.0}, "too late"),
    ({"words": ("DERIVED", "SECONDARY", "MPR")}, "reformatted"),
    ({"words": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "a localiser"),
    ({"description": "T1 sub"}, "a subtraction"),
])  # fmt: skip
def test_what_is_none_of_the_four_is_said(more, why):
    kind = kind_of(replace(GRE, **{"te_ms": 2.3, **more}))
    assert not kind.contrast and why in kind.why


def test_a_spin_echo_dixon_is_told_apart_whatever_its_words_say():
    kind = kind_of(replace(GRE, sequence="spin echo", words=("DERIVED", "PRIMARY", "WATER")))
    assert not kind.contrast and "spin-echo (T2) Dixon" in kind.why


@pytest.mark.parametrize("name", ["t2_tse_dixon_sag_W", "STIR water", "FSE FAT"])
def test_a_name_tells_a_spin_echo_if_nothing_else_does(name):
    kind = kind_of(replace(GRE, description=name, sequence=""))
    assert not kind.contrast and "spin-echo" in kind.why


def test_what_the_scanner_wrote_goes_before_the_name_of_a_series():
    words = ("DERIVED", "PRIMARY", "DIXON", "WATER")
    assert kind_of(replace(GRE, description="MPR scout sub", words=words)).contrast == "wat"


def test_a_series_without_fat_saturation_is_not_suppressed():
    frame = replace(GRE, te_ms=2.3, description="T1 GRE w/o fat sat")
    assert kind_of(frame).contrast == "opp"
