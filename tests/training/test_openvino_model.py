"""Which precision `auto` takes."""

import numpy as np
import pytest
from answering import tiles

from ivdlib.training import engines, openvino_model


def test_auto_asks_the_processor(weights, monkeypatch):
    for able, precision in ((["FP32", "BF16"], "bfloat16"), (["FP32"], "float32")):
        core = openvino_model.core()
        monkeypatch.setattr(core.__class__, "get_property", lambda *_, able=able: able)
        assert engines.best_precision() == precision
        network = engines.load_network(weights, precision="auto")
        assert network.model.precision == ("float32" if precision == "float32" else "auto")


@pytest.mark.parametrize(("near", "settled"), [(1.0, "bfloat16"), (-1.0, "float32")])
def test_auto_takes_bfloat16_only_where_it_answers_alike(weights, monkeypatch, near, settled):
    monkeypatch.setattr(openvino_model, "NEAR", near)
    monkeypatch.setattr(engines, "best_precision", lambda: "bfloat16")
    said = []
    monkeypatch.setattr(openvino_model, "say", said.append)
    model = engines.load_network(weights, precision="auto").model
    sharp = {
        kind: engines.load_network(weights, precision=kind).model
        for kind in ("float32", "bfloat16")
    }
    exact = sharp["float32"].predict_on_batch(tiles(3))
    assert (exact >= 0.5).any()
    monkeypatch.setattr(openvino_model, "THRESHOLD", 2.0)  # no disc: nothing is settled
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), exact)
    assert model.precision == "auto" and not said
    monkeypatch.setattr(openvino_model, "THRESHOLD", 0.5)
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), exact)
    assert model.precision == settled and len(said) == 1 and settled in said[0]
    after = sharp[settled].predict_on_batch(tiles(3))
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), after)


def test_no_server_is_told_of_it():
    from openvino.tools.ovc import telemetry_utils

    assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"
