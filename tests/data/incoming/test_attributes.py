"""Where an attribute is looked for, and what is no value."""

from made_up_dicom import item

from ivdlib.data.incoming.attributes import Attributes


def test_a_frames_own_value_goes_before_that_of_all_and_of_the_file():
    own = item(MREchoSequence=[item(EffectiveEchoTime=1.0)])
    shared = item(MREchoSequence=[item(EffectiveEchoTime=2.0)])
    file = item(EffectiveEchoTime=3.0)
    found = [Attributes(file, *groups).number("EffectiveEchoTime", "MREchoSequence")
             for groups in ((shared, own), (shared, None), (None, None))]  # fmt: skip
    assert found == [1.0, 2.0, 3.0]


def test_what_is_no_number_is_none():
    h = Attributes(item(PatientName="A^B", PixelSpacing=[1.0, 2.0]), None, None)
    assert h.number("PatientName") is None and h.number("EchoTime") is None
    assert h.number("PixelSpacing") == 1.0
    assert h.numbers("PixelSpacing", "", 2) == (1.0, 2.0) and not h.numbers("PixelSpacing", "", 3)
    assert h.texts("PatientName") == ("A^B",) and h.texts("ImageType") == ()
