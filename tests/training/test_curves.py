"""Learning curves for TensorBoard."""

import os
import sys

import pytest

from ivdlib.errors import ConfigError
from ivdlib.training import curves


def has_tensorboard():
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        return bool(os.environ.get("IVDLIB_CI"))
    return True


def number(event):
    from tensorboard.util import tensor_util

    return float(tensor_util.make_ndarray(event.summary.value[0].tensor))


@pytest.mark.skipif(not has_tensorboard(), reason="pip install 'ivdlib[tensorboard]'")
def test_what_is_noted_can_be_read_again(tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    monkeypatch.setenv(curves.VARIABLE, str(tmp_path / "logs"))
    curves.need_tensorboard()
    with curves.log("training 3/12: FDS-CNN, with fusion, fold 1, seed 0") as note:
        for step, loss in ((10, 0.5), (20, 0.25)):
            note(step, loss)
    (folder,) = (tmp_path / "logs").iterdir()
    assert folder.name == "FDS-CNN_with_fusion_fold_1_seed_0"
    (path,) = folder.iterdir()
    events = [e for e in EventFileLoader(str(path)).Load() if e.summary.value]
    found = [(e.step, e.summary.value[0].tag, number(e)) for e in events]
    assert found == [(10, "training loss", 0.5), (20, "training loss", 0.25)]


def test_without_the_variable_nothing_is_noted(tmp_path, monkeypatch):
    monkeypatch.delenv(curves.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    curves.need_tensorboard()
    with curves.log("a training") as note:
        note(1, 0.5)
    assert not list(tmp_path.iterdir())


def test_what_to_install(monkeypatch):
    monkeypatch.setenv(curves.VARIABLE, "logs")
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(ConfigError, match="pip install 'ivdlib\\[tensorboard\\]'"):
        curves.need_tensorboard()
