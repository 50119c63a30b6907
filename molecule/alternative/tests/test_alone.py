# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does by itself: its timers fire while nobody is connected who could have started anything."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.fleet import Fleet, wait_for

HOST = "alt1"
CONFIG = "--config-dir /etc/backupdb-alternative"
REPOSITORY = "/srv/backups"
DATABASES = {("shop", "shop"), ("wiki", "wiki"), ("wiki", "odd name; --")}


def backups(fleet: Fleet) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = fleet.json(HOST, f"backupdb list {CONFIG} --kind database --json")["backups"]
    return listed


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture(scope="module")
def quiet(fleet: Fleet) -> Fleet:
    """The host after its timers have fired and were stopped, so that nothing changes below a test."""
    first = len(backups(fleet))
    wait_for(lambda: len(backups(fleet)) >= first + len(DATABASES), "the timer to make backups", seconds=120)
    fleet.run(HOST, "systemctl stop backupdb-often.timer backupdb-seal.timer")
    idle = "systemctl is-active backupdb-often.service backupdb-seal.service | grep -c inactive || true"
    wait_for(lambda: fleet.run(HOST, idle).strip() == "2", "the services to end", seconds=120)
    return fleet


def test_backups_that_the_timer_made_are_listed_and_every_database_is_among_them(quiet: Fleet) -> None:
    assert {(backup["instance"], backup["database"]) for backup in backups(quiet)} == DATABASES
    assert quiet.run(HOST, "systemctl show -P Result backupdb-often.service").strip() == "success"
    assert quiet.run(HOST, "systemctl show -P User backupdb-often.service").strip() == "backupdb"


def test_such_a_backup_is_restored_with_the_same_rows(quiet: Fleet) -> None:
    restore = f"backupdb restore {CONFIG} --target wiki_again --login-user root often wiki wiki"
    passphrase = (quiet.state / "passphrase").read_text()
    quiet.run(HOST, f"read -r BACKUPDB_PASSPHRASE; export BACKUPDB_PASSPHRASE; {restore}", stdin=passphrase)
    count = "mariadb --default-character-set=utf8mb4 -BNe 'SELECT COUNT(*), MIN(title) FROM {}.page'"
    again = quiet.run(HOST, count.format("wiki_again"))
    assert again == quiet.run(HOST, count.format("wiki"))
    assert again.startswith("900\t")


def test_drills_by_the_unprivileged_user_have_proven_backups(quiet: Fleet) -> None:
    rows = quiet.json(HOST, f"backupdb status {CONFIG} --json")["rows"]
    proven = {(row["instance"], row["database"]): row["proven"] for row in rows if row["kind"] == "database"}
    assert set(proven) == DATABASES
    assert all(proven.values()), rows


def test_drills_by_the_unprivileged_user_shut_their_servers_in(quiet: Fleet) -> None:
    found = quiet.run(HOST, f"cat $(find {REPOSITORY} -name 'drill-*.json')")
    assert '"isolation": "namespaces"' in found, found


def test_the_services_are_hardly_exposed(quiet: Fleet) -> None:
    for unit in ("backupdb-often.service", "backupdb-seal.service"):
        told = quiet.run(HOST, f"systemd-analyze security --no-pager {unit}")
        assert float(told.strip().rpartition(": ")[2].split()[0]) < 2.5, told


def test_the_user_can_add_backups_and_cannot_remove_rename_or_change_one(quiet: Fleet) -> None:
    quiet.run(HOST, "systemctl start backupdb-seal.service")
    sealed = quiet.run(HOST, f"find {REPOSITORY} -name manifest.json -user root").split("\n")[0].rpartition("/")[0]
    assert sealed
    for attempt in (
        f"rm -rf '{sealed}'",
        f"mv '{sealed}' '{sealed}.away'",
        f"mv '{REPOSITORY}/{HOST}' '{REPOSITORY}/gone'",
        f"touch '{sealed}/manifest.json'",
        f"sh -c 'echo x >> \"{sealed}/manifest.json\"'",
        f"chmod 0777 '{sealed}'",
        f"touch '{sealed}/more'",
    ):
        tried = quiet.run(HOST, f"runuser -u backupdb -- {attempt} 2>&1 && echo DONE || echo refused")
        assert tried.strip().endswith("refused"), attempt
    before = len(backups(quiet))
    quiet.run(HOST, "systemctl start backupdb-often.service")
    assert len(backups(quiet)) == before + len(DATABASES)


def test_root_prunes_what_the_user_cannot_remove(quiet: Fleet) -> None:
    # By now the playbook, the timer and the test above made one each; another one is one more than can stay.
    quiet.run(HOST, "systemctl start backupdb-often.service")
    quiet.run(HOST, "systemctl start backupdb-seal.service")
    kept = Counter((backup["instance"], backup["database"]) for backup in backups(quiet))
    assert set(kept) == DATABASES
    # The two newest, and one that is proven.
    assert set(kept.values()) <= {2, 3}


def test_metrics_are_there_for_the_node_exporter(quiet: Fleet) -> None:
    text = quiet.run(HOST, "runuser -u nobody -- cat /srv/metrics/backupdb.prom")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families
    assert all(name.startswith("backupdb_") for name in families)


def test_the_receiver_was_told_of_runs_and_no_secret(quiet: Fleet) -> None:
    lines = (quiet.state / "received").read_text().splitlines()
    requests = [json.loads(line) for line in lines]
    assert any(request["path"] == "/hook" and "often" in request["body"] for request in requests)
    assert (quiet.state / "passphrase").read_text().strip() not in "".join(lines)


def test_the_journal_has_the_run_and_the_database_of_an_entry_and_no_secret(quiet: Fleet) -> None:
    entries = [
        json.loads(line) for line in quiet.run(HOST, "journalctl -o json SYSLOG_IDENTIFIER=backupdb").splitlines()
    ]
    assert {entry.get("BACKUPDB_INSTANCE") for entry in entries} >= {"shop", "wiki"}
    assert any(entry.get("BACKUPDB_DATABASE") == "wiki" and entry.get("BACKUPDB_RUN_ID") for entry in entries)
    journal = quiet.run(HOST, "journalctl -o export")
    assert (quiet.state / "passphrase").read_text().strip() not in journal
