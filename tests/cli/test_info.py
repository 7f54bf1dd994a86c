"""`info` is quiet and complete."""

import json
import os
import subprocess
import sys


def test_info_is_quiet_and_complete(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", "ivdlib", "info", "--json"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["versions"]["keras"] and found["backend"] and found["cores"] >= 1
    assert done.stderr == "", "the start-up chatter of the framework reaches the user"
