# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every secret that a module takes, and how it is called with all of them at once: the table of the probe of secrets.

Each call fails after it has taken its secrets, or does its work where no server is needed.
"""

from __future__ import annotations

import secrets
from typing import Any

from backupdb.age.stream import X25519Identity

IDENTITY = X25519Identity.generate()
# What modules take as secrets, as `no_log` says it or as a value of a list of options.
SECRETS = {
    "login_password": f"Login-{secrets.token_hex(12)}",
    "password": f"Account-{secrets.token_hex(12)}",
    "passphrase": f"Archive-{secrets.token_hex(12)}",
    "identity": IDENTITY.reveal(),
    "smtp_password": f"Mail-{secrets.token_hex(12)}",
    "token": f"Hook-{secrets.token_hex(12)}",
    "access_key_id": f"Key-{secrets.token_hex(12)}",
    "secret_access_key": f"Store-{secrets.token_hex(12)}",
    "session_token": f"Session-{secrets.token_hex(12)}",
    "sql": f"Salt-{secrets.token_hex(12)}",
}
_SERVER = {"engine": "postgresql", "login_host": "127.0.0.1", "login_port": 1, "login_user": "backup"}
# A socket that is not there: unlike a refused connection, it is not tried again for seconds.
_LOGIN = {
    "engine": "postgresql",
    "login_unix_socket": "/nowhere/socket",
    "login_user": "backup",
    "login_password": SECRETS["login_password"],
}
_KEYS = {"identity": SECRETS["identity"], "passphrase": SECRETS["passphrase"]}
_BACKUP = {**_LOGIN, "instance": "shop", "repository": "/nowhere", "passphrase": SECRETS["passphrase"]}
# A bucket that does not answer; nobody waits for it.
_COPY = {"name": "offsite", "type": "s3", "bucket": "b", "endpoint": "http://127.0.0.1:1", "patience": "0s"}
_STORE = {name: SECRETS[name] for name in ("access_key_id", "secret_access_key", "session_token")}
_MASKING = [{"name": "mask.sql", "sql": f"-- {SECRETS['sql']}"}]
_STATE_DIR = "/nowhere/state"
_COPIED = {"copy": _COPY, "copy_credentials": _STORE, "copy_state_dir": _STATE_DIR}
_CHANNELS = [
    {
        "name": "mail",
        "type": "email",
        "to": ["a@example.org"],
        "from": "b@example.org",
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "smtp_user": "u",
        "smtp_password": SECRETS["smtp_password"],
    },
    {"name": "hook", "type": "webhook", "url": f"http://127.0.0.1:1/{SECRETS['token']}"},
]
_BEST = {
    "repository": "/nowhere",
    "copies": [_COPY],
    "copies_credentials": {"offsite": _STORE},
    "copy_credentials": _STORE,
    "copy_state_dir": _STATE_DIR,
}
CALLS: dict[str, dict[str, Any]] = {
    "account_info": {**_LOGIN, "instance": "shop", **_KEYS, **_COPIED},
    "account_restore": {**_LOGIN, **_KEYS, **_COPIED, "instance": "shop", "accounts": ["app"]},
    "backup_account": {**_LOGIN, "instance": "shop", "name": "backup", "password": SECRETS["password"]},
    "backup_copy": {
        "repository": "/nowhere",
        "copies": [_COPY],
        "credentials": {"offsite": _STORE},
        "state_dir": _STATE_DIR,
    },
    "backup_drill": {**_KEYS, **_COPIED},
    "backup_prune": {**_COPIED, "keep_last": 1},
    "backup_evidence": _COPIED,
    "backup_gate": {**_LOGIN, "instance": "shop", "repository": "/nowhere"},
    "backup_info": _COPIED,
    "backup_report": _COPIED,
    "backup_status": _COPIED,
    "backup_verify": {**_KEYS, **_COPIED, "level": "decrypt"},
    "credential_store": {
        "path": "/nowhere/store.json",
        "id": "shop",
        "login_user": "backup",
        "login_password": SECRETS["login_password"],
    },
    "database_backup": _BACKUP,
    "database_info": {**_LOGIN, "instance": "shop"},
    "database_restore": {
        **_LOGIN,
        **_KEYS,
        **_BEST,
        "instance": "shop",
        "database": "shop",
        "masking": _MASKING,
    },
    "host_rebuild": {**_KEYS, **_BEST, "host": "db1", "servers": [{**_LOGIN, "instance": "shop"}]},
    "job_credentials": {
        "name": "nightly",
        "directory": "/nowhere",
        "secrets": {
            "archive_passphrase": SECRETS["passphrase"],
            "logins": {"shop": SECRETS["login_password"]},
            "copies": {"offsite": _STORE},
        },
    },
    "notification": {
        "event": "failure",
        "title": "the probe",
        "notifications": _CHANNELS,
    },
}
# Modules that take no secret of their own; `test_every_secret_option_is_in_the_probe` keeps this true.
WITHOUT = {
    *("age_keypair", "backup_job", "backup_pin"),
    *("detached_run", "evidence_sign", "role_report", "role_work", "runner_install", "signing_key"),
}
# Every secret variable of every role, for a host whose server does not answer and whose repository is not there.
ROLE_VARIABLES: dict[str, Any] = {
    "backupdb_instances": [
        {"id": "shop", **_SERVER, "login_password": SECRETS["login_password"]},
        {"id": "wiki", **_SERVER},
    ],
    "backupdb_logins": {"wiki": {"login_password": SECRETS["login_password"]}},
    "backupdb_passphrase": SECRETS["passphrase"],
    "backupdb_copies": [_COPY],
    "backupdb_copy_credentials": {"offsite": _STORE},
    "backupdb_notifications": _CHANNELS,
    "backupdb_jobs": [{"name": "nightly", "on_calendar": "02:30", "drill": {"every": "7d"}}],
    "account_admin_logins": {"shop": {"login_user": "root", "login_password": SECRETS["password"]}},
    **{
        f"{role}_{name}": SECRETS[name]
        for role in ("drill", "rebuild", "refresh", "restore", "verify")
        for name in ("identity", "passphrase")
    },
    "rebuild_host": "db1",
    "rebuild_copy": "offsite",
    "rebuild_logins": {"shop": {"login_user": "root", "login_password": SECRETS["password"]}},
    "verify_level": "decrypt",
    "verify_copy": "offsite",
    "drill_copy": "offsite",
    "restore_copy": "offsite",
    "restore_from": "latest",
    "restore_instance": "shop",
    "restore_database": "shop",
    "restore_target": "shop_copy",
    "restore_confirm": "shop_copy",
    "restore_login_password": SECRETS["password"],
    "restore_masking": _MASKING,
    "refresh_copy": "offsite",
    "refresh_instance": "shop",
    "refresh_source_host": "db1",
    "refresh_databases": [{"database": "shop"}],
    "refresh_unmasked": True,
    "refresh_login_user": "root",
    "refresh_login_password": SECRETS["password"],
}


def call_of(module: str, state_dir: str) -> dict[str, Any]:
    """A call of the table, where what is known of copies is kept in that folder."""
    return {name: state_dir if value == _STATE_DIR else value for name, value in CALLS[module].items()}


def given(module: str) -> set[str]:
    """The secrets that a call of the table gives a module."""
    text = repr(CALLS[module])
    return {secret for secret in SECRETS.values() if secret in text}
