"""Words of scanners."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.incoming import words


def test_no_word_says_two_things():
    every = [word for some in (*words.TYPE_WORDS.values(), *words.OTHER_TYPES.values())
             for word in some.split()]  # fmt: skip
    assert len(set(every)) == len(every)
    assert set(words.TYPE_WORDS) == set(words.NAME_WORDS) == set(words.LAST_WORDS) == set(CONTRASTS)


@pytest.mark.parametrize(("name", "found"), [
    ("P1_t1_vibe_dixon_sag_W", "W"), ("P1_water_tra", "water"), ("x_opp_12", "opp"),
    ("WATER: LAVA", "WATER"),
])  # fmt: skip
def test_where_the_word_stands_is_told(name, found):
    _, start, end = words.word_in(name)
    assert name[start:end] == found


@given(st.text(max_size=40))
def test_any_name_is_taken(name):
    found = words.word_in(name)
    assert found is None or found[0] in CONTRASTS
    assert isinstance(words.other_by_name(name), str)
