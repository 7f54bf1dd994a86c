"""A lesson as a student sees it: JupyterLab in Chromium, "Run All Cells", without a network."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = "01_data_loading"
# No look-up of Google's hosts at every start; and a browser that root may start.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SETTINGS = {
    # the news pop-up covers the notebook, and asks the network
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # every cell in the page, whether one sees it or not
    "notebook-extension/tracker": {"windowingMode": "none"},
}
STATE = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
  const errors = document.querySelectorAll('[data-mime-type="application/vnd.jupyter.error"]');
  const images = [...document.querySelectorAll('.jp-OutputArea-output img')];
  return {
    prompts: prompts.map(p => p.textContent.trim()),
    errors: [...errors].map(e => e.textContent.slice(-300)),
    images: images.filter(i => i.complete && i.naturalWidth > 50).length,
  };
}"""


def need(condition: object, sentence: str) -> None:
    """Skip where a program is missing; fail in CI, where it must not be."""
    if not condition:
        (pytest.fail if os.environ.get("IVDLIB_CI") == "1" else pytest.skip)(sentence)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    need(sync_playwright, "playwright is not installed: pip install -e .[dev]")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    need(path, "Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder that looks like a checkout, with the lesson set to the profile `test`."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "environment.yml").touch()
    (root / "notebooks").mkdir()
    notebook = nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    assert 'profile: str = "smoke"' in cell.source
    cell.source = cell.source.replace('profile: str = "smoke"', 'profile: str = "test"')
    nbformat.write(notebook, root / "notebooks" / f"{LESSON}.ipynb")
    return root


@pytest.fixture(scope="module")
def server(checkout, tmp_path_factory):
    """Address and token of a JupyterLab that knows nothing of this user's settings."""
    home = tmp_path_factory.mktemp("home")
    for name, value in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    own = {
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    environment = os.environ | {name: str(home / place) for name, place in own.items()}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    log = home / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
                *("--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
                f"--ServerApp.root_dir={checkout}",
            ],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield wait_for_server(f"http://127.0.0.1:{port}", token, process, log), token
        finally:
            process.terminate()
            process.wait(30)


def wait_for_server(
    address: str, token: str, process: subprocess.Popen, log: Path, seconds: float = 90
) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=5):
                return address
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.mark.slow
def test_a_lesson_runs_in_jupyterlab_without_a_network(browser, server, checkout, tmp_path):
    address, token = server
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket_: asked.append(socket_.url))
    page.goto(f"{address}/lab/tree/notebooks/{LESSON}.ipynb?token={token}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    wait_for_kernel(address, token, page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    try:
        state = wait_until_run(page)
    finally:
        page.screenshot(path=tmp_path / "jupyterlab.png")
    assert state["errors"] == []
    assert state["images"] >= 1
    assert (checkout / "reports" / "test" / "record.json").is_file()
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def wait_for_kernel(address: str, token: str, page, seconds: float = 90) -> None:
    """Wait until the kernel is idle and the page is connected; what is run earlier gets lost."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{address}/api/kernels?token={token}", timeout=10) as reply:
            kernels = json.load(reply)
        if any(k["connections"] and k["execution_state"] == "idle" for k in kernels):
            page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
            page.wait_for_timeout(1000)
            return
        page.wait_for_timeout(300)
    pytest.fail(f"no kernel within {seconds} s: {kernels}")


def wait_until_run(page, seconds: float = 240) -> dict:
    """State of the notebook when each cell has been run, or one has failed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = page.evaluate(STATE)
        done = all(prompt.strip("[]:").isdigit() for prompt in state["prompts"])
        if state["errors"] or (state["prompts"] and done):
            page.wait_for_timeout(1000)  # the last picture
            return page.evaluate(STATE)
        page.wait_for_timeout(500)
    pytest.fail(f"not run within {seconds} s: {state}")
