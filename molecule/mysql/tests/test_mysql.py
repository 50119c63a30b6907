# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with MySQL, backed up by its own service through the socket, without a password."""

from __future__ import annotations

from support.fleet import Fleet

HOST = "my9"
DATABASES = {"wiki", "odd name; --", "@accounts"}


def test_the_service_backs_up_every_database(fleet: Fleet) -> None:
    before = {backup["backup_id"] for backup in fleet.json(HOST, "backupdb list --json")["backups"]}
    fleet.run(HOST, "systemctl start backupdb-nightly.service")
    listed = fleet.json(HOST, "backupdb list --json")["backups"]
    databases = [backup["database"] or "@accounts" for backup in listed]
    assert set(databases) == DATABASES
    # The ones that the playbook made were pruned: one a day is kept.
    assert len(databases) == len(DATABASES)
    assert before.isdisjoint(backup["backup_id"] for backup in listed)
    assert {(backup["engine"], backup["status"]) for backup in listed} == {("mysql", "complete")}


def test_a_backup_is_restored_with_the_same_rows(fleet: Fleet) -> None:
    identity = (fleet.state / "identity").read_text()
    restore = "backupdb restore -i /root/identity --target wiki_again --login-user root nightly wiki-my wiki"
    fleet.run(HOST, f"umask 077; cat > /root/identity; {restore}", stdin=identity)
    count = "mysql --default-character-set=utf8mb4 -BNe 'SELECT COUNT(*), MIN(title) FROM {}.page'"
    again = fleet.run(HOST, count.format("wiki_again"))
    assert again == fleet.run(HOST, count.format("wiki"))
    assert again.startswith("900\t")
