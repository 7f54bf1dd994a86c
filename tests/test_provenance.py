"""The record of a result: versions without imports, time, device."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata

from ivdlib import provenance


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == metadata.version("numpy")
    assert found["keras"] == metadata.version("keras")


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-of-ours"))
    assert set(provenance.versions()) == {"python", "numpy"}


def test_no_framework_is_loaded_for_a_record():
    script = (
        "import sys; from ivdlib import provenance; print(provenance.record()['device']);"
        "sys.exit(bool({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == provenance.processor()


def test_a_record_keeps_the_fields_and_is_json():
    record = provenance.record(seed=3, name="crops")
    assert record["seed"] == 3 and record["name"] == "crops"
    assert set(record) == {"seed", "name", "made", "versions", "device"}
    made = datetime.fromisoformat(record["made"])
    assert timedelta(0) <= datetime.now(UTC) - made < timedelta(minutes=1)
    assert json.loads(json.dumps(record)) == record


def test_the_cores_are_those_that_the_process_may_use():
    assert provenance.cores() >= 1
    assert provenance.processor().endswith(f", {provenance.cores()} cores")
