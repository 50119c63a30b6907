# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of what keeps and removes backups: roles know them, and they reach the library as they were meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from backupdb.errors import InvalidOption
from backupdb.retention import policy
from backupdb.retention.options import PRUNE_OPTIONS, prune_request_from
from backupdb.system.options import defaults_of

PRUNE = "vya.backupdb.backup_prune"
ROLES = Path(__file__).resolve().parents[2] / "roles"


def test_the_role_passes_what_its_policy_has() -> None:
    variables = yaml.safe_load((ROLES / "prune" / "vars" / "main.yml").read_text(encoding="utf-8"))
    steps = [step for step in variables["__prune_steps"] if step.get("module") == "vya.backupdb.backup_prune"]
    (passed,) = (step["options"] for step in steps)
    for name in policy.OPTIONS:
        assert passed[name] == f"{{{{ __prune_policy.{name} | default(omit) }}}}"


def test_options_become_a_request() -> None:
    given = {"repository": "/srv/r", "keep_daily": 3, "acknowledge_gone": ["old*"], "repository_lock_timeout": "2m"}
    request = prune_request_from({**defaults_of(PRUNE_OPTIONS), **given})
    assert (request.policy.keep_daily, request.acknowledge_gone, request.repository_lock_timeout) == (3, ("old*",), 120)
    assert (request.host, request.databases) == (None, ("*",))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"repository": "/srv/r"}, "keeps nothing but the newest"),
        ({"repository": "srv/r", "keep_last": 1}, "absolute path"),
        ({"repository": "/srv/r", "keep_last": 1, "repository_lock_timeout": "soon"}, "option repository_lock_timeout"),
    ],
)
def test_a_wrong_option_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOption, match=text):
        prune_request_from({**defaults_of(PRUNE_OPTIONS), **given})
