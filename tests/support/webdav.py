# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private WebDAV server, which rclone itself serves: a store that only rclone reaches."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from support import needs, run_state
from support.private_server import ServerFailed, free_port

_START_SECONDS = 20
_USER = "copies"
_PASSWORD = "webdav-secret-webdav"


class Webdav:
    """The server; its files are below `top`. It ends with the process that started it."""

    def __init__(self) -> None:
        needs.program("rclone", "rclone")
        self.folder = run_state.new_folder("webdav")
        self.top = self.folder / "top"
        self.top.mkdir()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Webdav:
        argv = ["setpriv", "--pdeathsig", "KILL", "--", "rclone", "--config=", "serve", "webdav"]
        argv += [f"--addr=127.0.0.1:{self.port}", f"--user={_USER}", f"--pass={_PASSWORD}", str(self.top)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"rclone does not serve: {(self.folder / 'log').read_text(encoding='utf-8')}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def copy(self, name: str) -> dict[str, Any]:
        """Return the options of a copy in a folder of its own."""
        (self.top / name).mkdir()
        config = Path(self.folder, f"{name}.conf")
        config.touch(mode=0o600)
        obscured = subprocess.run(
            ["rclone", "obscure", "-"], input=_PASSWORD, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        config.write_text(
            f"[dav]\ntype = webdav\nurl = http://127.0.0.1:{self.port}\nvendor = other\nuser = {_USER}\n"
            f"pass = {obscured}\n",
            encoding="utf-8",
        )
        options = {"name": "dav", "type": "rclone", "remote": f"dav:{name}", "config_file": str(config)}
        return {"options": options, "secrets": {}}
