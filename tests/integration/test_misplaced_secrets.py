# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret key in an option that is not meant for one is shown nowhere in a result, nor in the options of the call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.careful_module import misplaced_secrets
from support.ansible import Ansible
from support.library import IDENTITY

SECRET = IDENTITY.reveal()
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjE" * 3 + "\n-----END"
SERVER = {"instance": "shop", "engine": "mariadb", "login_unix_socket": "/nowhere/socket", "repository": "/nowhere"}


@pytest.mark.parametrize(
    ("module", "options", "secret"),
    [
        ("database_backup", {**SERVER, "recipients": ["{0}"]}, SECRET),  # ends before it is logged: no run_id
        ("database_backup", {**SERVER, "detached_run_id": "0" * 32, "recipients": ["{0}"]}, SECRET.lower()),
        ("database_backup", {**SERVER, "ssl_mode": "{0}"}, f"# my key\n{SECRET}\n"),
        ("backup_job", {"name": "nightly", "backups": [{"instance": "shop", "recipients": ["{0}"]}]}, SECRET),
        ("backup_info", {"repository": "/nowhere", "host": "{0}"}, PEM),
    ],
)
def test_a_secret_key_in_any_option_is_masked(
    ansible: Ansible, module: str, options: dict[str, Any], secret: str
) -> None:
    given = json.loads(json.dumps(options).replace("{0}", json.dumps(secret)[1:-1]))
    run = ansible.run_module(f"vya.backupdb.{module}", given, verbosity=4, check=True)
    shown = json.dumps(run.result)
    assert "invocation" in run.result
    for line in secret.splitlines():
        if len(line) > 40:
            assert line not in shown


def test_only_texts_that_hold_secret_keys_are_masked() -> None:
    assert list(misplaced_secrets({"a": ["age1public", 5, None, {"b": "PRIVATE KEY"}], "c": True})) == []
    assert list(misplaced_secrets({"a": [{"b": (SECRET,)}]})) == [SECRET, SECRET]
