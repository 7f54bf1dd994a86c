"""What C++ code writes to the error stream is set aside, and shown where it explains a failure."""

import os

import pytest

from ivdlib.networks import quiet


def test_silence_swallows_what_goes_to_the_stream(capfd):
    with quiet.silence():
        os.write(quiet.STDERR, b"chatter\n")
    os.write(quiet.STDERR, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_failure_shows_what_was_set_aside(capfd):
    with pytest.raises(ImportError), quiet.silence():
        os.write(quiet.STDERR, b"the reason\n")
        raise ImportError
    assert capfd.readouterr().err == "the reason\n"
