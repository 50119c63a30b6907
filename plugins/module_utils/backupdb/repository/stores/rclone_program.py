# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program rclone, from 1.60 on: how it is called, and what its errors mean.

It gets an environment of ours alone: variables such as AWS_CA_BUNDLE or RCLONE_* would decide where backups go. What
opens a remote is in its configuration file, never among the words of a command line.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from ...errors import ClientMissing, InvalidOption, StoreError, StoreFull, StoreRefused, StoreUnavailable
from ...system import process
from .settings import CopySettings

NOTHING_THERE = (3, 4)  # exit statuses: no such folder, no such file
_TEMPORARY = 5
_POLL = 0.2  # seconds
_FLAGS = (
    "--ask-password=false",
    "--retries=1",  # trying again is for `patience`, which knows how long
    "--low-level-retries=2",
    "--contimeout=15s",
    "--timeout=60s",
    "--use-server-modtime",  # when a file arrived, by the store's clock
    "--local-no-set-modtime",
    "--sftp-set-modtime=false",
    "--s3-no-check-bucket",  # a key of a host makes no buckets
)
_SECRET = re.compile(r"(?:pass|secret|token|key|auth|credential|sas_url|connection_string)[a-z_]*\s*=", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b40[13]\b|access ?denied|forbidden|unauthori[sz]ed|permission denied|invalidaccesskeyid|signaturedoesnotmatch|"
    r"unable to authenticate|didn't find section in config|host key|x509|certificate",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left|quota|\b507\b|insufficient ?storage|storage ?full", re.IGNORECASE)
_AWAY = re.compile(
    r"connection (?:refused|reset|timed out)|no such host|time(?:d )?out|\b(?:429|5\d\d)\b|slow ?down|broken pipe|"
    r"unexpected eof|network is unreachable|no route to host|server misbehaving|connection (?:closed|lost)",
    re.IGNORECASE,
)
_LEVEL = re.compile(r"^\S+ \S+ (?:ERROR|NOTICE|CRITICAL|INFO) *: *|^\d{4}/\d\d/\d\d \S+ ")
_SHOWN = 300  # characters of its own words


class Rclone:
    """Calls it for one copy. `check` is called while it is waited for, and may raise."""

    def __init__(self, copy: CopySettings, check: Callable[[], None]) -> None:
        self._copy = copy
        self._check = check
        found = shutil.which("rclone")
        if found is None:
            raise ClientMissing(
                f"copy {copy.name} is of type rclone, and the program rclone is missing on this host: install the "
                "package rclone (1.60 or newer)"
            )
        self._program = found
        self.remote = _remote(copy)
        self._config = _config(copy)

    def target(self, name: str) -> str:
        """Return a file or folder as rclone calls it."""
        if not name:
            return self.remote
        return f"{self.remote}{'' if self.remote.endswith((':', '/')) else '/'}{name}"

    @contextmanager
    def running(self, *words: str, watch: Callable[[str], None] | None = None) -> Iterator[process.Running]:
        """Start it; it is ended when the block is left. `watch` sees what it says on the way."""
        proxy = self._copy.place["proxy"]
        environment = {name: proxy for name in ("HTTP_PROXY", "HTTPS_PROXY")} if proxy else {}
        argv = [self._program, words[0], "--config", self._config, *_FLAGS, *words[1:]]
        program = process.start(argv, environment=environment, watch=watch)
        try:
            yield program
        finally:
            program.close()

    def say(self, doing: str, name: str, *words: str) -> str | None:
        """Return what it says in the end; None when what it was asked about is not there. Raises `StoreError`."""
        with self.running(*words) as program:
            output = b"".join(iter(lambda: program.stdout.read(1 << 16), b""))
            status = program.wait()
            if status in NOTHING_THERE:
                return None
            if status != 0:
                raise self.error(program, status, doing, name)
        return output.decode("utf-8", "replace")

    def wait(self, program: process.Running, meanwhile: Callable[[], None]) -> int:
        """Wait until it has ended; `meanwhile` is called now and then, and may raise."""
        while not program.ended():
            self._check()
            meanwhile()
            time.sleep(_POLL)
        return program.wait()

    def error(self, program: process.Running, status: int, doing: str, name: str) -> StoreError:
        """Say what its end means, and what to do."""
        lines = [words for words in map(_words, program.stderr.lines()) if words]
        words = lines[-1] if lines else process.describe_status(status)
        everything = "\n".join(lines)
        begin = f"copy {self._copy.name}: {doing} {self.target(name)}"
        said = f"rclone says: {' '.join(_without_queries(words).split())[:_SHOWN]}"
        if _FULL.search(everything):
            return StoreFull(f"{begin}: the store is full, or over its quota; make room there ({said})")
        if _REFUSED.search(everything):
            return StoreRefused(f"{begin}: it is refused; look at remote and config_file of this copy ({said})")
        if status == _TEMPORARY or status < 0 or _AWAY.search(everything):
            return StoreUnavailable(f"{begin}: the store gives no answer, or is busy ({said})")
        return StoreError(f"{begin}: {said}")


def _remote(copy: CopySettings) -> str:
    remote = str(copy.place["remote"])
    if ":" not in remote or remote.startswith("-") or not remote.isprintable():
        raise InvalidOption(f"copy {copy.name}: remote {remote!r} is not one of rclone's; write NAME:PATH")
    if remote.startswith(":") and _SECRET.search(remote):
        raise InvalidOption(
            f"copy {copy.name}: remote holds a secret, which every process of this host could read; write a section of "
            "config_file for it, and give that file mode 0600"
        )
    if not remote.startswith(":") and copy.place["config_file"] is None:
        raise InvalidOption(f"copy {copy.name}: remote names a section, so config_file is needed, which has it")
    return remote.rstrip("/") if remote.rstrip("/")[-1:] not in ("", ":") else remote


def _config(copy: CopySettings) -> str:
    path = copy.place["config_file"]
    if path is None:
        return "/dev/null"
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        raise InvalidOption(f"copy {copy.name}: config_file {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise InvalidOption(
            f"copy {copy.name}: config_file {path} must be a file of this user alone; chmod 0600 {path}"
        )
    return str(path)


def sent_bytes(line: str) -> int | None:
    """Return how much has been sent, by a line of its log in JSON; None for lines about other things."""
    try:
        sent = json.loads(line)["stats"]["bytes"]
    except (ValueError, KeyError, TypeError):
        return None
    return sent if isinstance(sent, int) and not isinstance(sent, bool) else None


def _words(line: str) -> str:
    """Return what a line of its log says, which may be JSON; nothing for one that tells of progress."""
    try:
        values = json.loads(line)
    except ValueError:
        return _LEVEL.sub("", line)
    return str(values.get("msg", "")) if isinstance(values, dict) and "stats" not in values else ""


def _without_queries(words: str) -> str:
    """Leave out what follows the path of an address: some stores sign there."""
    return re.sub(r"\?[^\s\"']*", "?...", words)
