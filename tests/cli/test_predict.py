"""`predict` refuses what does not fit its engine."""

import pytest
from commands import is_one_sentence, run


@pytest.mark.parametrize(
    "arguments",
    [("--engine", "keras", "--precision", "bfloat16"), ("--engine", "openvino", "--device", "gpu")],
    ids=["precision of keras", "openvino on a GPU"],
)
def test_predict_refuses_what_does_not_fit_its_engine(capsys, tmp_path, arguments):
    weights = tmp_path / "model.weights.h5"
    status, _, err = run(
        capsys, "predict", tmp_path, "--weights", weights, "--out", tmp_path / "out", *arguments
    )
    assert status == 1 and is_one_sentence(err) and arguments[-2] in err
