"""Pictures of cases with findings."""

import shutil

import numpy as np

from ivdlib.data.quality import checks


def test_pictures_are_kept_of_cases_with_findings_about_their_images(tmp_path, write_case):
    write_case(tmp_path, "x")  # only its subject is assumed
    write_case(tmp_path, "y", copy=("wat", "inn"))
    write_case(tmp_path, "z", truncated="fat")
    assert not any(one.panels for one in checks.examine(tmp_path))
    x, y, z = checks.examine(tmp_path, pictures=True)
    assert x.panels == ()
    assert [p.title for p in y.panels] == [
        "wat (= inn)",
        "inn (= wat)",
        "fat",
        "opp",
        "wat† (derived)",
    ]
    assert [p.title for p in z.panels] == ["wat", "inn", "opp"]
    np.testing.assert_array_equal(y.panels[0].plane, y.panels[1].plane)
    assert all(p.plane.shape == p.discs.shape == (24, 28) for p in (*y.panels, *z.panels))


def test_of_the_masks_only_the_labels_are_shown(scan, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(scan, folder)
    (folder / "01" / "01_opp.nii.gz").unlink()
    (one,) = checks.examine(folder, pictures=True)
    assert [panel.title for panel in one.panels] == ["wat", "fat", "inn", "opp† (derived)"]


def test_images_of_several_grids_are_shown_each_on_its_own(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"opp": lambda a: a[:, :12, ::2]})
    (one,) = checks.examine(tmp_path, pictures=True)
    shapes = {panel.title: panel.plane.shape for panel in one.panels}
    assert shapes == {"wat": (24, 28), "fat": (24, 28), "inn": (24, 28), "opp": (12, 14)}
    assert one.panels[-1].discs is None
