# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a screen, driven by chromedriver: pages are opened, looked at, tried and photographed.

What chromedriver understands is WebDriver, a protocol of JSON over HTTP, with a way through to Chromium's DevTools.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DRIVER = "/usr/bin/chromedriver"
BROWSER = "/usr/bin/chromium"
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_STARTED = re.compile(r"started successfully on port (\d+)")
_PATIENCE = 60.0  # seconds for one command
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element in WebDriver
ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"


class Browser:
    """One window."""

    def __init__(self, port: int, options: dict[str, Any]) -> None:
        self._base = f"http://127.0.0.1:{port}"
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self._base += f"/session/{session['sessionId']}"

    def close(self) -> None:
        """End the browser."""
        self._call("DELETE", "")

    def open(self, path: Path, *, width: int, height: int = 900, scheme: str = "light", part: str = "") -> None:
        """Open a page at a width of the window and in a colour scheme."""
        self.logs("browser")
        self.logs("performance")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.devtools("Emulation.setEmulatedMedia", features=features)
        self._call("POST", "/url", {"url": "about:blank"})
        self._call("POST", "/url", {"url": path.as_uri() + part})

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a function body in JavaScript returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str) -> Any:
        """Return what a function body hands to its last argument."""
        return self._call("POST", "/execute/async", {"script": script, "args": []})

    def find(self, selector: str) -> str:
        """Return the first element of a CSS selector."""
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        """Click an element as a person would."""
        self._call("POST", f"/element/{self.find(selector)}/click", {})

    def write(self, selector: str, text: str) -> None:
        """Type a text into an element."""
        self._call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements of a selector, as they can be read."""
        script = "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText.trim())"
        found: list[str] = self.run(script, selector)
        return found

    def logs(self, kind: str) -> list[dict[str, Any]]:
        """Return what was logged since the last time: `browser` is the console, `performance` the DevTools."""
        found: list[dict[str, Any]] = self._call("POST", "/se/log", {"type": kind})
        return found

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        messages = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]

    def photograph(self, target: Path, *, whole: bool = False) -> bytes:
        """Take a picture of the window, or of the whole page."""
        data = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        content = base64.b64decode(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return content

    def devtools(self, command: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools."""
        found: dict[str, Any] = self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})
        return found

    def _call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Any:
        body = None if values is None else json.dumps(values).encode()
        request = urllib.request.Request(  # noqa: S310  to ourselves
            self._base + path, data=body, method=method, headers={"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode(errors='replace')[:2000]}") from error


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start a browser with a new profile in this folder, and end it."""
    for program in (DRIVER, BROWSER):
        if not Path(program).exists():
            raise AssertionError(f"{program} is missing: ./tools/test pages installs it")
    options = {
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": BROWSER, "args": [*_ARGUMENTS, f"--user-data-dir={profile}"]},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as driver:
        try:
            window = Browser(_port(driver), options)
            try:
                yield window
            finally:
                window.close()
        finally:
            driver.terminate()


def _port(driver: subprocess.Popen[str]) -> int:
    assert driver.stdout is not None
    said = []
    for line in driver.stdout:
        said.append(line)
        found = _STARTED.search(line)
        if found:
            return int(found[1])
    raise AssertionError(f"chromedriver did not start: {''.join(said)}")
