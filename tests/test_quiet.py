"""What C++ code writes to the error stream is set aside, and shown where it explains a failure."""

import os

import pytest

from ivdlib import _quiet


def test_silence_swallows_what_goes_to_the_stream(capfd):
    with _quiet.silence():
        os.write(_quiet.STDERR, b"chatter\n")
    os.write(_quiet.STDERR, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_failure_shows_what_was_set_aside(capfd):
    with pytest.raises(ImportError), _quiet.silence():
        os.write(_quiet.STDERR, b"the reason\n")
        raise ImportError
    assert capfd.readouterr().err == "the reason\n"
