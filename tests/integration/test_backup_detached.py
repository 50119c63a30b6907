# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup task whose run goes on by itself: everything is killed and cut that can be."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.stream import X25519Identity
from support.ansible import Ansible, ModuleRun
from support.library import IDENTITY, RECIPIENT, at_work, wait_for
from support.process_watch import ProcessWatch
from support.servers import PrivateServer

BACKUP = "vya.backupdb.database_backup"
RUNS = Path("/var/tmp")  # noqa: S108
# By this the runs of these tests are told from those of other tests on this machine, which detach theirs too.
INSTANCE = f"shop{os.getpid()}"
# What differs between any two runs, and what waiting for a task of Ansible's own adds to its result.
CHANGING = {"run_id", "path", "duration", "rate", "sha256", "message", "diff", "stored_bytes"}
OF_ASYNC = {"ansible_job_id", "results_file", "started", "finished", "stdout", "stdout_lines", "stderr", "stderr_lines"}
# As an ssh that can be cut: it runs the command here, until there is the file beside it.
SSH = """#!/bin/bash
cut=$(dirname "$0")/cut
[ -e "$cut" ] && { echo "ssh: connect to host: No route to host" >&2; exit 255; }
exec 3<&0 4> >(exec cat)
output=$!
setsid /bin/sh -c "${@: -1}" <&3 >&4 2>&4 3<&- 4>&- &
remote=$!
exec 3<&- 4>&-
while kill -0 $remote 2>/dev/null; do
    [ -e "$cut" ] && { kill $output; echo "Connection closed by remote host" >&2; exit 255; }
    sleep 0.05
done
wait $remote
status=$?
wait $output
exit $status
"""


@pytest.fixture(scope="module")
def big(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    """A server with a database of about seven megabytes that can hardly be compressed."""
    postgres15.sql("CREATE DATABASE big")
    postgres15.sql(
        "CREATE TABLE noise AS SELECT g AS id, gen_random_uuid()::text || gen_random_uuid()::text AS words"
        " FROM generate_series(1, 180000) g",
        database="big",
    )
    yield postgres15
    postgres15.sql("DROP DATABASE big")


def run_folders() -> list[Path]:
    """The folders of this test's runs."""
    found = []
    for path in RUNS.glob("backupdb-run-*/begun.json"):
        with suppress(FileNotFoundError):  # another test has cleared its own away
            if f'"{INSTANCE}"' in path.read_text():
                found.append(path.parent)
    return found


@pytest.fixture(autouse=True)
def _no_folders_stay() -> Iterator[None]:
    yield
    for folder in run_folders():
        shutil.rmtree(folder, ignore_errors=True)


def options_for(server: PrivateServer, repository: Path, *, seconds: float = 0, **more: Any) -> dict[str, Any]:
    """Options for a backup; `seconds` is about how long it shall take. None takes an option away."""
    options = {
        "instance": INSTANCE,
        "engine": server.engine,
        **server.login,
        "databases": ["big"],
        "accounts": False,
        "repository": str(repository),
        "recipients": [RECIPIENT],
        **({"bandwidth_limit": str(int(7_300_000 / seconds))} if seconds else {}),
        **more,
    }
    return {name: value for name, value in options.items() if value is not None}


class Background(threading.Thread):
    """The task in a thread of this process."""

    def __init__(self, ansible: Ansible, options: Mapping[str, Any], module: str = BACKUP, **run_options: Any) -> None:
        super().__init__(daemon=True)
        self._scratch = str(ansible.home.parent)
        self._work: Callable[[], ModuleRun] = lambda: ansible.run_module(module, options, **run_options)
        self._ended: list[ModuleRun | BaseException] = []
        self.start()

    def run(self) -> None:
        try:
            self._ended.append(self._work())
        except BaseException as error:  # noqa: BLE001  the one who asks for the result shall have it
            self._ended.append(error)

    def result(self) -> ModuleRun:
        self.join(90)
        ended = self._ended[0]
        if isinstance(ended, BaseException):
            raise ended
        return ended

    def pids(self, program: str, *, detached: bool = False) -> list[int]:
        """Processes of the task by a word of their command line; the detached run leads its session."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            pid = int(path.parent.name)
            try:
                words = path.read_text(errors="replace").split("\0")
                leads = os.getsid(pid) == pid
            except OSError:  # it ended in between
                continue
            ours = any(self._scratch in word for word in words)
            if ours and leads == detached and any(program in Path(word).name for word in words[:2]):
                found.append(pid)
        return found

    def run_with_client(self, module: str = "database_backup", program: str = "pg_dump") -> tuple[int, int]:
        """Wait until the run dumps, or what else its client does; return its pid and that of the client."""

        def look() -> tuple[int, int] | None:
            for pid in self.pids(f"AnsiballZ_{module}", detached=True):
                client = at_work(pid, program)
                if client is not None:
                    return pid, client
            return None

        found: tuple[int, int] = wait_for(look, what="the client of the detached run")
        return found


def backups(repository: Path) -> list[Path]:
    return list(repository.glob(f"*/{INSTANCE}/big/2*/manifest.json"))


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def shape(value: Any) -> Any:
    """A result without what differs between any two runs."""
    if isinstance(value, dict):
        return {key: "..." if key in CHANGING else shape(item) for key, item in value.items() if key not in OF_ASYNC}
    return [shape(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param({}, None, marks=pytest.mark.distro),
        ({"accounts": True, "login_password": "wrong-but-long-enough"}, "ConnectionFailed"),
        ({"recipients": ["age1nobody"]}, "InvalidOption"),
    ],
    ids=["ok", "wrong password", "wrong recipient"],
)
def test_a_detached_run_returns_what_an_attached_one_does(
    ansible: Ansible, big: PrivateServer, scratch: Path, change: dict[str, Any], kind: str | None
) -> None:
    """Attached is a run with the task's own `async`."""
    results = {}
    for name, task in (("detached", {}), ("attached", {"async": 60, "poll": 1})):
        folder = scratch / "repository"
        folder.mkdir(mode=0o700)
        environment = {"ANSIBLE_ASYNC_DIR": str(scratch / "async")}
        run = ansible.run_module(
            BACKUP, options_for(big, folder, **change), task=task, diff=True, verbosity=3, environment=environment
        )
        assert run.failed == (kind is not None), run.output
        assert run.result.get("error_kind") == kind
        results[name] = shape(run.result)
        shutil.rmtree(folder)
    assert results["detached"] == results["attached"]


def test_a_short_run_shows_no_lines_and_a_long_one_shows_how_far_it_is_and_nothing_secret(
    ansible: Ansible, big: PrivateServer, scratch: Path, repository: Path
) -> None:
    passphrase = secrets.token_urlsafe(18)
    options = options_for(big, repository, seconds=9, passphrase=passphrase, recipients=None)
    with ProcessWatch(interval=0.03) as watch:
        variables = {"backupdb_progress_interval": 1, "ansible_remote_tmp": str(scratch / "r")}
        task = Background(ansible, options, verbosity=4, extra_vars=variables)
        task.run_with_client()
        (folder,) = run_folders()
        # The start is over when its module, with its options, is gone from the disk: long before the run.
        wait_for(lambda: task.pids("AnsiballZ_detached_run"), what="the following")
        assert (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid) == (0o700, os.geteuid())
        on_disk = [path for below in (folder, scratch / "r") for path in below.rglob("*") if path.is_file()]
        assert [path.name for path in on_disk if path.name.startswith("AnsiballZ_detached_run")]
        for secret in (passphrase, big.password):
            assert [path for path in on_disk if secret.encode() in path.read_bytes()] == []
        run = task.result()
    assert not run.failed, run.output
    assert run.result["status"] == "ok"
    lines = [line for line in run.output.splitlines() if line.startswith(f"localhost: {INSTANCE}: ")]
    assert 1 <= len(lines) <= 12  # a busy machine is asked less often
    assert "0 of 1 done, now big; " in lines[0]
    assert {"pg_dump"} <= watch.programs()
    for secret in (passphrase, big.password):
        assert secret not in run.output
        assert watch.find(secret) == []
    assert not folder.exists()  # its result was fetched
    quick = ansible.run_module(BACKUP, options_for(big, repository), extra_vars={"backupdb_progress_interval": 1})
    assert f"localhost: {INSTANCE}: " not in quick.output


def test_the_starting_module_may_be_killed(ansible: Ansible, big: PrivateServer, repository: Path) -> None:
    task = Background(ansible, options_for(big, repository))
    run, client = task.run_with_client()
    os.kill(client, signal.SIGSTOP)  # the run lasts until its starter is gone
    (module,) = task.pids("AnsiballZ_database_backup")
    os.kill(module, signal.SIGKILL)
    assert is_there(run)
    os.kill(client, signal.SIGCONT)
    ended = task.result()
    assert not ended.failed, ended.output
    assert ended.result["status"] == "ok"
    assert len(backups(repository)) == 1


def test_a_killed_run_leaves_no_client_and_fails_the_task_with_a_clear_message(
    ansible: Ansible, big: PrivateServer, repository: Path
) -> None:
    task = Background(ansible, options_for(big, repository, seconds=60))
    run, client = task.run_with_client()
    wait_for(lambda: task.pids("AnsiballZ_detached_run"), what="the following")
    os.kill(run, signal.SIGKILL)
    wait_for(lambda: not is_there(client), what="the end of the dump client")
    ended = task.result()
    assert ended.failed
    assert (ended.result["error_kind"], ended.result["status"]) == ("RunLost", "failed")
    assert ended.result["instance"] == INSTANCE
    assert "is no more and left no result" in ended.message
    assert "0 of 1 done, now big" in ended.message
    assert backups(repository) == []
    assert not ansible.run_module(BACKUP, options_for(big, repository)).failed


def test_a_run_ends_by_itself_when_the_playbook_is_killed_and_another_one_is_busy_meanwhile(
    ansible: Ansible, big: PrivateServer, repository: Path
) -> None:
    task = Background(ansible, options_for(big, repository))
    run, client = task.run_with_client()
    os.kill(client, signal.SIGSTOP)  # the run lasts as long as the second one needs, however busy the machine is
    for pid in [*task.pids("ansible-playbook"), *task.pids("ansible-playbook", detached=True)]:
        os.kill(pid, signal.SIGKILL)
    second = ansible.run_module(BACKUP, options_for(big, repository))
    assert second.failed
    assert second.result["error_kind"] == "LockBusy"
    assert f"pid {run}" in second.message
    os.kill(client, signal.SIGCONT)
    wait_for(lambda: not is_there(run), what="the end of the run")
    assert len(backups(repository)) == 1


def test_a_connection_that_is_lost_during_the_run_is_made_again_and_the_result_is_the_run_s(
    ansible: Ansible, big: PrivateServer, scratch: Path, repository: Path
) -> None:
    program = scratch / "ssh"
    program.write_text(SSH, encoding="utf-8")
    program.chmod(0o700)
    variables = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(program),
        "ansible_ssh_transfer_method": "piped",
        "ansible_remote_tmp": str(scratch / "r"),
    }
    task = Background(ansible, options_for(big, repository), extra_vars=variables)
    run, client = task.run_with_client()
    os.kill(client, signal.SIGSTOP)  # the run lasts until the host has been out of reach, however busy the machine is
    wait_for(lambda: task.pids("AnsiballZ_detached_run"), what="the following")
    (scratch / "cut").touch()
    time.sleep(3)  # the host is out of reach meanwhile
    assert is_there(run)
    (scratch / "cut").unlink()
    os.kill(client, signal.SIGCONT)
    ended = task.result()
    assert not ended.failed, ended.output
    assert ended.result["status"] == "ok"
    assert "the connection is lost; the work goes on on the host" in ended.output
    assert len(backups(repository)) == 1


@pytest.fixture
def stored(ansible: Ansible, big: PrivateServer, repository: Path) -> Iterator[dict[str, Any]]:
    """What opens the backup of `big`, in the words of all modules that read."""
    assert not ansible.run_module(BACKUP, options_for(big, repository, recipients=[IDENTITY.recipient])).failed
    yield {"repository": str(repository), "identity": IDENTITY.reveal()}
    big.sql("DROP DATABASE IF EXISTS back")


def restore_of(big: PrivateServer, stored: Mapping[str, Any]) -> dict[str, Any]:
    server = {"engine": "postgresql", **big.login, "instance": INSTANCE, "target": "back"}
    return {**stored, **server, "database": "big", "latest": True}


@pytest.mark.parametrize("work", ["restore", "drill", "verify"])
def test_what_reads_backups_returns_the_same_detached_or_not(
    ansible: Ansible, big: PrivateServer, stored: dict[str, Any], work: str, scratch: Path
) -> None:
    module, options = {
        "restore": ("database_restore", restore_of(big, stored)),
        "drill": ("backup_drill", stored),
        "verify": ("backup_verify", {**stored, "level": "decrypt"}),
    }[work]
    kinds = []
    for task in ({}, {"async": 90, "poll": 1}):
        environment = {"ANSIBLE_ASYNC_DIR": str(scratch / "async")}
        run = ansible.run_module(f"vya.backupdb.{module}", options, task=task, environment=environment)
        assert not run.failed, run.output
        kinds.append({key: type(value) for key, value in run.result.items() if key not in OF_ASYNC})
        big.sql("DROP DATABASE IF EXISTS back")
    assert kinds[0] == kinds[1]
    assert run_folders() == []
    bad = ansible.run_module(f"vya.backupdb.{module}", {**options, "identity": X25519Identity.generate().reveal()})
    assert bad.failed
    words = "what was given does not fit" if work == "restore" else "the keys that were given do not open the backup"
    assert words in bad.message


def test_a_restore_ends_by_itself_when_the_playbook_is_killed(
    ansible: Ansible, big: PrivateServer, stored: dict[str, Any]
) -> None:
    task = Background(ansible, restore_of(big, stored), "vya.backupdb.database_restore")
    run, client = task.run_with_client("database_restore", "pg_restore")
    os.kill(client, signal.SIGSTOP)
    for pid in [*task.pids("ansible-playbook"), *task.pids("ansible-playbook", detached=True)]:
        os.kill(pid, signal.SIGKILL)
    (folder,) = run_folders()
    os.kill(client, signal.SIGCONT)
    wait_for(lambda: not is_there(run), what="the end of the run")
    assert big.sql("SELECT count(*) FROM noise", database="back") == [(180000,)]
    followed = ansible.run_module("vya.backupdb.detached_run", {"run_id": folder.name.rpartition("-")[2], "wait": 0})
    assert (followed.result["status"], followed.result["target"]) == ("restored", "back")
