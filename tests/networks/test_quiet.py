"""What C++ code writes to the error stream is set aside, and shown where it explains a failure."""

import os
import subprocess
import sys

import pytest

from ivdlib.errors import ConfigError
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


@pytest.mark.parametrize(
    ("setting", "where", "backend", "extra"),
    [
        ("", "the default", "tensorflow", "cpu"),  # after `pip install ivdlib` alone
        ("tensorflow", "the variable KERAS_BACKEND", "tensorflow", "cpu"),
        ("jax", "the variable KERAS_BACKEND", "jax", "jax"),
    ],
)
def test_the_extra_of_a_missing_backend_is_named(
    setting, where, backend, extra, monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, backend, None)
    monkeypatch.setenv("KERAS_BACKEND", setting)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as told:
        quiet.need_backend()
    assert str(told.value).startswith(f"{where} asks for {backend} as the backend of Keras")
    assert f"; install it with: pip install 'ivdlib[{extra}]', or" in str(told.value)


@pytest.mark.parametrize("lean", [True, False])
def test_keras_starts_without_what_no_command_hands_to_it(lean):
    """And all of it can be loaded afterwards."""
    code = (
        "import sys; from ivdlib.networks import quiet; import ivdlib; quiet.lean = bool(%d);"
        "import keras; print(sorted({*quiet.UNUSED} & set(sys.modules)));"
        "import pandas, sklearn.linear_model, matplotlib.pyplot; ivdlib.build('unet')"
    )
    words = [sys.executable, "-c", code % lean]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([] if lean else sorted(quiet.UNUSED))
