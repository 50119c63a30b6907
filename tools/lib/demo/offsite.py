# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's second place: a private object store, the copies in it, and the way back by a common tool."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
from pathlib import Path

import place
import terminal
from support import run_state
from support.seaweed import Seaweed

OBJECT_STORE = "object-store"
BUCKET = "offsite"
FETCHED = "fetched"
_RCLONE = "rclone.conf"
_NOTES = "demo.json"
_IDENTITIES = ("admin", "host", "reader")


def running_store(folder: Path) -> Seaweed:
    """Take the store that runs, else begin a new one with a bucket that locks what it takes for a day."""
    home = folder / OBJECT_STORE
    notes = home / _NOTES
    if notes.exists() and run_state.processes_working_in(home / "data"):
        known = json.loads(notes.read_text(encoding="utf-8"))
        return Seaweed(folder=home, port=known["port"], secrets=known["secrets"])
    stop_store(folder)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    store = Seaweed(folder=home, secrets={name: secrets.token_urlsafe(24) for name in _IDENTITIES})
    place.write_private(notes, json.dumps({"port": store.port, "secrets": store.secrets}))
    store.start()
    store.bucket(BUCKET, lock_days=1)
    return store


def stop_store(folder: Path) -> bool:
    """End the store of the demo's folder; tells whether one ran."""
    pids = run_state.processes_working_in(folder / OBJECT_STORE / "data")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)  # asked to stop it takes half a minute
    run_state.wait_until_gone(pids, seconds=10)
    return bool(pids)


def write_settings(folder: Path, store: Seaweed) -> None:
    """Write the copy into the inventory, and the reading key where rclone looks for it; both for this user alone."""
    key = store.key("host")
    place.write_private(
        folder / "group_vars" / "all" / "copies.yml",
        "# A real inventory takes both keys from Ansible Vault.\n"
        "backupdb_copies:\n"
        f"  - {{name: {BUCKET}, type: s3, bucket: {BUCKET}, endpoint: '{store.url}', addressing: path,\n"
        "     lock: {mode: bucket}, retention: {keep_daily: 30, keep_monthly: 12}}\n"
        "backupdb_copy_credentials:\n"
        f"  {BUCKET}: {{access_key_id: '{key['access_key_id']}', secret_access_key: '{key['secret_access_key']}'}}\n",
    )
    reader = store.key("reader")
    place.write_private(
        folder / _RCLONE,
        f"[{BUCKET}]\ntype = s3\nprovider = Other\nendpoint = {store.url}\n"
        f"access_key_id = {reader['access_key_id']}\nsecret_access_key = {reader['secret_access_key']}\n",
    )


def fetch(folder: Path, backup: str) -> Path:
    """Fetch one backup with rclone into a folder of its own, and return that."""
    shutil.rmtree(folder / FETCHED, ignore_errors=True)
    terminal.shell(
        f"env -u AWS_CA_BUNDLE rclone --config {_RCLONE} copy '{BUCKET}:{BUCKET}/{backup}' {FETCHED}", folder=folder
    )
    return folder / FETCHED


def rclone_is_there() -> bool:
    return shutil.which("rclone") is not None
