# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export of a PostgreSQL server's roles: `pg_dumpall --globals-only` and what it does not write.

It needs pg_authid for the hashes of passwords. Where a managed server refuses that, the roles are exported without
passwords and the result says so. Roles named pg_… belong to the server version and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...connection.server import Server
from ...errors import ClientMissing, CommandFailed
from ...system.process import RunAs, describe_status, run_captured
from ...system.text import counted
from ..accounts_document import Account, as_sql, build
from ..values import AccountsExport, Client, ServerFacts
from .accounts_instance import of_instance
from .accounts_script import Parsed, in_order_of_grants, parse
from .catalogue import cluster_encoding, name_bytes, name_from
from .clients import sibling_program
from .login import login_environment, login_secret
from .quoting import connection_string, identifier, python_encoding
from .settings import NEUTRAL

_SECONDS = 300.0
_ATTEMPTS = 3  # a role may be made or dropped while we look
_BOOTSTRAP_OID = 10  # the superuser that initdb made (BOOTSTRAP_SUPERUSERID)
_READ_ALL_DATA_SINCE = (14,)
_REFUSED = re.compile(r"permission denied for (?:table|relation) pg_authid")

_ROLES = f"""
    SELECT {name_bytes("rolname")} AS name, rolcanlogin AS login, oid AS oid
      FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"""  # noqa: S608


def export(server: Server, facts: ServerFacts, client: Client) -> AccountsExport:
    """Export roles, memberships, settings, tablespaces and rights on parameters.

    Raises `ClientMissing` without a pg_dumpall beside the client's pg_dump, and `CommandFailed` when it fails or when
    the roles that it wrote are not those of the catalogue.
    """
    program = sibling_program(client, "pg_dumpall")
    if not Path(program).is_file():
        raise ClientMissing(f"{program} is missing: it comes with the package that {client.path} comes from")
    with_passwords = bool(server.value("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')"))
    for _attempt in range(_ATTEMPTS):
        roles = {name_from(row.name): row for row in server.rows(_ROLES)}
        script, with_passwords = _script(server, program, with_passwords=with_passwords)
        parsed = parse(script)
        written = {entry.role for entry in parsed if entry.statement.sql.startswith("CREATE ROLE ")}
        if written == set(roles):
            break
    else:
        odd = ", ".join(sorted(repr(name) for name in written ^ set(roles))[:5])
        raise CommandFailed(
            f"{server.instance.where()}: pg_dumpall wrote other roles than the catalogue has ({odd}); run again"
        )
    missing = [] if with_passwords else [_without_passwords(server, facts, roles)]
    document = build(
        vendor=facts.vendor,
        server_version=facts.version,
        accounts=_accounts(roles, parsed),
        instance=[
            *[entry.statement for entry in parsed if entry.role not in roles],
            *of_instance(server),
        ],
        missing=missing,
    )
    return AccountsExport(document=document, sql=as_sql(document), missing=missing)


def _accounts(roles: dict[str, Any], parsed: Sequence[Parsed]) -> list[Account]:
    grantors: dict[str, set[str]] = {}
    for entry in parsed:
        if entry.role is not None and entry.grantor is not None:
            grantors.setdefault(entry.role, set()).add(entry.grantor)
    return [
        Account(
            name=name,
            kind="user" if roles[name].login else "role",
            statements=[entry.statement for entry in parsed if entry.role == name],
            reserved=roles[name].oid == _BOOTSTRAP_OID,
        )
        for name in in_order_of_grants(list(roles), grantors)
    ]


def _script(server: Server, program: str, *, with_passwords: bool) -> tuple[str, bool]:
    """Run pg_dumpall; without passwords only when they cannot be read."""
    database = server.instance.database or "postgres"
    said = run_captured(
        [
            program,
            "--globals-only",
            "--no-password",
            "--encoding=SQL_ASCII",  # bytes as they are, whatever database is entered and what the login has set
            *([] if with_passwords else ["--no-role-passwords"]),
            f"--database={connection_string(database)}",
        ],
        environment=login_environment(server.instance, NEUTRAL),
        secret=login_secret(server.instance),
        timeout=_SECONDS,
        run_as=RunAs(server.instance.system_user),
    )
    if said.returncode == 0:
        return said.stdout.decode(python_encoding(cluster_encoding(server)), "surrogateescape"), with_passwords
    if with_passwords and _REFUSED.search(said.stderr):
        return _script(server, program, with_passwords=False)
    raise CommandFailed(
        f"{server.instance.where()}: {program} ended with {describe_status(said.returncode)}: {said.stderr[-1000:]}"
    )


def _without_passwords(server: Server, facts: ServerFacts, roles: dict[str, Any]) -> str:
    login = identifier(str(server.value("SELECT current_user")))
    users = sum(1 for row in roles.values() if row.login)
    newer = facts.version_number >= _READ_ALL_DATA_SINCE
    database = identifier(server.instance.database or "postgres")
    grant = f"GRANT pg_read_all_data TO {login}" if newer else f"GRANT SELECT ON pg_catalog.pg_authid TO {login}"
    return (
        f"passwords of {counted(users, 'role')}: pg_authid cannot be read by this login; "
        f"{grant}{'' if newer else f' in database {database}'} gives them, where the server allows it"
    )
