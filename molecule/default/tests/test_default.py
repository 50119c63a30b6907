# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles left on each host, with options at their defaults."""

from __future__ import annotations

import os

import testinfra.utils.ansible_runner
from support.fleet import Fleet
from testinfra.host import Host

testinfra_hosts = testinfra.utils.ansible_runner.AnsibleRunner(os.environ["MOLECULE_INVENTORY_FILE"]).get_hosts("all")
EXPECTED = {
    "shop-pg": {"shop", 'odd "name; --', "@accounts"},
    "wiki-my": {"wiki", "odd name; --", "@accounts"},
}


def expected(host: Host) -> set[tuple[str, str]]:
    groups = host.ansible.get_variables()["group_names"]
    instances = [name for name, group in (("shop-pg", "postgresql"), ("wiki-my", "mariadb")) if group in groups]
    return {(instance, database) for instance in instances for database in EXPECTED[instance]}


def test_every_database_of_the_host_has_a_backup_and_none_was_left_out(host: Host, fleet: Fleet) -> None:
    name = host.backend.host
    listed = fleet.json(name, "backupdb list --json")["backups"]
    assert {(backup["instance"], backup["database"] or "@accounts") for backup in listed} == expected(host)


def test_the_timer_waits_and_the_files_are_for_root_only(host: Host) -> None:
    timer = host.service("backupdb-nightly.timer")
    assert timer.is_enabled
    assert timer.is_running
    assert host.file("/etc/backupdb/jobs.d/nightly.json").mode == 0o640
    credentials = host.file("/etc/backupdb/credentials")
    assert credentials.mode == 0o750
    secrets = [host.file(f"/etc/backupdb/credentials/{name}") for name in credentials.listdir()]
    assert [(file.user, file.mode) for file in secrets] == [("root", 0o600)]
    assert host.file("/var/backups/backupdb").mode == 0o700


def test_the_service_of_root_is_hardly_exposed_with_a_drill(host: Host, fleet: Fleet) -> None:
    told = fleet.run(host.backend.host, "systemd-analyze security --no-pager backupdb-nightly.service")
    assert float(told.strip().rpartition(": ")[2].split()[0]) < 2.5, told


def test_the_service_backs_up_and_proves_by_a_drill_without_the_controller(host: Host, fleet: Fleet) -> None:
    name = host.backend.host
    fleet.run(name, "umask 077; cat > /root/identity", stdin=(fleet.state / "identity").read_text())
    fleet.run(name, "systemctl start backupdb-nightly.service")
    rows = fleet.json(name, "backupdb status --json")["rows"]
    assert {(row["instance"], row["database"] or "@accounts") for row in rows} == expected(host)
    assert all(row["proven"] for row in rows if row["kind"] == "database"), rows
