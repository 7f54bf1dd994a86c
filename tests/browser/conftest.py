"""JupyterLab in Chromium, without a network: what the tests in a browser share.

A test module gives a fixture `checkout`, the folder that JupyterLab is started in.
"""

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

import pytest
from scripts import need

# No look-up of Google's hosts at every start; a browser that root may start; WebGL in software.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--enable-unsafe-swiftshader",
]
SETTINGS = {
    # the news pop-up covers the notebook, and asks the network
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # every cell in the page, whether one sees it or not
    "notebook-extension/tracker": {"windowingMode": "none"},
}
STATE = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
  const told = document.querySelectorAll('[data-mime-type="application/vnd.jupyter.stderr"]');
  const images = [...document.querySelectorAll('.jp-OutputArea-output img')];
  return {
    prompts: prompts.map(p => p.textContent.trim()),
    told: [...told].map(e => e.textContent.slice(-300)),
    images: images.filter(i => i.complete && i.naturalWidth > 50).length,
  };
}"""


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
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # it waits for a kernel that did not start
                process.kill()


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


class Visit:
    """A notebook opened in JupyterLab; notes whom the page asks for anything."""

    def __init__(self, browser, address: str, token: str, notebook: str, script: str = "") -> None:
        self._address, self._token, self._asked = address, token, []
        self.page = browser.new_page(viewport={"width": 1400, "height": 1000})
        self.page.add_init_script(script)
        self.page.on("request", lambda request: self._asked.append(request.url))
        self.page.on("websocket", lambda socket_: self._asked.append(socket_.url))
        # A workspace of its own: JupyterLab would open the notebooks of the visit before, too.
        workspace = f"visit-{secrets.token_hex(4)}"
        self.page.goto(f"{address}/lab/workspaces/{workspace}/tree/{notebook}?token={token}")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)

    @property
    def hosts(self) -> set[str]:
        """All that were asked so far."""
        urls = [url for url in self._asked if not url.startswith(("data:", "blob:"))]
        return {urlsplit(url).hostname for url in urls}

    def leave(self) -> None:
        """Close the page and end its kernel."""
        self.page.close()
        for kernel in self._kernels():
            place = f"{self._address}/api/kernels/{kernel['id']}?token={self._token}"
            urllib.request.urlopen(urllib.request.Request(place, method="DELETE"), timeout=30)

    def run_all(self, picture: Path) -> dict:
        """Run all cells by the menu and give the state then; a picture of the page is kept."""
        self._wait_for_kernel()
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            return self._wait_until_run()
        finally:
            self.page.screenshot(path=picture)

    def _wait_for_kernel(self, seconds: float = 90) -> None:
        """Wait until the kernel is idle and the page connected; what is run earlier gets lost."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(k["connections"] and k["execution_state"] == "idle" for k in self._kernels()):
                # hidden where the page is narrow
                idle = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
                self.page.wait_for_selector(idle, state="attached")
                self.page.wait_for_timeout(1000)
                return
            self.page.wait_for_timeout(300)
        pytest.fail(f"no kernel within {seconds} s: {self._kernels()}")

    def _kernels(self) -> list[dict]:
        """Kernels of the server; none while one starts and cannot be asked yet."""
        address = f"{self._address}/api/kernels?token={self._token}"
        try:
            with urllib.request.urlopen(address, timeout=10) as reply:
                return json.load(reply)
        except OSError:
            return []

    def _wait_until_run(self, seconds: float = 480) -> dict:
        """State of the notebook when each cell has been run, or one has failed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.page.evaluate(STATE)
            shown = [prompt for prompt in state["prompts"] if prompt]  # folded cells show none
            run = [prompt for prompt in shown if prompt.strip("[]:").isdigit()]
            if run and not any("*" in prompt for prompt in shown):
                self.page.wait_for_timeout(1000)  # the last picture
                state = self.page.evaluate(STATE)
                # An error ends the run; what it says has the same type as messages of a cell.
                errors = state["told"][-1:] or ["no cell ran"] if len(run) < len(shown) else []
                return {**state, "errors": errors}
            self.page.wait_for_timeout(500)
        pytest.fail(f"not run within {seconds} s: {state}")


@pytest.fixture
def visit(browser, server):
    """Give the function `visit(notebook, script="")`, which opens a notebook: a `Visit`.

    `script` runs in the page before anything of the page does.
    """
    visits = []

    def _visit(notebook: str, script: str = "") -> Visit:
        visits.append(Visit(browser, *server, notebook, script))
        return visits[-1]

    yield _visit
    for one in visits:
        one.leave()
