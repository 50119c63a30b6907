# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: what a forged archive cannot reach on the host that restores it, where its SQL goes through psql."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from backupdb.engines.values import Client, DumpOptions, RestoreOptions
from backupdb.errors import BackupDbError
from support.postgresql_dumps import opened, take
from support.postgresql_restores import bring_back, gone_afterwards, manifest_of
from support.servers import PrivatePostgres

MARK = "MARK" * 60


@pytest.mark.parametrize(
    "command",
    [
        "\\! touch {0}",
        "\\copy t TO '{0}'",
        "\\o {0}",
        "\\w {0}",
        "\\g {0}",
        "\\i {1}",
        "\\ir {1}",
        "\\unrestrict x\n\\! touch {0}",
        "SELECT 1 \\g |touch {0}",
        "\\setenv PAGER 'touch {0}'",
    ],
)
def test_no_command_of_psql_in_an_archive_is_run(
    postgres15: PrivatePostgres, postgres18: PrivatePostgres, scratch: Path, command: str
) -> None:
    touched, script = scratch / "touched", scratch / "script.sql"
    script.write_text("CREATE TABLE sourced (a int);\n", encoding="utf-8")
    newer = Client(str(postgres18.binaries / "pg_dump"), "postgresql", "18.6", 18, True, "newer")
    postgres15.sql("CREATE DATABASE forged")
    try:
        postgres15.sql(f"CREATE TABLE t (a int); COMMENT ON TABLE t IS '{MARK}'", database="forged")
        with ExitStack() as stack:
            server, facts = stack.enter_context(opened(postgres15))
            stack.enter_context(gone_afterwards(server, facts, "copy"))
            folder = scratch / "dump"
            folder.mkdir()
            taken = take(server, facts, newer, "forged", folder, options=DumpOptions(allow_newer_client=True))
            manifest = manifest_of(taken, facts, newer)
            honest = f"'{MARK}'".encode()
            line = f"'x';\n{command.format(touched, script)}\nSELECT 1 --".encode()
            count = 0
            for path in folder.iterdir():
                content = path.read_bytes()
                count += content.count(honest)
                path.write_bytes(content.replace(honest, line + b" " * (len(honest) - len(line))))
            assert count == 1
            restoring = replace(newer, path=str(postgres18.binaries / "pg_restore"))
            try:
                bring_back(server, facts, restoring, taken, manifest, "copy", RestoreOptions())
            except BackupDbError:
                pass  # refused is as good
            else:
                assert postgres15.sql("SELECT to_regclass('sourced')", database="copy") == [(None,)]
            assert not touched.exists()
            assert sorted(path.name for path in scratch.iterdir()) == ["dump", "script.sql"]
    finally:
        postgres15.sql("DROP DATABASE forged")
