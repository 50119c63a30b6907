# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit for AWX, as the tests read and run it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support.ansible import ROOT, Ansible, AnsibleRun, collection_tree
from support.awx_objects import Objects
from support.awx_server import TOKEN, Awx

KIT = ROOT / "examples" / "controller_project"
PLAYBOOKS = sorted(f"playbooks/{path.name}" for path in (KIT / "playbooks").glob("*.yml"))
PREFIX = "Backups:"

SECRETS = {
    "logins": {"logins": "shop-pg: {login_password: first-login}", "admin_logins": ""},
    "copies": {"copy_credentials": "offsite: {secret_access_key: first-copy}"},
    "identity": {"identity": "AGE-SECRET-KEY-1FIRST-IDENTITY"},
    "notifications": {"chat": {"token": "first-token"}},
}
WORDS = ("first-login", "first-copy", "1FIRST-IDENTITY", "first-token")
NOTIFICATIONS = [
    {
        **{"name": "hook", "type": "webhook", "tell": ["error", "approvals"]},
        "configuration": {"url": "https://hooks.example.org/backups"},
    },
    {
        **{"name": "chat", "type": "slack", "tell": ["error"], "secrets": ["token"]},
        "configuration": {"channels": ["dba"], "hex_color": ""},
    },
]
SETTINGS = {"controller_notifications": NOTIFICATIONS}
FIRST = {**SETTINGS, "controller_secrets": SECRETS}


class _Loader(yaml.SafeLoader):
    """Reads what Ansible marks as not to be filled in as the text that it is."""


_Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value))


@cache
def read(name: str) -> Any:
    """A file of the kit, as it is written."""
    return yaml.load((KIT / name).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a safe loader


@dataclass(frozen=True)
class Applied:
    """What an apply left in the controller and on the screen."""

    objects: Objects
    output: str


def awx_collection() -> Path:
    """The folder that has the collection awx.awx."""
    (folder,) = (ROOT / ".cache").glob("awx-*/ansible_collections/awx/awx")
    return folder


def apply(ansible: Ansible, awx: Awx, *, login: Mapping[str, str] | None = None, **options: Any) -> AnsibleRun:
    """Run controller/apply.yml against a controller, with a token unless a `login` is given."""
    paths = (collection_tree(), awx_collection().parents[2])
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, paths)),
        "ANSIBLE_PIPELINING": "1",  # as in the ansible.cfg of the kit
        "CONTROLLER_HOST": awx.url,
        **(login or {"CONTROLLER_OAUTH_TOKEN": TOKEN}),
    }
    return ansible.run_playbook(KIT / "controller" / "apply.yml", environment=environment, **options)
