"""`phantom` makes what `check` accepts."""

import json

from commands import run


def test_phantom_and_check(capsys, tmp_path):
    where = tmp_path / "phantom"
    size = ("--subjects", 2, "--stages", 1, "--slices", 2, "--in-plane", 64, "--workers", 1)
    status, out, _ = run(capsys, "phantom", where, *size)
    assert status == 0 and "2 subjects" in out
    status, out, _ = run(capsys, "check", where, "--json")
    found = json.loads(out)["cases"]
    assert status == 0
    assert [row["case"] for row in found] == ["01", "02"]
    assert found[0]["copies"] == [] and found[0]["errors"] == []
