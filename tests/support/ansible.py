# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks and modules of the collection on localhost, the way a user does, and read the results as dicts.

Results come from a small callback plugin of the tests (`support/callback_plugins/record_results.py`), so that the
usual screen output stays what a user would see: it is in `output`, for looking for secrets and for messages.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import run_state
from support.measuring import measuring_modules

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = Path(__file__).resolve().parent
# Variables of a host that is away.
UNREACHABLE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
# The Python under which modules run; default is the one that runs the tests.
INTERPRETER_VARIABLE = "BACKUPDB_TEST_INTERPRETER"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class TaskResult:
    """What one task (or one item of its loop) gave on one host."""

    host: str
    task: str
    action: str
    kind: str  # ok, failed, skipped, unreachable, item_ok, item_failed, item_skipped
    result: dict[str, Any]


@dataclass(frozen=True)
class AnsibleRun:
    """A finished run of ansible-playbook. `output` is standard output and standard error together."""

    returncode: int
    output: str
    results: list[TaskResult]
    stats: dict[str, Any]

    def lines(self) -> int:
        """Number of lines on the screen, empty ones too."""
        return len(self.output.splitlines())

    def is_quiet(self) -> bool:
        """Tell whether the screen has no more lines than people read: 12, and 3 for each host."""
        return self.lines() <= 12 + 3 * len(self.stats["hosts"])

    def shows(self, name: str) -> list[str]:
        """The lines that the screen has below the banner of the task, without those of the hosts."""
        below = self.output.partition(f" : {name}] ")[2].split("\n\n")[0].splitlines()[1:]
        return [line for line in below if not line.startswith(("ok: [", "changed: ["))]

    def of_task(self, name: str, *, host: str | None = None) -> list[TaskResult]:
        """Results of the task named `name` (with or without `role : ` before it)."""
        return [
            result
            for result in self.results
            if name in (result.task, result.task.partition(" : ")[2]) and host in (None, result.host)
        ]

    def summary(self, name: str) -> Any:
        """What a role left for whoever called the playbook, by `set_stats`."""
        return self.stats["custom"]["_run"][name]

    def of_action(self, action: str, *, host: str | None = None) -> list[TaskResult]:
        """Results of the tasks that ran the module `action`, a full name such as `vya.backupdb.database_info`."""
        return [result for result in self.results if result.action == action and host in (None, result.host)]


@functools.cache
def collection_tree() -> Path:
    """Folder for ANSIBLE_COLLECTIONS_PATH with the checkout as it is now."""
    subprocess.run([sys.executable, str(ROOT / "tools" / "lib" / "collection_tree.py")], check=True)
    return ROOT / ".cache"


@functools.cache
def packed_modules() -> Path:
    """Folder in which the runs of this test session share modules as Ansible has packed them."""
    return run_state.new_folder("a")


def ansible_program(name: str) -> Path:
    """ansible-playbook and its sisters: from the project's environment, else from beside the running Python."""
    for folder in (ROOT / ".cache" / "venv" / "bin", Path(sys.executable).parent):
        if (folder / name).exists():
            return folder / name
    raise RuntimeError(f"{name} is not installed: run ./tools/test unit once")


class Ansible:
    """Runs Ansible with a home, temporary files and configuration of its own under `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.interpreter = os.environ.get(INTERPRETER_VARIABLE, sys.executable)
        self._runs = 0

    def environment(self) -> dict[str, str]:
        """Environment of ansible-playbook: nothing of the caller's but PATH."""
        return {
            **measuring_modules(),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.home / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.home / "remote"),
            "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()),
            "ANSIBLE_CALLBACK_PLUGINS": str(SUPPORT / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "record_results",
            "BACKUPDB_TEST_PACKED_MODULES": str(packed_modules()),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        }

    def run_playbook(
        self,
        playbook: str | Path | Sequence[Mapping[str, Any]],
        *,
        inventory: str | Path | Mapping[str, Any] | None = None,
        extra_vars: Mapping[str, Any] | None = None,
        verbosity: int = 0,
        check: bool = False,
        diff: bool = False,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> AnsibleRun:
        """Run a playbook: a path, the name of one in the collection, or a list of plays.

        `inventory` is a path or an inventory as a dict; default is `localhost` over the local connection.
        """
        self._runs += 1
        here = self.home / f"run{self._runs}"
        here.mkdir(mode=0o700, parents=True)
        command = [str(ansible_program("ansible-playbook")), *self._inventory(inventory, here)]
        # By file, not by argument: the values may be secrets, and argument lists are looked at by tests.
        variables = {"ansible_python_interpreter": self.interpreter, **(extra_vars or {})}
        command += ["--extra-vars", f"@{write_json(here / 'extra_vars.json', variables)}"]
        command += ["-" + "v" * verbosity] if verbosity else []
        command += [option for option, wanted in (("--check", check), ("--diff", diff)) if wanted]
        command += [*arguments, self._playbook(playbook, here)]
        record = here / "results.jsonl"
        done = subprocess.run(
            command,
            cwd=here,
            env={**self.environment(), "BACKUPDB_TEST_RECORD": str(record), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=timeout,
        )
        return read_run(done.returncode, done.stdout.decode(errors="replace"), record)

    def run_module(
        self,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        task: Mapping[str, Any] | None = None,
        **run_options: Any,
    ) -> ModuleRun:
        """Run one module by a task on localhost; `task` are further keywords of the task (environment, become)."""
        step = {"name": "Run the module", name: dict(options or {}), **(task or {})}
        play = {"name": "Test", "hosts": "all", "gather_facts": False, "tasks": [step]}
        run = self.run_playbook([play], **run_options)
        results = run.of_task("Run the module")
        if len(results) != 1:
            raise AssertionError(f"the module {name} gave {len(results)} results: {run.output}")
        return ModuleRun(result=results[0].result, output=run.output, failed=results[0].kind != "ok")

    def _inventory(self, inventory: str | Path | Mapping[str, Any] | None, here: Path) -> list[str]:
        if inventory is None:
            inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
        if isinstance(inventory, Mapping):
            inventory = write_json(here / "inventory.yml", inventory)
        return ["--inventory", str(inventory)]

    def _playbook(self, playbook: str | Path | Sequence[Mapping[str, Any]], here: Path) -> str:
        if isinstance(playbook, (str, Path)):
            return str(playbook)
        return str(write_json(here / "playbook.yml", playbook))


@dataclass(frozen=True)
class ModuleRun:
    """What a module returned, and what the screen showed."""

    result: dict[str, Any]
    output: str
    failed: bool

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))


def this_machine(scratch: Path, **variables: Any) -> dict[str, Any]:
    """Variables of hosts that are all this machine, as it is, each with a state folder of its own below `scratch`."""
    return {
        "ansible_connection": "local",
        "backupdb_install": "none",
        "backupdb_state_dir": str(scratch / "state-{{ inventory_hostname }}"),
        **variables,
    }


def write_json(path: Path, value: Any) -> Path:
    """Write `value` as JSON, which is YAML too, readable by the owner only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def read_run(returncode: int, output: str, record: Path) -> AnsibleRun:
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    entries = [json.loads(line) for line in lines]
    results = [TaskResult(**entry) for entry in entries if entry["kind"] != "stats"]
    stats: dict[str, Any] = next((entry["stats"] for entry in entries if entry["kind"] == "stats"), {})
    return AnsibleRun(returncode=returncode, output=output, results=results, stats=stats)
