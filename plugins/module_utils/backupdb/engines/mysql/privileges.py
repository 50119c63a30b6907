# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights a login lacks for a dump that leaves nothing out.

A missing right is not an error to the dump clients or to information_schema: triggers, events and routines that the
login may not see are simply not there. So the rights are read from SHOW GRANTS, for a fresh session, because the
dump client's session is one too (only roles that are active by default count).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..values import DEGRADED, FATAL, PARTIAL, Database, DumpOptions, MissingPrivilege
from .family import MysqlFamily
from .grants import Grants, escaped_pattern, parse
from .statements import quoted, quoted_account
from .view_functions import execute_on, functions_of_views


def read_grants(engine: MysqlFamily) -> Grants:
    """Read the rights that every new session of this login has."""
    lines = [str(row[0]) for row in engine.server.rows(engine.grants_statement().replace(":", "\\:"))]
    return parse(lines, literal=engine.literal_database_grants())


def missing_privileges(
    engine: MysqlFamily, databases: Sequence[Database], options: DumpOptions
) -> list[MissingPrivilege]:
    """Say which rights are missing for the instance and for each of the databases, with the GRANT that gives them."""
    account = quoted_account(str(engine.server.value("SELECT CURRENT_USER()")))
    grants = read_grants(engine)
    missing = missing_of(engine, grants, databases, options, account=account)
    return [*missing, *_missing_on_functions(engine, grants, account, [database.name for database in databases])]


def missing_of(
    engine: MysqlFamily,
    grants: Grants,
    databases: Sequence[Database],
    options: DumpOptions,
    *,
    account: str,
) -> list[MissingPrivilege]:
    """As `missing_privileges`, for rights that are known; `account` is quoted."""
    missing = _missing_on_instance(engine, grants, account)
    for database in databases:
        missing += _missing_on_database(engine, grants, account, database.name, options)
    return missing


def _missing_on_functions(
    engine: MysqlFamily, grants: Grants, account: str, databases: Sequence[str]
) -> Iterator[MissingPrivilege]:
    if not engine.VIEWS_NEED_EXECUTE or grants.has_global("EXECUTE"):
        return
    with engine.server.connect() as connection:
        called = functions_of_views(engine.server, connection, databases)
    for database, functions in called.items():
        for function, views in functions.items():
            if not grants.has_on_function("EXECUTE", *function):
                yield MissingPrivilege(
                    privilege=f"{execute_on(function)} (views of database {database})",
                    severity=PARTIAL,
                    effect=f"the server does not show the views that call it: {', '.join(views)}",
                    grant=f"GRANT {execute_on(function)} TO {account};",
                    database=database,
                )


def _missing_on_instance(engine: MysqlFamily, grants: Grants, account: str) -> list[MissingPrivilege]:
    missing = []
    lock = engine.lock_right()
    if not grants.has_right(lock):
        missing.append(
            MissingPrivilege(
                privilege=lock.grant,
                severity=DEGRADED,
                effect="no global read lock: one dump client per database, and no coordinates of its snapshot",
                grant=f"GRANT {lock.grant} ON *.* TO {account};",
            )
        )
    if not grants.has_global("PROCESS"):
        missing.append(
            MissingPrivilege(
                privilege="PROCESS",
                severity=DEGRADED,
                effect="whether the dump has begun cannot be seen, so no global read lock is taken: one dump client"
                " per database",
                grant=f"GRANT PROCESS ON *.* TO {account};",
            )
        )
    coordinates = engine.coordinates_right()
    if engine.facts.settings.get("log_bin") in (1, "ON") and not grants.has_right(coordinates):
        missing.append(
            MissingPrivilege(
                privilege=coordinates.grant,
                severity=DEGRADED,
                effect="the binary log's file and position are not in the manifest",
                grant=f"GRANT {coordinates.grant} ON *.* TO {account};",
            )
        )
    if not grants.has_global("SHOW DATABASES"):
        missing.append(
            MissingPrivilege(
                privilege="SHOW DATABASES",
                severity=DEGRADED,
                effect="databases on which the login has no right at all are not listed",
                grant=f"GRANT SHOW DATABASES ON *.* TO {account};",
            )
        )
    return missing


def _missing_on_database(
    engine: MysqlFamily, grants: Grants, account: str, database: str, options: DumpOptions
) -> list[MissingPrivilege]:
    pattern = quoted(escaped_pattern(database, literal=grants.literal))
    missing = []
    for privilege, wanted, effect in (
        ("SELECT", True, "tables cannot be read"),
        ("SHOW VIEW", True, "views cannot be read"),
        ("TRIGGER", options.triggers, "triggers are left out without an error"),
        ("EVENT", options.events, "events are left out without an error"),
    ):
        if not grants.has_on_database(privilege, database):
            missing.append(
                MissingPrivilege(
                    privilege=f"{privilege} on database {database}",
                    severity=FATAL if wanted else PARTIAL,
                    effect=effect,
                    grant=f"GRANT {privilege} ON {pattern}.* TO {account};",
                    database=database,
                )
            )
    routine_grant = engine.missing_routine_right(grants, database)
    if routine_grant is not None:
        missing.append(
            MissingPrivilege(
                privilege=f"{routine_grant.replace('{database}', pattern)} (routines of database {database})",
                severity=FATAL if options.routines else PARTIAL,
                effect="functions and procedures are left out without an error",
                grant=f"GRANT {routine_grant.replace('{database}', pattern)} TO {account};",
                database=database,
            )
        )
    return missing
