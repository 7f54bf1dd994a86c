"""Slopes of DICOM files."""

import struct

import numpy as np
import pytest
from made_up_dicom import PIXELS, frame, header, item, philips, philips_enhanced, write

from ivdlib.data.incoming.headers import read_frames


def test_philips_slopes_are_found_in_both_kinds_of_file(tmp_path):
    array = np.ones((2, 4, 4), np.int16)
    philips(tmp_path / "a", {"wat": array}, np.eye(4))
    philips_enhanced(tmp_path / "b", {"wat": array}, np.eye(4))
    for path in (tmp_path / "a" / "IM0001", tmp_path / "b" / "IM_0001.dcm"):
        found = read_frames(path)[1][0]
        assert (found.slope, found.philips) == (0.5, 2.0)
    assert [f.index for f in read_frames(path)[1]] == [0, 1]


def test_slopes_of_the_real_world_stand_in_for_others(tmp_path):
    real = item(RealWorldValueSlope=0.5, RealWorldValueIntercept=-2.0)
    found = frame(tmp_path / "x", RealWorldValueMappingSequence=[real])
    assert (found.slope, found.intercept) == (0.5, -2.0)
    both = frame(tmp_path / "y", RealWorldValueMappingSequence=[real], RescaleSlope=3.0)
    assert (both.slope, both.intercept) == (3.0, 0.0)


@pytest.mark.parametrize(("kind", "value"), [("FL", 0.25), ("UN", struct.pack("<f", 0.25))])
def test_philips_slope_is_found_without_the_name_of_its_block(tmp_path, kind, value):
    ds = header("1.2", "1.3", 4, "t1", Manufacturer="Philips", RescaleSlope=2.0)
    ds.add_new((0x2005, 0x100E), kind, value)
    write(ds, PIXELS, tmp_path / "x")
    assert read_frames(tmp_path / "x")[1][0].philips == 0.25
