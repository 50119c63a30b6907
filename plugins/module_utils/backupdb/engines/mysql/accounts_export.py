# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exporting the accounts of MySQL and MariaDB with the server's own SHOW CREATE USER and SHOW GRANTS.

CREATE USER carries the password hashes (all methods of an account), TLS requirements, limits, expiry and locks. What
the server repeats of that in the lines of SHOW GRANTS is cut off, so that each thing is stated once.
Sources: MySQL manual and MariaDB documentation "SHOW CREATE USER", "SHOW GRANTS".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ...connection.server import Server
from ...errors import QueryFailed
from ..accounts_document import Account, Statement, as_sql, build
from ..values import AccountsExport
from .accounts_rules import LOAD_NAME
from .dead_grants import LiveObjects
from .family import MysqlFamily
from .grants import DATABASE, GLOBAL, NAME, UNQUOTED_TEXT, parse_line, plain_name
from .instance_objects import instance_objects
from .privileges import read_grants
from .statements import (
    DENIED_CODES,
    NO_SUCH_ACCOUNT,
    ask,
    first_answer,
    own_session,
    quoted,
    quoted_account,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Made by every server for itself, and not to be carried to another one.
RESERVED_ACCOUNTS = ("mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys")
SUPERUSER = "root"

# A role that everyone has; it is there without CREATE ROLE (MariaDB 10.11).
_EVERYONE = "PUBLIC"

_GRANTEE = re.compile(
    rf"^(?P<head>{UNQUOTED_TEXT}\s(?:TO|FROM)\s+(?P<grantee>{NAME}(?:@{NAME})?))(?P<tail>\s.*)?$", re.DOTALL
)
_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_DEFAULT_ROLES = re.compile(rf"\sDEFAULT ROLE (?P<roles>{NAME}@{NAME}(?:,\s*{NAME}@{NAME})*)")


def export_accounts(engine: MysqlFamily) -> AccountsExport:
    """Export users and roles. What the login may not read is named under `missing`, never stored as if it were all."""
    server, facts = engine.server, engine.facts
    accounts: list[Account] = []
    missing: list[str] = []
    warnings: list[str] = []
    grants = read_grants(engine)
    with own_session(server) as connection:
        live = LiveObjects(server, connection, grants)
        for statement in engine.ACCOUNT_SESSION:
            ask(server, connection, statement)
        try:
            listed = first_answer(server, connection, engine.ACCOUNT_LIST)
        except QueryFailed as error:
            if error.code not in DENIED_CODES:
                raise
            login = quoted_account(str(ask(server, connection, "SELECT CURRENT_USER()")[0][0]))
            missing.append(f"all accounts: the login cannot read them; GRANT SELECT ON `mysql`.* TO {login}")
            listed = []
        for row in listed:
            name, host, kind = str(row["name"]), row["host"] or None, str(row["kind"])
            if name in RESERVED_ACCOUNTS or LOAD_NAME.fullmatch(name):
                continue
            try:
                accounts.append(_parted(_account(server, connection, name, host, kind), live))
            except QueryFailed as error:
                shown = f"{kind} {name}{'@' + host if host else ''}"
                if error.code == NO_SUCH_ACCOUNT and _ignores_host_names(server, connection):
                    warnings.append(
                        f"{shown} is not exported: the server runs with skip_name_resolve, so it neither shows this "
                        "account nor lets it log in; drop it, or make it for an address"
                    )
                else:
                    missing.append(f"{shown}: {error}")
        objects = instance_objects(server, connection)
    missing += objects.missing
    warnings += [
        f"{account.name}: this is on something that is not there any more: {statement.sql}"
        for account in accounts
        for statement in account.statements
        if statement.dead
    ]
    document = build(
        vendor=facts.vendor,
        server_version=facts.version,
        accounts=accounts,
        instance=objects.statements,
        missing=missing,
    )
    return AccountsExport(document=document, sql=as_sql(document), missing=missing, warnings=warnings)


def _parted(account: Account, live: LiveObjects) -> Account:
    statements = [part for statement in account.statements for part in live.parted(statement)]
    return replace(account, statements=statements)


def grant_statement(line: str) -> Statement | None:
    """Make a statement of one line of SHOW GRANTS; None for the empty USAGE, which says nothing."""
    if line.startswith("SET DEFAULT ROLE"):
        return Statement("default_role", f"{line};")
    match = _GRANTEE.match(line)
    if match is None:
        shown = _TEXTS.sub("'...'", line)
        raise QueryFailed(f"this line of SHOW GRANTS is not understood: {shown}")
    options = _options(match["tail"] or "")
    sql = f"{match['head']}{options};"
    if line.startswith("GRANT PROXY ON"):
        return Statement("proxy", sql)
    entry = parse_line(line)
    if entry is None:
        return Statement("membership", sql)
    if entry.level == GLOBAL:
        return None if entry.rights == {"USAGE"} and not options else Statement("global_grant", sql)
    if entry.level == DATABASE:
        return Statement("database_grant", sql, database=plain_name(entry.database))
    return Statement("object_grant", sql, database=entry.database)


def identity_statements(created: str, account: str) -> list[Statement]:
    """Split the text of SHOW CREATE USER: default roles (MySQL) can only be set once the roles are there."""
    match = _DEFAULT_ROLES.search(created)
    if match is None:
        return [Statement("identity", f"{created};")]
    without = created[: match.start()] + created[match.end() :]
    default = f"ALTER USER {account} DEFAULT ROLE {match['roles']};"
    return [Statement("identity", f"{without};"), Statement("default_role", default)]


def _ignores_host_names(server: Server, connection: Connection) -> bool:
    return str(ask(server, connection, "SELECT @@GLOBAL.skip_name_resolve")[0][0]) in ("1", "ON")


def _account(server: Server, connection: Connection, name: str, host: str | None, kind: str) -> Account:
    account = quoted(name) if host is None else f"{quoted(name)}@{quoted(host)}"
    statements: list[Statement] = []
    if name == _EVERYONE and host is None:
        account = _EVERYONE
    elif host is None:
        statements.append(Statement("identity", f"CREATE ROLE {account};"))
    else:
        created = ask(server, connection, f"SHOW CREATE USER {account}")
        statements += identity_statements(str(created[0][0]), account)
    for row in ask(server, connection, f"SHOW GRANTS FOR {account}"):
        line = str(row[0])
        match = _GRANTEE.match(line)
        # MariaDB adds the grants of a role's roles.
        if match is not None and line.startswith("GRANT") and match["grantee"] != account:
            continue
        statement = grant_statement(line)
        statements += [] if statement is None else [statement]
    return Account(name=name, host=host, kind=kind, statements=statements, reserved=name == SUPERUSER)


def _options(tail: str) -> str:
    """Keep only the options of the grant from what follows the grantee: hashes and limits are in CREATE USER."""
    words = _TEXTS.sub("''", tail)
    for option in ("GRANT OPTION", "ADMIN OPTION"):
        if re.search(rf"\sWITH\s(?:.*\s)?{option}", words, re.DOTALL):
            return f" WITH {option}"
    return ""
