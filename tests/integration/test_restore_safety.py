# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore harms nothing: what is refused, what is replaced and how, and what is in place when it fails half way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.archives.envelope import Encryption
from backupdb.archives.keys import Keys
from backupdb.errors import ArchiveDamaged, BackupNotFound, InvalidOption, RestoreRefused, WrongKey
from backupdb.restore import run as restore
from backupdb.restore.request import Safety
from support import mysql_sid
from support.library import HOST, IDENTITY, back_up, instance_of, stored_backups, wait_for
from support.private_server import PrivateServer
from support.restores import clean, differences, make_database, names, restore_request, restored, rewritten
from support.tree import folder_state

KINDS = ["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        yield private


def back_up_again(server: PrivateServer, repository: Path) -> None:
    """A newer backup, also by its name, which tells seconds only."""
    time.sleep(1.1)
    back_up(server, repository, databases=["shop"], accounts=False, row_counts=True)


def items(server: PrivateServer, database: str) -> list[int]:
    return [row[0] for row in server.sql("SELECT n FROM item ORDER BY n", database=database)]


def broken_backup(server: PrivateServer, repository: Path) -> str:
    """A newest backup of `shop` whose rows cannot be loaded to their end."""
    if server.engine != "postgresql":
        folder = stored_backups(repository, "shop")[0].folder
        rewritten(folder, "data", lambda text: text.replace(b"INSERT INTO `item`", b"INSERT INTO `nowhere`", 1))
        return str(folder)
    # pg_restore loads tables by their names, and this condition asks a table that comes later.
    server.run_sql_script(
        "CREATE TABLE known (n int); INSERT INTO known VALUES (1);"
        "CREATE FUNCTION is_known(int) RETURNS boolean LANGUAGE sql AS 'SELECT count(*) > 0 FROM public.known';"
        "CREATE TABLE asks (n int CHECK (is_known(n))); INSERT INTO asks VALUES (1);",
        database="shop",
    )
    back_up_again(server, repository)
    return str(stored_backups(repository, "shop")[0].folder)


def test_an_existing_database_is_refused_without_replace_and_its_name_typed_again(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    for options, words in (
        ({}, "replace and confirm: shop"),
        ({"confirm": "shop"}, "replace and confirm: shop"),
        ({"replace": True}, "confirm must be its name, but it is not given"),
        ({"replace": True, "confirm": "Shop"}, "confirm must be its name, but it is 'Shop'"),
    ):
        with pytest.raises(RestoreRefused, match=words):
            restore.run(restore_request(server, repository, shop, target="shop", **options))
    assert items(server, "shop") == [1, 2]
    assert len(stored_backups(repository, "shop")) == 1


def test_a_database_of_the_server_itself_is_never_replaced(server: PrivateServer, repository: Path, shop: str) -> None:
    name = "template1" if server.engine == "postgresql" else "mysql"
    with pytest.raises(RestoreRefused, match="belongs to the server itself"):
        restore.run(restore_request(server, repository, shop, target=name, replace=True, confirm=name))


def test_nothing_of_the_old_one_is_kept_when_that_is_asked_for(
    server: PrivateServer, repository: Path, shop: str, scratch: Path
) -> None:
    before, stored = names(server), len(stored_backups(repository, shop))
    options = {"keep_replaced": False, "safety": Safety(wanted=False)}
    result = restored(server, repository, shop, target="shop", replace=True, confirm="shop", **options)
    assert items(server, "shop") == [1]
    assert names(server) == before
    assert (result["kept_as"], result["safety_backup"]) == (None, None)
    assert len(stored_backups(repository, shop)) == stored


def test_replacing_what_is_not_there_is_a_plain_restore(server: PrivateServer, repository: Path, shop: str) -> None:
    result = restored(server, repository, shop, target="new", replace=True, confirm="new")
    assert (result["safety_backup"], result["kept_as"], result["plan"]["drops"]) == (None, None, [])
    assert items(server, "new") == [1]


def test_a_restore_that_fails_half_way_leaves_nothing_of_itself(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    broken_backup(server, repository)
    before = names(server)
    result = restore.run(restore_request(server, repository, shop))
    assert (result["status"], result["changed"], result["error_kind"]) == ("failed", False, "RestoreFailed")
    assert "nothing of it is left on the server" in result["message"]
    assert ("nowhere" if server.engine != "postgresql" else "asks") in result["message"]
    assert names(server) == before
    kept = restore.run(restore_request(server, repository, shop, target="half", keep_failed=True))
    assert kept["status"] == "failed"
    assert "'half' is left for you to look at" in kept["message"]
    assert names(server) == before | {"half"}


def test_a_replacement_that_fails_half_way_leaves_the_old_database_as_it_was(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    path = broken_backup(server, repository)
    before = names(server)
    result = restore.run(
        restore_request(server, repository, shop, path=path, target="shop", replace=True, confirm="shop")
    )
    assert result["status"] == "failed"
    assert "'shop' is as it was" in result["message"]
    assert result["safety_backup"] and Path(result["safety_backup"]).is_dir()
    assert items(server, "shop") == [1, 2]
    server.sql("INSERT INTO item VALUES (3)", database="shop")
    assert names(server) == before


@pytest.mark.parametrize("server", KINDS[1:], indirect=True)
def test_where_databases_cannot_be_renamed_a_late_failure_names_the_copy_and_the_safety_backup(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    server.sql("INSERT INTO item SELECT seq FROM (" + numbers(100_000) + ") n", database="shop")
    back_up_again(server, repository)
    with ThreadPoolExecutor() as pool:
        killer = pool.submit(kill_the_load_into, server, "shop")
        result = restore.run(restore_request(server, repository, shop, target="shop", replace=True, confirm="shop"))
        killer.result()
    assert result["status"] == "failed"
    assert result["safety_backup"] in result["message"]
    assert repr(result["kept_as"]) in result["message"]
    assert len(items(server, result["kept_as"])) == 100_002
    assert "shop" not in names(server)
    again = {"path": result["safety_backup"], "target": "shop"}
    restored(server, repository, shop, **again)
    assert len(items(server, "shop")) == 100_002


def numbers(count: int) -> str:
    """A query for the numbers from 10 on that both vendors understand."""
    digit = " UNION ALL ".join(f"SELECT {number} AS d" for number in range(10))
    places = range(len(str(count)) - 1)
    tables = " CROSS JOIN ".join(f"({digit}) t{place}" for place in places)
    return f"SELECT 10 + {' + '.join(f'{10**place} * t{place}.d' for place in places)} AS seq FROM {tables}"


def kill_the_load_into(server: PrivateServer, name: str) -> None:
    """End the first session that loads rows into the database: the old one was dropped then, the new one is made."""
    connection = server.connect()
    try:
        with connection.cursor() as cursor:

            def rows(statement: str) -> list[Any]:
                cursor.execute(statement)
                return list(cursor.fetchall())

            inserting = f"SELECT id FROM information_schema.processlist WHERE db = '{name}' AND info LIKE 'INSERT%'"
            for (session,) in wait_for(lambda: rows(inserting), seconds=120, what="the load"):
                cursor.execute(f"KILL CONNECTION {session}")
    finally:
        connection.close()


def test_a_difference_from_the_manifest_fails_and_is_never_put_in_place(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    folder = stored_backups(repository, shop)[0].folder
    (folder / "manifest.json").write_text(
        (folder / "manifest.json").read_text(encoding="ascii").replace('"tables": 1', '"tables": 2'), encoding="ascii"
    )
    result = restore.run(restore_request(server, repository, shop, target="beside"))
    assert (result["status"], result["changed"]) == ("failed", True)
    assert differences(result) == ["tables: 2 in the backup, 1 restored"]
    assert "'beside' is there" in result["message"]
    path = {"path": str(folder), "target": "shop", "replace": True, "confirm": "shop"}
    replaced = restore.run(restore_request(server, repository, shop, **path))
    assert replaced["status"] == "failed"
    assert "tables: 2 in the backup, 1 restored" in replaced["message"]
    assert items(server, "shop") == [1, 2]
    accepted = restore.run(restore_request(server, repository, shop, accept_errors=True, **path))
    assert accepted["status"] == "restored_with_errors"
    assert items(server, "shop") == [1]


def test_a_wrong_key_and_a_cut_archive_are_found_before_anything_is_made(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    before = names(server)
    with pytest.raises(WrongKey):
        restore.run(restore_request(server, repository, shop, keys=Keys(passphrase="not the one")))
    with pytest.raises(WrongKey, match="is encrypted"):
        restore.run(restore_request(server, repository, shop, keys=Keys()))
    archive = next(stored_backups(repository, shop)[0].folder.glob("data.*"))
    archive.write_bytes(archive.read_bytes()[:-10])
    with pytest.raises(ArchiveDamaged, match="the manifest says"):
        restore.run(restore_request(server, repository, shop))
    assert names(server) == before


def test_a_flipped_bit_in_an_archive_fails_the_restore_and_leaves_nothing(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    archive = next(stored_backups(repository, shop)[0].folder.glob("data.*"))
    content = bytearray(archive.read_bytes())
    content[-5] ^= 1
    archive.write_bytes(bytes(content))
    before = names(server)
    try:
        result = restore.run(restore_request(server, repository, shop))
    except ArchiveDamaged:  # a small archive is read whole when its key is tried
        pass
    else:
        assert result["status"] == "failed"
    assert names(server) == before


def test_check_mode_tells_the_plan_and_changes_nothing(server: PrivateServer, repository: Path, shop: str) -> None:
    before, tree = names(server), folder_state(repository)
    plan = restore.run(restore_request(server, repository, shop, target="new"), check_mode=True)
    assert (plan["status"], plan["changed"], plan["plan"]["creates"]) == ("planned", True, ["new"])
    assert plan["plan"]["client"] and plan["plan"]["needed_bytes"] > 0
    options = {"target": "shop", "replace": True, "confirm": "shop"}
    plan = restore.run(restore_request(server, repository, shop, **options), check_mode=True)
    assert plan["plan"]["drops"] == ["shop"]
    assert plan["plan"]["creates"][-1] == "shop"
    assert plan["plan"]["safety_backup"]
    refused = restore.run(restore_request(server, repository, shop, target="shop"), check_mode=True)
    assert (refused["status"], refused["changed"]) == ("failed", False)
    assert "replace and confirm: shop" in refused["plan"]["refusals"][0]
    assert names(server) == before
    assert folder_state(repository) == tree
    assert items(server, "shop") == [1, 2]


def test_a_backup_that_is_not_there_is_named_with_what_is(server: PrivateServer, repository: Path, shop: str) -> None:
    with pytest.raises(BackupNotFound, match="shop"):
        restore.run(restore_request(server, repository, "shopp"))


def test_the_safety_backup_must_be_whole_and_have_a_place(
    server: PrivateServer, repository: Path, shop: str, scratch: Path
) -> None:
    other = scratch / "copy"
    shutil.copytree(stored_backups(repository, shop)[0].folder, other)
    options: dict[str, Any] = {"path": str(other), "target": "shop", "replace": True, "confirm": "shop"}
    request = restore_request(server, repository, shop, **options)
    with pytest.raises(RestoreRefused, match="no repository for the safety backup"):
        restore.run(type(request)(**{**vars(request), "repository": None}))
    lost = Safety(host=HOST, repository=str(scratch / "not there"))
    result = restore.run(restore_request(server, repository, shop, safety=lost, **options))
    assert result["status"] == "failed"
    assert "does not exist" in result["message"]
    assert items(server, "shop") == [1, 2]
    elsewhere = scratch / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    kept = Safety(host="other", repository=str(elsewhere), encryption=Encryption(recipients=(IDENTITY.recipient,)))
    result = restored(server, repository, shop, safety=kept, **options)
    assert result["safety_backup"].startswith(str(elsewhere / "other" / "test-before-restore" / "shop"))


def test_a_backup_of_another_kind_of_server_is_refused(
    server: PrivateServer, repository: Path, shop: str, request: pytest.FixtureRequest
) -> None:
    other = request.getfixturevalue("mariadb" if server.engine == "postgresql" else "postgres15")
    with pytest.raises(RestoreRefused, match=f"the backup is of {server.engine}"):
        restore.run(restore_request(other, repository, shop))


def test_a_restore_that_takes_too_long_stops_and_leaves_nothing(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    before = names(server)
    result = restore.run(restore_request(server, repository, shop, timeout=0.001))
    assert (result["status"], result["error_kind"]) == ("failed", "RunTimeout")
    assert names(server) == before


def test_a_restore_that_is_asked_to_stop_leaves_nothing_and_says_so(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    make_database(server, "big")
    server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database="big")
    server.sql(f"INSERT INTO item SELECT seq FROM ({numbers(1_000_000)}) n", database="big")
    back_up(server, repository, databases=["big"], accounts=False)
    before = names(server)
    with ThreadPoolExecutor() as pool:
        stopper = pool.submit(stop_when_loading, server, "big_restored")
        result = restore.run(restore_request(server, repository, "big"))
        stopper.result()
    assert (result["status"], result["error_kind"]) == ("failed", "Interrupted")
    assert "stopped by SIGTERM" in result["warnings"]
    assert "nothing of it is left on the server" in result["message"]
    assert names(server) == before


def stop_when_loading(server: PrivateServer, beginning: str) -> None:
    """Send ourselves SIGTERM once there is the table to be filled."""

    def there() -> bool:
        made = [name for name in names(server) if name.startswith(beginning)]
        return bool(made) and has_items(server, made[0])

    wait_for(there, seconds=120, what="the load")
    os.kill(os.getpid(), signal.SIGTERM)


def has_items(server: PrivateServer, database: str) -> bool:
    condition = "table_catalog" if server.engine == "postgresql" else "table_schema"
    found = f"SELECT count(*) FROM information_schema.tables WHERE {condition} = '{database}' AND table_name = 'item'"
    return bool(server.sql(found, database=database)[0][0])


def test_a_database_that_would_not_fit_is_refused_with_the_numbers(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    manifest = stored_backups(repository, shop)[0].folder / "manifest.json"
    document = json.loads(manifest.read_text(encoding="ascii"))
    manifest.write_text(json.dumps({**document, "size_bytes": 1 << 60}), encoding="ascii")
    local = replace(instance_of(server), host=None, unix_socket=str(server.socket))  # type: ignore[attr-defined]
    with pytest.raises(RestoreRefused, match="are needed and"):
        restore.run(restore_request(server, repository, shop, instance=local))


def test_options_that_contradict_each_other_are_refused(server: PrivateServer, repository: Path) -> None:
    for options, words in (
        ({"schema_only": True, "data_only": True, "target": "x"}, "leave nothing"),
        ({"data_only": True}, "needs target"),
        ({"replace": True}, "needs target"),
        ({"replace": True, "target": "x", "tables": ("t",)}, "would drop"),
        ({"owner_policy": "map"}, "owner_map is empty"),
        ({"owner_policy": "guess"}, "not known"),
        ({"jobs": 0}, "at least 1"),
    ):
        with pytest.raises(InvalidOption, match=words):
            restore_request(server, repository, "shop", **options)


def test_rows_alone_go_into_tables_that_are_there(server: PrivateServer, repository: Path, shop: str) -> None:
    with pytest.raises(RestoreRefused, match="does not exist"):
        restore.run(restore_request(server, repository, shop, target="none", data_only=True))
    options = {"target": "shop", "data_only": True}
    with pytest.raises(RestoreRefused, match="confirm must be its name"):
        restore.run(restore_request(server, repository, shop, **options))
    failed = restore.run(restore_request(server, repository, shop, confirm="shop", **options))
    assert failed["status"] == "failed"  # row 1 is there already
    assert failed["safety_backup"] in failed["message"]
    server.sql("DELETE FROM item", database="shop")
    path = str(stored_backups(repository, shop)[-1].folder)
    result = restored(server, repository, shop, confirm="shop", path=path, **options)
    assert items(server, "shop") == [1]
    assert result["not_compared"]


def test_a_schema_comes_back_without_rows(server: PrivateServer, repository: Path, shop: str) -> None:
    restored(server, repository, shop, target="empty", schema_only=True)
    assert items(server, "empty") == []


def test_one_table_comes_back_alone(server: PrivateServer, repository: Path, shop: str) -> None:
    server.sql("CREATE TABLE other (n int)", database="shop")
    back_up_again(server, repository)
    restored(server, repository, shop, target="one", tables=("item",))
    assert items(server, "one") == [1, 2]
    with pytest.raises(Exception, match="other"):
        server.sql("SELECT * FROM other", database="one")
