# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vault on a booted host: timers of another host fill it, and that host can neither take away nor change anything.

The tests go on from each other, in their order; the last one takes the vault down as its page says.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from support.fleet import Fleet, wait_for

HOST = "db1"
VAULT = "vault1"
CHROOT = "/srv/backupdb-vault"
COPIES = f"{CHROOT}/copies"
KEY = "/etc/backupdb/ssh/vault"
SSH = f"-i {KEY} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o LogLevel=ERROR"
AS_HOST = "runuser -u backupdb --"
DATABASES = {("shop", "shop"), ("shop", 'odd "name; --'), ("wiki", "wiki"), ("wiki", "odd name; --")}
MANIFESTS = f"find {COPIES} -path '*/.*' -prune -o -name manifest.json -printf '%U %P\\n'"
README = Path(__file__).resolve().parents[3] / "roles" / "vault" / "README.md"


def there(fleet: Fleet) -> dict[str, bool]:
    """The backups in the vault by their places, and whether they are sealed."""
    lines = [line.split(" ", 1) for line in fleet.run(VAULT, MANIFESTS).splitlines()]
    return {place.rpartition("/")[0]: owner == "0" for owner, place in lines}


def here(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.json(HOST, "backupdb list --json")["backups"]
    return found


def last_of(fleet: Fleet, unit: str) -> dict[str, str]:
    """When and how a service ended last."""
    shown = fleet.run(HOST if unit != "backupdb-vault-seal" else VAULT, f"systemctl show {unit}.service")
    return dict(line.partition("=")[::2] for line in shown.splitlines() if "=" in line)


def sftp(fleet: Fleet, *commands: str) -> str:
    """Do what a user does who has the key of the host, and say what came of it, errors too."""
    text = "\n".join(commands) + "\n"
    return fleet.run(HOST, f"{AS_HOST} sftp {SSH} -b - backupdb-vault@{VAULT} 2>&1; echo status $?", stdin=text)


def test_the_account_has_no_password_no_shell_and_a_place_that_it_cannot_leave(fleet: Fleet) -> None:
    assert fleet.run(VAULT, "getent passwd backupdb-vault").split(":")[5:] == ["/", "/usr/sbin/nologin\n"]
    assert fleet.run(VAULT, "getent shadow backupdb-vault").split(":")[1] == "*"
    seen = sftp(fleet, "ls -la /", "ls /etc", "cd ..", "pwd")
    assert "copies" in seen
    assert 'Can\'t ls: "/etc" not found' in seen, seen
    for place, command in (("", "true"), ("", "/bin/sh"), ("-tt", "")):
        tried = fleet.run(
            HOST, f"runuser -u backupdb -- ssh {SSH} {place} backupdb-vault@{VAULT} {command} 2>&1 </dev/null; true"
        )
        assert not re.search(r"uid=|\$ |# ", tried), tried
    # A forwarding that is refused leaves nothing to connect to.
    forward = "-N -o ExitOnForwardFailure=yes -R 7777:localhost:22"
    refused = fleet.run(
        HOST, f"runuser -u backupdb -- timeout 20 ssh {SSH} {forward} backupdb-vault@{VAULT} 2>&1; echo status $?"
    )
    assert "forwarding failed" in refused, refused


def test_backups_that_a_timer_makes_are_in_the_vault_and_a_timer_there_seals_them(fleet: Fleet) -> None:
    wait_for(lambda: len(here(fleet)) >= len(DATABASES) + 2, "the timer to make backups", seconds=200)
    assert {(one["instance"], one["database"]) for one in here(fleet)} >= DATABASES
    wait_for(lambda: last_of(fleet, "backupdb-often")["ActiveState"] == "inactive", "the run to end", seconds=60)
    assert last_of(fleet, "backupdb-often")["Result"] == "success"
    assert {place.rpartition("/")[2] for place in there(fleet)} >= {one["backup_id"] for one in here(fleet)}
    fleet.run(HOST, "systemctl stop backupdb-often.timer")
    wait_for(lambda: all(there(fleet).values()), "the vault's timer to seal all", seconds=130)
    assert last_of(fleet, "backupdb-vault-seal")["Result"] == "success"
    timers = fleet.run(VAULT, "systemctl list-timers --plain --no-legend backupdb-vault-seal.timer")
    assert "backupdb-vault-seal.service" in timers


def test_the_host_adds_and_neither_removes_nor_changes_what_is_sealed(fleet: Fleet) -> None:
    place = sorted(there(fleet))[0]
    host, instance, database, _backup = place.split("/")
    folder = f"/copies/{place}"
    before = fleet.run(VAULT, f"find {COPIES} -printf '%P %U %m %s %T@\\n' | sort")
    for attempt in (
        f'rm "{folder}/manifest.json"',
        f'rmdir "{folder}"',
        f'rename "{folder}" "{folder}x"',
        f'rename "{folder}" "/copies/{host}/{instance}/{database}/.hidden"',
        f'rename "/copies/{host}" /copies/gone',
        f'rename "/copies/{host}/{instance}/{database}" "/copies/{host}/{instance}/gone"',
        f'put /etc/hostname "{folder}/manifest.json"',
        f'reput /etc/hostname "{folder}/manifest.json"',
        f'put /etc/hostname "{folder}/more"',
        f'chmod 777 "{folder}"',
        f'ln -s /etc "/copies/{host}/link"',
        "put /etc/hostname /more",
    ):
        tried = sftp(fleet, attempt)
        assert "status 1" in tried, (attempt, tried)
    after = fleet.run(VAULT, f"find {COPIES} -printf '%P %U %m %s %T@\\n' | sort")
    assert after == before
    count = len(there(fleet))
    fleet.run(HOST, "systemctl start backupdb-often.service")
    assert len(there(fleet)) > count


def test_what_a_cut_off_vault_missed_is_sent_by_the_copy_timer_alone(fleet: Fleet) -> None:
    assert fleet.run(HOST, "systemctl is-active backupdb-copy@often.timer").strip() == "active"
    count = len(there(fleet))
    fleet.cut(VAULT)
    try:
        fleet.run(HOST, "systemctl start backupdb-often.service || true")
        ended = json.loads(fleet.run(HOST, "cat /var/lib/backupdb/jobs/often.json"))
        status = fleet.run(HOST, "backupdb status || true")
    finally:
        fleet.mend(VAULT)
    assert ended["status"] == "partial", ended
    assert "copy vault" in json.dumps(ended), ended
    assert "1 behind" in status
    made = {one["backup_id"] for one in here(fleet)}
    wait_for(
        lambda: made <= {place.rpartition("/")[2] for place in there(fleet)}, "the copy timer to catch up", seconds=90
    )
    assert len(there(fleet)) > count
    wait_for(lambda: last_of(fleet, "backupdb-copy@often")["ActiveState"] == "inactive", "it to end", seconds=30)
    assert last_of(fleet, "backupdb-copy@often")["Result"] == "success"


def test_a_database_comes_back_from_the_vault_after_the_repository_was_lost(fleet: Fleet) -> None:
    fleet.run(HOST, "mv /var/backups/backupdb /var/backups/lost")
    fleet.run(HOST, "umask 077; cat > /root/identity", stdin=(fleet.state / "identity").read_text())
    restore = "backupdb restore --copy vault -i /root/identity"
    fleet.run(HOST, f"{restore} --target wiki_again --login-user root often wiki wiki")
    count = "mariadb --default-character-set=utf8mb4 -BNe 'SELECT COUNT(*), MIN(title) FROM {}.page'"
    again = fleet.run(HOST, count.format("wiki_again"))
    assert again == fleet.run(HOST, count.format("wiki"))
    assert again.startswith("900\t")
    fleet.run(HOST, "mv /var/backups/lost /var/backups/backupdb")
    verified = fleet.json(HOST, "backupdb verify --copy vault --level decrypt -i /root/identity --json")
    assert verified["status"] == "ok", verified["message"]
    assert verified["counts"]["good"] == len(there(fleet))


def test_the_service_that_seals_is_hardly_exposed(fleet: Fleet) -> None:
    told = fleet.run(VAULT, "systemd-analyze security --no-pager backupdb-vault-seal.service")
    assert float(told.strip().rpartition(": ")[2].split()[0]) < 2.5, told


def test_the_journals_hold_no_error_of_ours(fleet: Fleet) -> None:
    for host in (HOST, VAULT):
        text = fleet.run(host, "journalctl -o cat --no-pager")
        assert "Traceback" not in text
        assert "internal fault" not in text


def test_a_vault_that_is_undone_by_its_page_lets_nobody_in_and_leaves_a_repository(fleet: Fleet) -> None:
    rows = [line.split("|")[1].strip() for line in README.read_text().splitlines() if line.startswith("| `/")]
    files = [name for row in rows for name in re.findall(r"`(/[^`]+)`", row) if not name.startswith(CHROOT)]
    assert len(files) == 5, files  # the page names the timer by its ending alone
    commands = re.search(r"## How to undo\n.*?```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert commands, "the page has no commands"
    fleet.run(VAULT, "cp /usr/local/lib/backupdb/backupdb.pyz /root/")
    fleet.run(VAULT, f"set -e\n{commands[1]}")
    for name in (*files, "/etc/systemd/system/backupdb-vault-seal.timer"):
        assert "gone" in fleet.run(VAULT, f"ls {name} 2>/dev/null || echo gone")
    assert "gone" in fleet.run(VAULT, "getent passwd backupdb-vault || getent group backupdb-vault || echo gone")
    assert "backupdb" not in fleet.run(VAULT, "systemctl list-units --all --plain --no-legend 'backupdb-*'")
    assert "status 255" in sftp(fleet, "ls /")
    listed = fleet.json(VAULT, f"python3 -I /root/backupdb.pyz list --json {COPIES}")
    assert (listed["count"], listed["damaged"]) == (len(there(fleet)), [])
