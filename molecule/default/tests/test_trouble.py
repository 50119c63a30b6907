# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks meet hosts that are away, logins that are wrong, and connections that break."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.ansible import write_json
from support.fleet import Fleet, FleetAnsible, wait_for

REPOSITORY = "/var/backups/backupdb"
AT_ONCE = {"backup_skip_if_newer_than": ""}
# About ten seconds for the database shop.
SLOW = {**AT_ONCE, "backup_bandwidth_limit": "80k", "backupdb_workers": 1}
# Longer than a connection needs to notice that its host is gone, with the settings of that test.
SECONDS_CUT = 8


def shop_begun(fleet: Fleet) -> set[Path]:
    return fleet.written("pg1", f"{REPOSITORY}/pg1/shop-pg/shop", ".partial-*")


def test_good_hosts_are_backed_up_though_one_is_away_and_a_login_of_another_is_wrong(
    fleet: Fleet, ansible: FleetAnsible, tmp_path: Path
) -> None:
    wrong = {"shop-pg": {"login_password": "this is not the password"}}
    inventory = write_json(tmp_path / "wrong.yml", {"all": {"hosts": {"pg1": {"backupdb_logins": wrong}}}})
    before = {host: fleet.written(host, REPOSITORY, "manifest.json") for host in ("both1", "my1", "pg1")}
    fleet.cut("my1")
    try:
        run = ansible.play_on_fleet("backup", extra_vars=AT_ONCE, arguments=["--inventory", str(inventory)])
    finally:
        fleet.mend("my1")
    after = {host: fleet.written(host, REPOSITORY, "manifest.json") for host in before}
    assert run.returncode != 0
    assert {host: len(after[host] - before[host]) for host in before} == {"both1": 6, "my1": 0, "pg1": 0}, run.output
    overview = run.summary("backup_summary")["lines"]
    assert overview[0] == "1 host failed, 1 host unreachable, 1 host ok"
    assert [line.split(":")[0] for line in overview[1:]] == ["pg1", "my1"]
    assert "password" in overview[1]


def test_a_backup_survives_that_its_host_is_out_of_reach_for_a_while(fleet: Fleet, ansible: FleetAnsible) -> None:
    before = fleet.written("pg1", REPOSITORY, "manifest.json")
    impatient = f"-F {fleet.state}/ssh_config -o ServerAliveInterval=2 -o ServerAliveCountMax=2"
    with ThreadPoolExecutor() as pool:
        playing = pool.submit(
            ansible.play_on_fleet,
            "backup",
            arguments=["--limit", "pg1"],
            extra_vars=SLOW,
            environment={"ANSIBLE_SSH_ARGS": impatient},
        )
        wait_for(lambda: shop_begun(fleet) or playing.done(), "the backup of shop to begin")
        fleet.cut("pg1")
        try:
            wait_for(lambda: len(fleet.written("pg1", REPOSITORY, "manifest.json") - before) == 3, "the host to finish")
            time.sleep(SECONDS_CUT)
        finally:
            fleet.mend("pg1")
        run = playing.result()
    assert fleet.written("pg1", REPOSITORY, ".partial-*") == set()
    assert run.returncode == 0, run.output
    assert "the connection is lost" in run.output, run.output
    assert run.summary("backup_summary")["hosts"]["pg1"]["status"] == "ok"


def test_a_backup_goes_on_when_the_playbook_is_killed_and_the_next_run_is_fine(
    fleet: Fleet, ansible: FleetAnsible
) -> None:
    before = fleet.written("pg1", REPOSITORY, "manifest.json")
    command, environment = ansible.command_on_fleet("backup", "--limit", "pg1", extra_vars=SLOW)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as playbook:
        wait_for(lambda: shop_begun(fleet) or playbook.poll() is not None, "the backup of shop to begin")
        playbook.kill()
    assert len(fleet.written("pg1", REPOSITORY, "manifest.json") - before) < 3
    wait_for(lambda: len(fleet.written("pg1", REPOSITORY, "manifest.json") - before) == 3, "the host to finish")
    second = ansible.play_on_fleet("backup", arguments=["--limit", "pg1"], extra_vars=AT_ONCE)
    assert second.returncode == 0, second.output
    assert fleet.written("pg1", REPOSITORY, ".partial-*") == set()
