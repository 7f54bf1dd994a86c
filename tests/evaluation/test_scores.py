"""Scores as they are read from a table."""

import io

import numpy as np
import pandas as pd
import pytest
from table_rows import rows

from ivdlib.errors import DataError
from ivdlib.evaluation import scores


def test_numbers_read_as_text_become_numbers():
    frame = pd.DataFrame(rows(cases=("01", "02"), subject="1", fold=1)).astype(object)
    frame["dice"], frame["asd_mm"] = ["0.5", ""], ["", "1.5"]
    found = scores.read_scores(io.StringIO(frame.to_csv(index=False)))
    assert found["dice"].tolist()[0] == 0.5 and np.isnan(found["dice"].tolist()[1])
    assert found["asd_mm"].tolist()[1] == 1.5 and found["case"].tolist() == ["01", "02"]
    frame.loc[0, "asd_mm"] = "x"
    with pytest.raises(DataError, match="asd_mm is x, no number"):
        scores.read_scores(io.StringIO(frame.to_csv(index=False)))
