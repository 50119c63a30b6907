# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code that a backup runs in a drill: what it can reach, and that nothing of it outlives the drill."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines import box
from backupdb.engines.workplace import server_user, workplace
from support.drills import servers_in
from support.library import LIBRARY, back_up, wait_for
from support.postgresql_dumps import new_database

MODES = ("namespaces", "none")

# A drill in a process of its own, as whom it is started, with or without namespaces.
_DRILL = """
import json, sys
library, mode, repository, work_dir, identity_file = sys.argv[1:]
sys.path.insert(0, library)
from backupdb.archives.keys import Keys
from backupdb.drill import run as drill
from backupdb.drill.request import DrillRequest
from backupdb.engines import box
if mode == "none":
    box._namespaces_work = lambda *_: False
request = DrillRequest(repository=repository, work_dir=work_dir, keys=Keys(identity_file=identity_file))
print(json.dumps(drill.run(request)["drills"][0]))
"""

# It does nothing on the source, and on a drill's server whatever the program says, whose words become an error.
_HOSTILE = """
CREATE FUNCTION hostile(i int) RETURNS boolean LANGUAGE plpgsql AS $f$
DECLARE said text;
BEGIN
  IF pg_catalog.current_setting('data_directory') LIKE '%backupdb-drill-%' THEN
    CREATE TEMPORARY TABLE words (line text);
    COPY words FROM PROGRAM $p$PROGRAM$p$;
    SELECT pg_catalog.string_agg(line, '; ') INTO said FROM words;
    SLEEP
    RAISE EXCEPTION 'FOUND %', said;
  END IF;
  RETURN true;
END $f$;
CREATE TABLE t (i int CHECK (hostile(i)));
INSERT INTO t VALUES (1);
"""


def hostile_backup(server: Any, repository: Path, program: str, *, sleep: str = "") -> None:
    """Make a backup whose restore runs a program on the server."""
    with new_database(server, "hostile"):
        for statement in _HOSTILE.replace("PROGRAM$p$", f"{program}$p$", 1).replace("SLEEP", sleep).split("\n\n"):
            server.sql(statement, database="hostile")
        back_up(server, repository, databases=["hostile"], accounts=False)


def running(mark: str) -> list[int]:
    """Processes that were started with this word."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


class Drill:
    """Drills as root, and as an ordinary user where we are root."""

    def __init__(self, who: str, mode: str, folders: tuple[Path, Path, Path]) -> None:
        self.repository, self.work_dir, self.identity_file = folders
        self._mode = mode
        self._prefix: list[str] = []
        if who == "ordinary" and os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            for folder in (self.repository, self.work_dir):
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
            os.chown(self.identity_file, account.pw_uid, account.pw_gid)
            self._prefix = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]

    def start(self) -> subprocess.Popen[str]:
        """Start it in the background."""
        words = (LIBRARY, self._mode, self.repository, self.work_dir, self.identity_file)
        return subprocess.Popen(
            [*self._prefix, sys.executable, "-c", _DRILL, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> dict[str, Any]:
        """Run it to its end."""
        output, errors = self.start().communicate(timeout=120)
        assert output, errors
        entry: dict[str, Any] = json.loads(output)
        return entry


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces" and box.isolation(server_user(None)) != "namespaces":
        pytest.fail("this host allows no namespaces, so nothing would be shown of them: run the tests where it does")
    return str(request.param)


@pytest.fixture(params=["root", "ordinary"])
def drill(request: pytest.FixtureRequest, mode: str, repository: Path, work_dir: Path, identity_file: Path) -> Any:
    """A function that makes the drill once the backup is there."""
    if request.param == "root" and os.geteuid() != 0:
        pytest.fail("only root drills as root: run the tests as root")
    return lambda: Drill(request.param, mode, (repository, work_dir, identity_file))


@contextmanager
def listening() -> Iterator[int]:
    """A service of this host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_nothing_that_a_backup_starts_outlives_its_drill(
    postgres15: Any, repository: Path, work_dir: Path, drill: Any, mode: str
) -> None:
    mark = f"98765.{os.getpid()}"
    program = f"for i in 1 2 3; do setsid nohup sleep {mark} </dev/null >/dev/null 2>&1 & done; sleep 0.2; echo started"
    hostile_backup(postgres15, repository, program)
    entry = drill().run()
    assert entry["isolation"] == mode
    assert "FOUND started" in json.dumps(entry["differences"]), entry
    assert running(mark) == []
    assert servers_in(work_dir) == []
    assert list(work_dir.iterdir()) == []


def test_nothing_that_a_backup_starts_outlives_a_killed_drill(
    postgres15: Any, repository: Path, work_dir: Path, drill: Any
) -> None:
    mark = f"87654.{os.getpid()}"
    program = f"setsid nohup sleep {mark} </dev/null >/dev/null 2>&1 & echo started"
    hostile_backup(postgres15, repository, program, sleep="PERFORM pg_catalog.pg_sleep(100);")
    process = drill().start()
    wait_for(lambda: running(mark), seconds=90, what="the program of the backup")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not running(mark) and not servers_in(work_dir), what="the end of all that the drill started")


@pytest.mark.parametrize("mode", ["namespaces"], indirect=True)
def test_code_in_a_backup_reaches_no_network_no_key_and_no_repository(
    postgres15: Any, repository: Path, work_dir: Path, identity_file: Path, drill: Any
) -> None:
    other = work_dir / "other"
    other.write_text("readable for all", encoding="utf-8")
    other.chmod(0o644)
    with listening() as port:
        hostile_backup(
            postgres15,
            repository,
            f"cat {identity_file} {other} /etc/hostname /root/* /home/*/* 2>/dev/null; "
            f"ls -d {repository}/* 2>/dev/null; "
            f'bash -c "echo > /dev/tcp/127.0.0.1/{port}" 2>/dev/null && echo connected; '
            f"ls /proc | grep -qx {os.getpid()} && echo processes; "
            "touch /usr/backupdb /etc/backupdb 2>/dev/null && echo written; "
            "echo users=$(wc -l < /etc/passwd) shm=$(ls /dev/shm | grep -vc PostgreSQL) end",
        )
        entry = drill().run()
    told = json.dumps(entry["differences"])
    assert "FOUND users=1 shm=0 end" in told, entry
    assert entry["warnings"] == [] or "isolation" not in json.dumps(entry["warnings"])


def test_a_drill_without_namespaces_says_so(postgres15: Any, repository: Path, drill: Any, mode: str) -> None:
    with new_database(postgres15, "harmless"):
        postgres15.sql("CREATE TABLE t AS SELECT 1 AS i", database="harmless")
        back_up(postgres15, repository, databases=["harmless"], accounts=False)
    entry = drill().run()
    assert entry["verdict"] == "equal", entry
    assert entry["isolation"] == mode
    assert any(line.startswith("isolation: ") for line in entry["unmatched_settings"]) == (mode == "none")


def test_namespaces_take_little_time(work_dir: Path) -> None:
    with workplace(str(work_dir), server_user(None), socket_name="s") as place:
        assert box.isolation(place.user) == "namespaces"
        took = []
        for _attempt in range(7):
            began = time.monotonic()
            subprocess.run(box.boxed([str(shutil.which("true"))], place), check=True)
            took.append(time.monotonic() - began)
    assert min(took) < 0.2
