# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks: how they are read, and that a program is ended whatever it does."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest
from backupdb.engines.interface import Engine
from backupdb.errors import HookFailed, InvalidOption
from backupdb.hooks.one_hook import run_hook
from backupdb.hooks.options import hooks_from
from backupdb.hooks.run import Hooks
from backupdb.hooks.values import Hook, HookResult

NO_ENGINE = cast(Engine, None)  # a command needs none
TRUE: dict[str, Any] = {"when": "before", "command": ["/bin/true"]}


def hook(*command: str, **options: Any) -> Hook:
    return hooks_from([{"when": "before", "command": list(command), **options}])[0]


def run(one: Hook, *, timeout: float = 20.0, cancel: threading.Event | None = None) -> HookResult:
    facts = {"BACKUPDB_DATABASE": '$(touch x); "\n'}
    return run_hook(one, NO_ENGINE, None, facts, cancel or threading.Event(), timeout)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"when": "later"}, r"hooks\[1\].when: 'later' is not one of before, after, on_failure"),
        ({"per": "table"}, r"hooks\[1\].per: 'table' is not one of run, database"),
        ({"on_error": "ignore"}, r"hooks\[1\].on_error: 'ignore' is not one of fail, warn"),
        ({"command": None}, "give one of command, a list of words, and sql"),
        ({"sql": "SELECT 1"}, "give one of command, a list of words, and sql"),
        ({"command": ["true"]}, "'true' must be the absolute path of a program"),
        ({"command": ["/bin/echo", "a\0b"]}, "must be the absolute path"),
        ({"command": "/bin/true"}, r"hooks\[1\].command"),
        ({"databases": ["shop"]}, "only a hook with per: database has databases"),
        ({"timeout": "0s"}, "a hook needs a time limit"),
        ({"timeout": "soon"}, r"hooks\[1\]: option timeout: "),
        ({"shell": ["/bin/true"]}, r"hooks\[1\].shell is not known"),
    ],
)
def test_a_wrong_hook_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        hooks_from([TRUE, {**TRUE, **change}])


def test_nothing_is_no_hook_and_defaults_are_filled_in() -> None:
    assert hooks_from(None) == ()
    only = hooks_from([TRUE])[0]
    assert (only.per, only.timeout, only.required, only.title) == ("run", 300, True, "true")


def test_a_hook_is_for_its_moment_and_its_databases() -> None:
    each = hook("/bin/true", per="database", databases=["shop*"])
    assert each.is_for("before", "shop_1")
    assert not each.is_for("before", "wiki")
    assert not each.is_for("before", None)
    assert not each.is_for("after", "shop_1")
    assert not hook("/bin/true").is_for("before", "shop_1")


def test_a_program_gets_its_words_as_they_are_and_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret of the environment")
    result = run(hook("/usr/bin/env"))
    assert result.error is None
    assert 'BACKUPDB_DATABASE=$(touch x); "' in result.output
    assert "secret" not in result.output
    assert run(hook("/bin/echo", "$HOME;", "`id`")).output == "$HOME; `id`"


def test_a_program_that_fails_is_told_with_what_it_said_last_and_not_with_its_arguments() -> None:
    result = run(hook("/bin/sh", "-c", "seq 5000; echo 'the cluster is gone' >&2; exit 7", "token-of-mine"))
    assert result.error is not None
    assert "exit status 7" in result.error
    assert result.error.endswith("the cluster is gone")
    assert "token-of-mine" not in f"{result.to_dict()}"
    assert len(result.output) <= 4096


@pytest.mark.parametrize("script", ["sleep 60", "trap '' TERM; yes", "sleep 60 & wait"])
def test_a_program_is_ended_when_its_time_is_up(script: str) -> None:
    began = time.monotonic()
    result = run(hook("/bin/sh", "-c", script), timeout=0.3)
    assert result.error == "not finished within timeout (0.3 seconds)"
    assert time.monotonic() - began < 15


def test_a_daemon_that_a_program_leaves_behind_holds_nobody_up(tmp_path: Path) -> None:
    began = time.monotonic()
    result = run(hook("/bin/sh", "-c", f"setsid sleep 30 & echo $! >{tmp_path}/pid; echo started"))
    assert (result.error, result.output) == (None, "started")
    assert time.monotonic() - began < 10
    assert run(hook("/bin/sh", "-c", f"kill $(cat {tmp_path}/pid)")).error is None


def test_a_program_ends_when_the_run_is_asked_to_stop_and_those_after_it_still_run(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    note = {"when": "after", "command": ["/bin/sh", "-c", f"echo $BACKUPDB_STATUS >{tmp_path}/said"]}
    hooks = Hooks(hooks_from([{**TRUE, "command": ["/bin/sleep", "60"]}, note]), NO_ENGINE, {}, cancel)
    with pytest.raises(HookFailed, match="the run was asked to stop"):
        hooks.around(lambda: None, lambda _done: {"STATUS": "ok"})
    assert (tmp_path / "said").read_text(encoding="utf-8") == "failed\n"


def test_a_program_that_is_not_there_is_named() -> None:
    assert "/no/such/program is not a program that the user" in str(run(hook("/no/such/program")).error)


def test_those_afterwards_run_whatever_ended_the_work(tmp_path: Path) -> None:
    note = {"when": "after", "command": ["/bin/sh", "-c", f'echo "$BACKUPDB_MESSAGE" >{tmp_path}/said']}
    hooks = Hooks(hooks_from([note]), NO_ENGINE, {}, threading.Event())

    def work() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        hooks.around(work, lambda _done: {"STATUS": "ok"})
    assert "No space left on device" in (tmp_path / "said").read_text(encoding="utf-8")
