# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: the properties of a database in a forged manifest do nothing but to that database."""

from __future__ import annotations

import pytest
from backupdb.engines.postgresql.restore.database import create, finish
from backupdb.engines.values import RestoreOptions
from backupdb.errors import RestoreRefused
from support.postgresql_dumps import new_database, opened
from support.servers import PrivatePostgres

INJECTED = "ALTER ROLE forged_other SUPERUSER"
PROPERTIES = {
    "owner": "postgres",
    "encoding": "UTF8",
    "locale_provider": "libc",
    "lc_collate": "C",
    "lc_ctype": "C",
    "comment": f"'; {INJECTED}; --\\'; {INJECTED}; --",
    "acl": [f'"x""; {INJECTED}; --"=c/postgres', f"=c/postgres; {INJECTED}; --"],
    "settings": [
        {"role": None, "settings": [f"search_path TO 'x'; {INJECTED}; --=1", f'my.x"; {INJECTED}; --=1']},
        {"role": None, "settings": [f"search_path=\"'; {INJECTED}; --", f"work_mem=1MB'; {INJECTED}; --\\"]},
        {"role": f'postgres"; {INJECTED}; --', "settings": ["work_mem=1MB"]},
    ],
    "security_labels": {f'p"; {INJECTED}; --': f"'; {INJECTED}; --"},
    "connection_limit": 3,
}


def test_properties_of_a_forged_manifest_are_values_and_no_statements(postgres15: PrivatePostgres) -> None:
    postgres15.sql("CREATE ROLE forged_other")
    try:
        with new_database(postgres15, "forged_target") as name, opened(postgres15) as (server, facts):
            warnings = finish(server, name, PROPERTIES, RestoreOptions())
            assert len(warnings) >= 5
            for value in ("libc " + INJECTED, f"libc; {INJECTED}; --"):
                with pytest.raises(RestoreRefused, match="which is not known here"):
                    create(server, facts, "forged_new", {**PROPERTIES, "locale_provider": value}, RestoreOptions())
            for key in ("encoding", "lc_collate", "lc_ctype", "owner", "tablespace"):
                changed = {**PROPERTIES, key: f"C'\"; {INJECTED}; --"}
                with pytest.raises(RestoreRefused):
                    create(server, facts, "forged_new", changed, RestoreOptions(no_tablespaces=False))
        assert postgres15.sql("SELECT rolsuper FROM pg_roles WHERE rolname = 'forged_other'") == [(False,)]
        assert postgres15.sql("SELECT 1 FROM pg_database WHERE datname LIKE 'forged%'") == []
    finally:
        postgres15.sql("DROP ROLE forged_other")
