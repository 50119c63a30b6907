# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for single backups, keys and notifications, on backups that need no database."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from backupdb.age.identity_file import parse_identities, read_identity_file
from backupdb.cli import main as command_line
from backupdb.cli import show
from backupdb.repository.drill_records import write_drill
from backupdb.restore import by_hand
from support.golden import assert_golden
from support.jobs import JobHost
from support.receivers import web_receiver
from support.stored import DUMP, SEALED, TIME, store

Run = Callable[..., tuple[int, str, str]]

SHOWN = """\
Backup 20261120T050607Z-01234567 of database 'shop'
  state:      partial, 1 missing
  from:       instance shop-db of host db1, mariadb 10.11.19
  dumped by:  /usr/bin/mariadb-dump 10.11.19
  when:       2026-11-20 05:06:07 UTC, 2 d ago, it took 1 min 15 s
  size:       {stored} stored, 444.4 KiB unpacked, 7.0 GiB in the server
  holds:      tables 3, views 1
  proof:      equal, drilled 2026-11-21, content not compared with the source
  signed by:  nobody
  opened by:  {recipient}
  place:      {folder}
Missing:
  event x\\nCOMMIT: the right EVENT
Archives:
  NAME              {space}SIZE   UNPACKED  WRAPPED
  data.sql.zst.age  {stored}  444.4 KiB  zstd age-x25519
By hand, without this program (docs/recovery.md says more):
  cd {folder}
  sha256sum --strict -c manifest.json.sha256
  target=NEW_NAME
  key=FILE_WITH_AN_IDENTITY
  mariadb -e "CREATE DATABASE \\`$target\\` CHARACTER SET utf8mb4"
  age -d -i "$key" data.sql.zst.age | zstd -dc | mariadb --binary-mode --max-allowed-packet=1G "$target"
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = command_line.main(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_a_key_is_made_once_and_never_replaced(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "identity.txt"
    status, out, _err = run("keygen", str(path))
    found = read_identity_file(str(path))
    assert (status, out) == (0, f"{found.identities[0].recipient}\n")
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    status, out, err = run("keygen", str(path))
    assert (status, out, path.read_bytes()) == (3, "", content)
    assert str(path) in err
    status, out, _err = run("keygen", str(tmp_path / "other.txt"), "--json")
    values = json.loads(out)
    assert (status, values["path"]) == (0, str(tmp_path / "other.txt"))
    assert "SECRET" not in out
    # Without a file it is what age-keygen prints; a secret never becomes a result.
    status, out, _err = run("keygen")
    assert (status, len(parse_identities(out, where="the output"))) == (0, 1)
    assert run("keygen", "--json")[0] == 3


def test_a_backup_is_pinned_and_let_go_by_folder_or_id(run: Run, root: Path) -> None:
    backup = store(root)
    name, place = backup.folder.name, ("--repository", str(root))
    status, out, _err = run("pin", name, "--reason", "before\nthe move", *place, "--check")
    assert (status, (backup.folder / "pin.json").exists()) == (0, False)
    assert out == f"{backup.folder} is pinned: before\\nthe move\n"
    assert run("pin", str(backup.folder), "--reason", "why")[0] == 0
    assert json.loads((backup.folder / "pin.json").read_bytes())["reason"] == "why"
    status, out, _err = run("unpin", name, *place, "--json")
    assert (status, json.loads(out)["changed"], (backup.folder / "pin.json").exists()) == (0, True, False)
    status, _out, err = run("pin", "20260101T000000Z-00000000", *place)
    assert status == 2
    assert "backupdb list" in err
    other = store(root, host="db2")
    status, _out, err = run("pin", name, *place)
    assert status == 3
    assert f"db2/shop-db/shop/{name}" in err
    status, out, _err = run("pin", f"db2/shop-db/shop/{name}", *place, "--check")
    assert (status, out) == (0, f"{other.folder} is pinned\n")
    odd = store(root, "../x; --")
    assert run("pin", f"../x; --/{name}", *place)[0] == 2  # a name with a slash is given as its folder
    status, out, _err = run("pin", f"{odd.folder.parent.name}/{name}", *place, "--check")
    assert (status, out) == (0, f"{odd.folder} is pinned\n")


def test_a_backup_is_shown_in_words(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = store(
        root,
        content=DUMP,
        envelope=SEALED,
        status="partial",
        missing=["event x\nCOMMIT: the right EVENT"],
        size_bytes=7 << 30,
        duration_seconds=75.3,
        client={"path": "/usr/bin/mariadb-dump", "version": "10.11.19"},
        inventory={"tables": 3, "views": 1, "events": 0},
        properties={"character_set": "utf8mb4", "collation": 'x"; DROP DATABASE shop; --'},
    )
    proof = {"verdict": "equal", "finished": "2026-11-21T01:02:03Z", "content": "not compared with the source"}
    write_drill(backup.folder, {"schema": 1, "backup_id": backup.folder.name, **proof})
    monkeypatch.setattr(show, "utc_now", lambda: TIME + timedelta(days=2, hours=3))
    status, out, _err = run("show", backup.folder.name, "--repository", str(root))
    (archive,) = backup.manifest["archives"]
    stored = f"{archive['stored_bytes'] / 1024:.1f} KiB"
    expected = SHOWN.format(
        folder=backup.folder, recipient=archive["recipients"][0], stored=stored, space=" " * (len(stored) - 4)
    )
    assert (status, out) == (0, expected)
    status, out, _err = run("show", str(backup.folder), "--json")
    values = json.loads(out)
    assert (status, values["manifest"]["database"], values["proven"]) == (0, "shop", True)
    assert values["by_hand"][0] == f"cd {backup.folder}"


def test_what_a_manifest_says_is_no_command_in_what_is_shown(root: Path) -> None:
    hostile = "x'; rm -rf /; '"
    backup = store(
        root, content=DUMP, engine="postgresql", properties={"encoding": hostile, "owner": "$(id)", "lc_ctype": None}
    )
    lines = by_hand.commands(backup)
    assert any(line.startswith("createdb ") and "'--owner=$(id)'" in line for line in lines)
    assert any("'--encoding=x'\"'\"'; rm -rf /; '\"'\"''" in line for line in lines)


@pytest.mark.parametrize(
    ("engine", "parts", "order"),
    [
        ("postgresql", "post-data data-0002 rest data-0001 pre-data", "pre-data data-0001 data-0002 rest post-data"),
        ("mysql", "data post-data routines pre-data", "routines pre-data data post-data"),
    ],
)
def test_parts_are_loaded_in_the_order_of_a_restore(root: Path, engine: str, parts: str, order: str) -> None:
    common = {"format": "sql", "encryption": "none", "compression": "none", "plain_bytes": 0, "stored_bytes": 0}
    archives = [
        {**common, "name": part, "part": part, "sha256": "0" * 64, "plain_sha256": "0" * 64} for part in parts.split()
    ]
    backup = store(root, engine=engine, archives=archives)
    loads = [line for line in by_hand.commands(backup) if " < " in line]
    assert [line.rpartition(" ")[2] for line in loads] == order.split()


def test_what_cannot_be_drilled_is_told(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = store(root, content=DUMP, server={"version": "9.9.9"})
    status, out, _err = run("drill", "--repository", str(root), "--check")
    assert status == 0
    assert out.startswith(f"{backup.folder}: ")
    assert out.endswith("planned: 1 backup would be drilled\n")
    assert run("drill", backup.folder.name, "--repository", str(root), "--check")[0] == 0
    assert run("drill", "--repository", str(root), "--database", "none")[0] == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("no key\n"))
    status, _out, err = run("drill", "--repository", str(root), "-i", "-")
    assert status == 3
    assert "no key" not in err


def test_a_test_message_goes_to_all_that_a_job_notifies(run: Run, tmp_path: Path) -> None:
    host = JobHost(tmp_path)
    entry = {"instance": "a", "engine": "postgresql", "login_host": "x", "host": "h", "encryption": "none"}
    backups = [{**entry, "repository": str(host.repository)}]
    config = ("--config-dir", str(host.config_dir))
    with web_receiver(200) as receiver, web_receiver(500) as broken:
        told = [
            {"name": "chat", "type": "slack", "events": ["success"]},
            {"name": "watch", "type": "ping", "events": ["failure"]},
        ]
        host.write_job("daily", backups, notifications=told)
        urls = {"chat": {"url": receiver.url("/hook")}, "watch": {"url": receiver.url("/check")}}
        host.write_secrets("daily", notifications=urls)
        status, out, _err = run("notify", "daily", "--test", *config)
        assert (status, out) == (0, "chat (slack): sent\nwatch (ping): sent\nok: 2 of 2 test messages sent\n")
        assert sorted(receiver.paths) == ["/check/log", "/hook"]  # which changes no state of a check
        assert any("Test message of the backup job daily on h" in one.body for one in receiver.received)
        host.write_secrets("daily", notifications={**urls, "chat": {"url": broken.url("/secret")}})
        status, out, _err = run("notify", "daily", "--test", *config, "--json")
        assert (status, json.loads(out)["message"]) == (2, "1 of 2 test messages sent")
        assert "secret" not in out
        _status, out, _err = run("notify", "daily", "--test", *config)
        assert_golden("notify_a_receiver_that_refuses", out.splitlines(), {str(broken.port): "PORT"})
    host.write_job("quiet", backups)
    assert run("notify", "quiet", "--test", *config)[0] == 3
    with pytest.raises(SystemExit):
        run("notify", "daily", *config)
