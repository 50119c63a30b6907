# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a forged manifest: nothing of them reaches a drill's server but what a setting may be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import mysql_dumps, mysql_sid, postgresql_dumps
from support.drills import drilled, edit_manifest
from support.library import back_up, stored_backups

# What an attacker would like to have in a configuration of PostgreSQL, behind a value that ends its line.
_POSTGRESQL_OPTIONS = (
    "archive_mode = on",
    "archive_command = 'touch {mark}'",
    "ssl_passphrase_command = 'touch {mark}'",
    "session_preload_libraries = '{mark}'",
    "local_preload_libraries = '{mark}'",
    "listen_addresses = '*'",
    "unix_socket_directories = '{folder}'",
    "include = '{mark}'",
)
_MYSQL_OPTIONS = (
    "init_file={mark}",
    "plugin_dir={folder}",
    "plugin_load_add={mark}",
    "secure_file_priv=",
    "general_log=ON",
    "general_log_file={mark}",
    "socket={folder}/own.sock",
    "skip_networking=OFF",
    "!include {mark}",
    "!includedir {folder}",
)
_ENDS = (
    "\n{}\n",
    "'\n{}\n#",
    '"\n{}\n',
    "\\\n{}",
    "\r{}",
    "x\r\n{}",
    "\\n{}",
    "'; {}",
    '" {}',
    "x\x00\n{}",
    "\u2028{}",
)


def hostile_texts(options: tuple[str, ...], folder: Path) -> list[str]:
    """Every option behind every way to end a value."""
    written = [option.format(mark=folder / "mark", folder=folder) for option in options]
    return [end.replace("{}", one) for end in _ENDS for one in (*written, "\n".join(written))]


def told_of(entry: dict[str, Any], name: str) -> str:
    """The one warning about a setting."""
    (line,) = [line for line in entry["warnings"] if line.startswith(f"{name}: ")]
    assert "\n" not in line
    return line


@pytest.fixture
def reachable(work_dir: Path) -> Path:
    """A folder into which the drill's server could write."""
    folder = work_dir / "reachable"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def test_no_setting_of_a_forged_manifest_is_an_option_of_a_drill_of_postgresql(
    postgres15: Any, repository: Path, work_dir: Path, reachable: Path
) -> None:
    with postgresql_dumps.new_database(postgres15, "forged_settings"):
        back_up(postgres15, repository, databases=["forged_settings"], accounts=False)
        (backup,) = stored_backups(repository, "forged_settings")
    names = (
        "TimeZone",
        "default_text_search_config",
        "default_toast_compression",
        "max_locks_per_transaction",
        "max_prepared_transactions",
        "password_encryption",
    )
    texts = hostile_texts(_POSTGRESQL_OPTIONS, reachable)
    for start in range(0, len(texts), len(texts) // 3):
        forged: dict[str, Any] = {name: texts[(start + place * 7) % len(texts)] for place, name in enumerate(names)}
        forged |= {"archive_command": f"touch {reachable}/mark", "session_preload_libraries": "auto_explain"}
        forged["shared_preload_libraries"] = f"{reachable}/mark, ../../x, auto_explain'{texts[start]}, plpgsql"

        def change(manifest: dict[str, Any], forged: dict[str, Any] = forged) -> None:
            manifest["server"]["settings"] = forged

        edit_manifest(backup.folder, change)
        entry = drilled(repository, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry
        for name in names:
            assert "left out" in told_of(entry, name)
        assert sum(line.startswith("shared_preload_libraries: ") for line in entry["warnings"]) >= 3
        assert "shared_preload_libraries: plpgsql is none that a restore" in " ".join(entry["unmatched_settings"])
        assert list(reachable.iterdir()) == []


@pytest.mark.parametrize("kind", ["mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def test_no_setting_of_a_forged_manifest_is_an_option_of_a_drill_of_mysql(
    kind: str,
    request: pytest.FixtureRequest,
    repository: Path,
    work_dir: Path,
    reachable: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = request.getfixturevalue(kind)
    if kind == "mysql":
        monkeypatch.setenv("PATH", f"{mysql_sid.programs()}:/usr/bin:/bin")
    with mysql_dumps.new_database(server, "forged_settings"):
        back_up(server, repository, databases=["forged_settings"], accounts=False)
        (backup,) = stored_backups(repository, "forged_settings")
    names = ("sql_mode", "character_set_server", "collation_server", "innodb_page_size", "lower_case_table_names")
    names = (*names, "innodb_default_row_format", "innodb_strict_mode", "default_storage_engine")
    texts = hostile_texts(_MYSQL_OPTIONS, reachable)
    for start in range(0, len(texts), len(texts) // 2):
        forged: dict[str, Any] = {name: texts[(start + place * 7) % len(texts)] for place, name in enumerate(names)}
        forged |= {"init_file": f"{reachable}/mark", "plugin_dir": str(reachable), "secure_file_priv": ""}
        forged |= {"time_zone": "/etc/passwd", "max_allowed_packet": texts[start]}
        forged["plugins"] = [f"../../{reachable}/mark", "x' ", "ed25519\n", ["ed25519"], None, "handlersocket"]

        def change(manifest: dict[str, Any], forged: dict[str, Any] = forged) -> None:
            manifest["server"]["settings"] = forged

        edit_manifest(backup.folder, change)
        entry = drilled(repository, work_dir=str(work_dir))
        assert entry["verdict"] == "equal", entry
        for name in names:
            assert "left out" in told_of(entry, name)
        assert sum(line.startswith("plugins: ") for line in entry["warnings"]) == 5
        assert any("handlersocket is none that a restore" in line for line in entry["unmatched_settings"])
        assert any(line.startswith("time_zone: /etc/passwd is not known") for line in entry["unmatched_settings"])
        assert list(reachable.iterdir()) == []


@pytest.mark.parametrize("version", ["", "x", "9" * 5000, None, "15\n; x", "../15", "-1"])
@pytest.mark.parametrize("kind", ["postgres15", "mariadb"])
def test_a_version_that_is_none_is_damage(
    kind: str, version: str | None, request: pytest.FixtureRequest, repository: Path, work_dir: Path
) -> None:
    entry = drilled_with(
        request.getfixturevalue(kind),
        postgresql_dumps if kind == "postgres15" else mysql_dumps,
        repository,
        work_dir,
        lambda manifest: manifest["server"].update(version=version),
    )
    if version == "15\n; x" and kind == "postgres15":
        assert entry["verdict"] == "equal"
    else:
        assert (entry["verdict"], entry["error_kind"]) == ("failed", "ManifestDamaged"), entry


@pytest.mark.parametrize("encoding", ["UTF8\n--x", "../UTF8", "UTF8 --debug", "U" * 100])
def test_an_encoding_that_is_no_name_is_damage(
    postgres15: Any, repository: Path, work_dir: Path, encoding: str
) -> None:
    entry = drilled_with(
        postgres15,
        postgresql_dumps,
        repository,
        work_dir,
        lambda manifest: manifest["engine_details"].update(cluster_encoding=encoding),
    )
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "ManifestDamaged"), entry


def drilled_with(
    server: Any, dumps: Any, repository: Path, work_dir: Path, change: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """The entry of a drill of a backup whose manifest was changed so."""
    with dumps.new_database(server, "forged_one"):
        back_up(server, repository, databases=["forged_one"], accounts=False)
        (backup,) = stored_backups(repository, "forged_one")
    edit_manifest(backup.folder, change)
    return drilled(repository, work_dir=str(work_dir))
