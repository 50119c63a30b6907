# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup login of a PostgreSQL server: a role that reads everything and changes nothing.

Sources: PostgreSQL manual "Predefined Roles", "CREATE ROLE", "GRANT", "DROP OWNED", "pg_auth_members".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...connection.server import Server
from ...errors import ConnectionFailed, InvalidOption, LoginRefused, QueryFailed
from ..login_interface import (
    SOCKET,
    ExcessPrivilege,
    LoginState,
    RequiredPrivilege,
    Step,
    WantedLogin,
    WriteProbe,
    logged_in,
)
from ..values import Database, ServerFacts
from .account_session import account_session
from .catalogue import MAINTENANCE_DATABASE, read_databases
from .privileges import hidden_large_objects, large_object_grant, unreadable_schemas
from .quoting import identifier, literal
from .scram import make_verifier, verifies
from .session import Session, coordinator
from .write_rights import REFUSED, open_to_all, rights_to_write, try_to_write

_READ_ALL_DATA = "pg_read_all_data"
_READ_ALL_DATA_SINCE = (14,)
_GRANTORS_SINCE = (16,)  # a membership is one per grantor
_NO_RIGHTS = "pg_signal_backend"  # before 14: stands for a role that is not there yet, as it reads nothing of its own
_BOOTSTRAP_OID = 10  # the superuser that initdb made (BOOTSTRAP_SUPERUSERID)
_DATABASES_TRIED = 5  # write attempts are made in this many databases; rights are looked at in all

# Predefined roles that let nobody change anything.
_ONLY_READING = ("pg_read_all_settings", "pg_read_all_stats", "pg_stat_scan_tables", "pg_monitor")
_ATTRIBUTES = {
    "rolsuper": "SUPERUSER",
    "rolcreatedb": "CREATEDB",
    "rolcreaterole": "CREATEROLE",
    "rolreplication": "REPLICATION",
}

_ROLE = """
    SELECT r.*, COALESCE(r.rolvaliduntil < now(), false) AS expired
      FROM pg_catalog.pg_roles r WHERE r.rolname = :name"""
_HELD = """
    WITH RECURSIVE held(oid) AS (
        SELECT oid FROM pg_catalog.pg_roles WHERE rolname = :name
        UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN held h ON h.oid = m.member)
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication
      FROM held JOIN pg_catalog.pg_roles r ON r.oid = held.oid ORDER BY r.rolname <> :name, 1"""
_MEMBERSHIPS = """
    SELECT DISTINCT g.rolname AS role, o.rolname AS grantor FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles u ON u.oid = m.member
      LEFT JOIN pg_catalog.pg_roles o ON o.oid = m.grantor WHERE u.rolname = :name ORDER BY 1, 2"""
_INHERITED = "SELECT pg_has_role(CAST(:name AS name), :role, 'USAGE')"
_MAY_CONNECT = """
    SELECT datname FROM pg_catalog.pg_database
     WHERE datname = ANY(:names) AND NOT has_database_privilege(CAST(:name AS name), oid, 'CONNECT') ORDER BY 1"""
_MAY_READ_PASSWORDS = "SELECT has_table_privilege({role}, 'pg_catalog.pg_authid', 'SELECT')"
_VERIFIER = "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = :name"
_SHARED = """
    SELECT COALESCE(d.datname, '') AS database, sum(CASE WHEN s.deptype = 'o' THEN 1 ELSE 0 END) AS owned
      FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
     WHERE s.refclassid = CAST('pg_authid' AS regclass) AND s.refobjid = :oid GROUP BY 1 ORDER BY 1"""


class PostgresqlLoginManager:
    """See `LoginManager` for what each function promises."""

    rights_needed = "a superuser, or a role with CREATEROLE and ADMIN OPTION on pg_read_all_data"

    def __init__(self, server: Server, facts: ServerFacts, wanted: WantedLogin) -> None:
        self._server = server
        self._facts = facts
        self._wanted = wanted
        self._quoted = identifier(wanted.name)
        self.account = wanted.name
        if wanted.name.startswith("pg_"):
            raise InvalidOption(f"name {wanted.name!r} cannot be used: PostgreSQL reserves names that begin with pg_")

    def protected(self) -> str | None:
        if self.account == self._server.value("SELECT session_user"):
            return "it is the login in use"
        role = self._role()
        return "it is the superuser that the server was made with" if role and role.oid == _BOOTSTRAP_OID else None

    def look(self) -> LoginState:
        role = self._role()
        needs = [*self._identity(role), *self._memberships_needed(role)]
        surplus = self._attributes_and_memberships() if role else []
        warnings: list[str] = []
        databases = self._databases()
        reader = self._stand_in() if role is None else role
        needs += self._connects(reader.rolname, [database.name for database in databases])
        roles = [] if role is None or role.rolsuper else self._roles_that_matter()
        for database in databases:
            if not database.connectable:
                continue
            with coordinator(self._server, self._facts, database) as session:
                needs += self._in_database(session, reader.oid)
                surplus += rights_to_write(session, self._facts, self.account, roles) if roles else []
                warnings += open_to_all(session)
        return LoginState(exists=role is not None, needs=needs, surplus=surplus, warnings=warnings)

    def removal(self) -> Sequence[Step]:
        role = self._role()
        if role is None:
            return []
        found = self._server.rows(_SHARED, {"oid": role.oid})
        owned = [f"{row.owned} in {row.database or 'no database (a database, say)'}" for row in found if row.owned]
        if owned:
            raise LoginRefused(
                f"{self._server.instance.where()}: {self.account} owns objects ({', '.join(owned)}), which would go "
                f"with it; give them another owner first: REASSIGN OWNED BY {self._quoted} TO ...;"
            )
        places = [row.database for row in found if row.database] or ([None] if found else [])
        drops = [Step(f"DROP OWNED BY {self._quoted};", place) for place in places]
        return [*drops, Step(f"DROP ROLE {self._quoted};")]

    def session(self, database: str | None) -> AbstractContextManager[Callable[[str], None]]:
        return account_session(self._server, database)

    def is_refusal(self, error: QueryFailed) -> bool:
        return error.code == REFUSED

    def try_to_write(self, state: LoginState) -> WriteProbe:
        databases = [database for database in self._databases() if database.connectable]
        # Where something may be written comes first.
        named = {step.database for entry in state.surplus for step in entry.steps}
        chosen = sorted(databases, key=lambda database: (database.name not in named, database.is_system))
        warnings = []
        try:
            return self._probe_by_login(chosen[:_DATABASES_TRIED])
        except ConnectionFailed as error:
            warnings.append(f"{self.account} cannot log in from here, so its rights were tried by SET ROLE: {error}")
        try:
            attempts = []
            for database in chosen[:_DATABASES_TRIED]:
                with coordinator(self._server, self._facts, database) as session:
                    session.run(f"SET ROLE {self._quoted}")
                    attempts += try_to_write(session)
            return WriteProbe(attempts, "by SET ROLE", warnings)
        except QueryFailed as error:
            warnings.append(f"whether {self.account} can write could not be tried: {error}")
            return WriteProbe([], "not tried", warnings)

    def _probe_by_login(self, databases: Sequence[Database]) -> WriteProbe:
        attempts = []
        with logged_in(self._server, self._wanted) as server:
            for database in databases:
                with coordinator(server, self._facts, database) as session:
                    attempts += try_to_write(session)
        how = "logged in by the socket" if self._wanted.auth == SOCKET else "logged in by the password"
        return WriteProbe(attempts, how)

    def _role(self) -> Any:
        rows = self._server.rows(_ROLE, {"name": self.account})
        return rows[0] if rows else None

    def _databases(self) -> list[Database]:
        """Every database that a backup takes, the one that it enters first included.

        No templates: what is granted in one is granted in every database that is made of it.
        """
        return [one for one in read_databases(self._server) if one.reason is None or one.name == MAINTENANCE_DATABASE]

    def _stand_in(self) -> Any:
        """Return a role that may read what the login will be able to read once it has its memberships."""
        name = _READ_ALL_DATA if self._facts.version_number >= _READ_ALL_DATA_SINCE else _NO_RIGHTS
        return self._server.rows(_ROLE, {"name": name})[0]

    def _identity(self, role: Any) -> list[RequiredPrivilege]:
        password = self._wanted.password
        if role is None:
            said = "" if password is None else f" PASSWORD {literal(make_verifier(password))}"
            return [RequiredPrivilege("the role", (Step(f"CREATE ROLE {self._quoted} LOGIN{said};"),)), self._bypass()]
        needs = []
        for what, lacks, words in (
            ("LOGIN", not role.rolcanlogin, "LOGIN"),
            ("INHERIT", not role.rolinherit, "INHERIT"),
            ("a time of validity that is not over", role.expired, "VALID UNTIL 'infinity'"),
        ):
            if lacks:
                needs.append(RequiredPrivilege(what, (Step(f"ALTER ROLE {self._quoted} {words};"),)))
        if not role.rolbypassrls:
            needs.append(self._bypass())
        return [*needs, *self._password()]

    def _bypass(self) -> RequiredPrivilege:
        refused = (
            "BYPASSRLS was refused: only a superuser can give it, or from PostgreSQL 16 on a login that has it. A "
            "database with row level security cannot be backed up"
        )
        return RequiredPrivilege("BYPASSRLS", (Step(f"ALTER ROLE {self._quoted} BYPASSRLS;", if_refused=refused),))

    def _password(self) -> list[RequiredPrivilege]:
        """See whether the password is the wanted one: by what the server keeps, or else by logging in."""
        password = self._wanted.password
        try:
            kept = self._server.value(_VERIFIER, {"name": self.account})
            same = (not kept) if password is None else verifies(password, kept or "")
        except QueryFailed:
            same = password is None or self._logs_in()
        if same:
            return []
        if password is None:
            return [RequiredPrivilege("no password", (Step(f"ALTER ROLE {self._quoted} PASSWORD NULL;"),))]
        return [
            RequiredPrivilege(
                "this password", (Step(f"ALTER ROLE {self._quoted} PASSWORD {literal(make_verifier(password))};"),)
            )
        ]

    def _logs_in(self) -> bool:
        try:
            with logged_in(self._server, self._wanted):
                return True
        except ConnectionFailed as error:
            # Not admitted from here at all: then nothing speaks against the password.
            return error.kind != "wrong_password"

    def _memberships_needed(self, role: Any) -> list[RequiredPrivilege]:
        if self._facts.version_number < _READ_ALL_DATA_SINCE:
            return []
        if (
            role
            and not role.rolsuper
            and self._server.value(_INHERITED, {"name": self.account, "role": _READ_ALL_DATA})
        ):
            return []
        if role and role.rolsuper and any(row.role == _READ_ALL_DATA for row in self._memberships()):
            return []
        options = " WITH INHERIT TRUE" if self._facts.version_number >= _GRANTORS_SINCE else ""
        return [
            RequiredPrivilege(
                f"membership in {_READ_ALL_DATA}", (Step(f"GRANT {_READ_ALL_DATA} TO {self._quoted}{options};"),)
            )
        ]

    def _connects(self, reader: str, names: Sequence[str]) -> list[RequiredPrivilege]:
        closed = self._server.rows(_MAY_CONNECT, {"names": list(names), "name": reader})
        return [
            RequiredPrivilege(
                f"CONNECT on database {name}",
                (Step(f"GRANT CONNECT ON DATABASE {identifier(name)} TO {self._quoted};"),),
            )
            for (name,) in closed
        ]

    def _in_database(self, session: Session, reader: int) -> list[RequiredPrivilege]:
        role = f"CAST({reader} AS oid)"  # its name may not be what this database can write
        needs = []
        if self._facts.version_number < _READ_ALL_DATA_SINCE:
            for schema in unreadable_schemas(session, role):
                grants = (
                    f"GRANT USAGE ON SCHEMA {schema} TO {self._quoted};",
                    f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {self._quoted};",
                    f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {self._quoted};",
                )
                steps = tuple(Step(grant, session.database) for grant in grants)
                needs.append(RequiredPrivilege(f"SELECT in schema {schema} of database {session.database}", steps))
            needs += self._passwords_of_all(session, role)
        objects = hidden_large_objects(session, self._facts, role=role)
        if objects:
            step = Step(large_object_grant(objects, self._quoted), session.database)
            needs.append(
                RequiredPrivilege(f"SELECT on {len(objects)} large objects of database {session.database}", (step,))
            )
        return needs

    def _passwords_of_all(self, session: Session, role: str) -> list[RequiredPrivilege]:
        """The export of accounts reads them, in the database that is entered first."""
        first = self._server.instance.database or MAINTENANCE_DATABASE
        if session.database != first or session.value(_MAY_READ_PASSWORDS.format(role=role)):
            return []
        refused = (
            "SELECT on pg_authid was refused: only a superuser can give it. Accounts are exported without passwords"
        )
        grant = f"GRANT SELECT ON pg_catalog.pg_authid TO {self._quoted};"
        return [RequiredPrivilege("SELECT on pg_authid", (Step(grant, session.database, if_refused=refused),))]

    def _roles_that_matter(self) -> list[tuple[int, str]]:
        """Number and name of the account and of what it is a member of, without who only reads or is a superuser."""
        held = self._server.rows(_HELD, {"name": self.account})
        passed_over = (*_ONLY_READING, _READ_ALL_DATA)
        return [(row.oid, row.rolname) for row in held if row.rolname not in passed_over and not row.rolsuper]

    def _memberships(self) -> list[Any]:
        return self._server.rows(_MEMBERSHIPS, {"name": self.account})

    def _attributes_and_memberships(self) -> list[ExcessPrivilege]:
        surplus = []
        for row in self._server.rows(_HELD, {"name": self.account}):
            for column, word in _ATTRIBUTES.items():
                if not getattr(row, column):
                    continue
                if row.rolname == self.account:
                    surplus.append(ExcessPrivilege(word, True, (Step(f"ALTER ROLE {self._quoted} NO{word};"),)))
                else:
                    through = f"{word} (as a member of {row.rolname})"
                    surplus.append(ExcessPrivilege(through, True, advice="end the membership"))
        for row in self._memberships():
            if row.role == _READ_ALL_DATA and self._facts.version_number >= _READ_ALL_DATA_SINCE:
                continue
            given = self._facts.version_number >= _GRANTORS_SINCE and row.grantor
            grantor = f" GRANTED BY {identifier(row.grantor)}" if given else ""
            step = Step(f"REVOKE {identifier(row.role)} FROM {self._quoted}{grantor};")
            # What an ordinary role brings is looked at in each database.
            writes = row.role.startswith("pg_") and row.role not in _ONLY_READING
            surplus.append(ExcessPrivilege(f"membership in {row.role}", writes, (step,)))
        return surplus
