# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs made of the variables of a host: every option arrives, and no secret is where it does not belong."""

from __future__ import annotations

import importlib
from typing import Any

PLUGINS = "ansible_collections.vya.backupdb.plugins"
job_backups = importlib.import_module(f"{PLUGINS}.filter.job_backups").job_backups
job_secrets = importlib.import_module(f"{PLUGINS}.filter.job_secrets").job_secrets

INSTANCES: list[dict[str, Any]] = [
    {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/run/postgresql", "workers": 1, "login_port": None},
    {"id": "wiki-db", "engine": "mariadb", "login_host": "db2", "login_password": "SECRET-old", "exclude": ["tmp*"]},
]
LOGINS = {"wiki-db": {"login_user": "backup", "login_password": "SECRET-new"}, "elsewhere": {"login_password": "no"}}
SHARED = {
    "repository": "/srv/backup",
    "host": "db1.example.org",
    "workers": 2,
    "recipients": [],
    "compression_level": "",
}
NOTIFICATIONS = [
    {"name": "ops", "type": "slack", "url": "https://hooks.example.org/SECRET"},
    {"name": "mail", "type": "email", "smtp_host": "mx", "smtp_user": "u", "smtp_password": "SECRET-mail"},
    {"name": "plain", "type": "email", "smtp_host": "mx", "smtp_password": ""},
]


def test_a_job_backs_up_all_instances_unless_it_names_some() -> None:
    assert [entry["instance"] for entry in job_backups({}, INSTANCES)] == ["shop-pg", "wiki-db"]
    assert [entry["instance"] for entry in job_backups({"instances": ["wiki-db"]}, INSTANCES)] == ["wiki-db"]
    assert [entry["instance"] for entry in job_backups({"instances": []}, INSTANCES)] == ["shop-pg", "wiki-db"]


def test_the_job_wins_over_the_login_the_login_over_the_instance_and_that_over_what_is_shared() -> None:
    job = {"backup": {"timeout": "6h", "workers": 4}}
    shop, wiki = job_backups({}, INSTANCES, LOGINS, SHARED)
    assert shop == {
        "instance": "shop-pg",
        "engine": "postgresql",
        "login_unix_socket": "/run/postgresql",
        "workers": 1,
        "repository": "/srv/backup",
        "host": "db1.example.org",
    }
    assert (wiki["workers"], wiki["login_user"], wiki["exclude"]) == (2, "backup", ["tmp*"])
    assert [(entry["workers"], entry["timeout"]) for entry in job_backups(job, INSTANCES, LOGINS, SHARED)] == [
        (4, "6h"),
        (4, "6h"),
    ]


def test_a_definition_has_no_secret_and_the_secrets_have_all_that_the_job_needs_and_no_more() -> None:
    assert "SECRET" not in str(job_backups({}, INSTANCES, LOGINS, SHARED))
    assert job_secrets({}, INSTANCES, LOGINS, "pass", NOTIFICATIONS) == {
        "logins": {"wiki-db": {"login_password": "SECRET-new"}},
        "passphrase": "pass",
        "notifications": {
            "ops": {"url": "https://hooks.example.org/SECRET"},
            "mail": {"smtp_password": "SECRET-mail"},
        },
    }
    assert job_secrets({"instances": ["shop-pg"]}, INSTANCES, LOGINS) == {}
    assert job_secrets({}, INSTANCES) == {"logins": {"wiki-db": {"login_password": "SECRET-old"}}}
