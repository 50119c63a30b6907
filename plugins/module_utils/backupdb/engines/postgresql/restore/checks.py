# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a restore, as far as the server and the manifest tell: asked before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ....connection.server import Server
from ....errors import QueryFailed
from ...values import FATAL, MissingPrivilege, RestoreOptions, RestoreProblems, ServerFacts
from ..quoting import identifier, literal
from .database import database_owner, locale_refusal, locale_text, read_acl

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_LONGEST_NAME = 63  # bytes (NAMEDATALEN - 1)
_SET_OPTION = (16,)  # the version in which being a member no longer means that one may become the role
_LOGIN = "SELECT current_user, rolsuper, rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user"
_SUPERUSERS = "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper"
_ROLES = "SELECT rolname, pg_has_role(oid, CAST(:right AS text)) AS ours FROM pg_catalog.pg_roles"
_EXTENSIONS = """
    SELECT a.name, v.superuser AND NOT v.trusted AS only_superusers
      FROM pg_catalog.pg_available_extensions a JOIN pg_catalog.pg_available_extension_versions v
        ON v.name = a.name AND v.version = a.default_version"""
_TABLESPACES = "SELECT spcname FROM pg_catalog.pg_tablespace"
_ALWAYS_THERE = ("plpgsql",)  # in template0
_NO_LOCALE = ("C", "POSIX")  # the server itself has them
_OTHER_ENCODING = "does not match locale"  # the probe is made in a database of another encoding; the locale is there
_CANNOT_PROBE = ("42501", "25006")  # no right to make temporary objects, or a read-only server


def find_problems(
    server: Server, facts: ServerFacts, manifest: Mapping[str, Any], target: str, options: RestoreOptions
) -> RestoreProblems:
    """See `Engine.restore_problems`."""
    properties = manifest["properties"]
    details = manifest.get("engine_details") or {}
    ((login, superuser, may_create),) = server.rows(_LOGIN)
    refusals = [*_server_refusals(facts), *_name_refusals(target), *_option_refusals(options)]
    missing: list[MissingPrivilege] = []
    warnings = _version_warnings(facts, manifest)
    if options.data_only:
        return RestoreProblems(refusals, missing, warnings)
    roles = {**dict.fromkeys(options.accounts_to_come, True), **_roles(server, facts)}
    refusals += [
        *_locale_refusals(server, facts, properties),
        *_owner_refusals(roles, properties, options),
        *_extension_refusals(server, details, options, superuser=superuser),
        *_tablespace_refusals(server, details, properties, options),
    ]
    if not superuser:
        missing += _may_not_create(login, target) if not may_create else []
        missing += _may_not_own(server, roles, login, target, database_owner(properties, options))
    warnings += [
        *_role_warnings(roles, properties, options),
        *_extension_warnings(details, options),
        *_tablespace_warnings(details, properties, options),
    ]
    return RestoreProblems(refusals, missing, warnings)


def _server_refusals(facts: ServerFacts) -> list[str]:
    if facts.role == "primary":
        return []
    return ["the server is a replica, which cannot be written to; restore into its primary or another server"]


def _name_refusals(target: str) -> list[str]:
    if len(target.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        return [f"the name {target!r} is too long: PostgreSQL allows {_LONGEST_NAME} bytes; choose a shorter target"]
    if not target or "\0" in target or any("\ud800" <= character <= "\udfff" for character in target):
        return [f"{target!r} cannot be the name of a database; choose another target"]
    return []


def _option_refusals(options: RestoreOptions) -> list[str]:
    if options.owner_policy == "map" and not options.owner_map:
        return ["owner_policy map needs owner_map: which role takes the place of which; '*' stands for all others"]
    return []


def _version_warnings(facts: ServerFacts, manifest: Mapping[str, Any]) -> list[str]:
    source = str(manifest["server"]["version"])
    if int(source.partition(".")[0]) <= facts.version_number[0]:
        return []
    return [
        f"the backup is of PostgreSQL {source} and the server is the older {facts.version}: what it does not know "
        "fails, and is named"
    ]


def _roles(server: Server, facts: ServerFacts) -> dict[str, bool]:
    right = "SET" if facts.version_number >= _SET_OPTION else "MEMBER"
    return {row.rolname: row.ours for row in server.rows(_ROLES, {"right": right})}


def _locale_refusals(server: Server, facts: ServerFacts, properties: Mapping[str, Any]) -> list[str]:
    refusal = locale_refusal(facts, properties)
    if refusal is None:
        refusal = _probe(server, properties)
    return [] if refusal is None else [refusal]


def _probe(server: Server, properties: Mapping[str, Any]) -> str | None:
    """Ask the server for the locale by a temporary collation that is rolled back; None if it has it."""
    wanted = []
    if not {properties["lc_collate"], properties["lc_ctype"]} <= set(_NO_LOCALE):
        names = f"LC_COLLATE = {literal(properties['lc_collate'])}, LC_CTYPE = {literal(properties['lc_ctype'])}"
        wanted.append(f"PROVIDER = libc, {names}")
    if properties["locale_provider"] == "icu":
        wanted.append(f"PROVIDER = icu, LOCALE = {literal(properties['locale'])}")
    for what in wanted:
        try:
            with server.connect(autocommit=False) as connection:
                _try(connection, f"CREATE COLLATION pg_temp.backupdb_probe ({what})")
        except QueryFailed as error:
            if error.code not in _CANNOT_PROBE and _OTHER_ENCODING not in str(error):
                return (
                    f"the server does not have the database's locale ({locale_text(properties)}): {error}; install it "
                    "on the server's host and restart the server, or restore into a server that has it"
                )
    return None


def _try(connection: Connection, statement: str) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(statement).close()


def _owner_refusals(roles: Iterable[str], properties: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    owner = database_owner(properties, options)
    if owner is None or owner in roles:
        return []
    return [
        f"the owner of the database, role {owner!r}, does not exist here; restore the accounts first, run "
        f"CREATE ROLE {identifier(owner)}; or choose owner_policy map or drop"
    ]


def _extension_refusals(
    server: Server, details: Mapping[str, Any], options: RestoreOptions, *, superuser: bool
) -> list[str]:
    if options.extensions == "skip":
        return []
    wanted = [name for name in details.get("extensions") or {} if name not in _ALWAYS_THERE]
    available = {row.name: row.only_superusers for row in server.rows(_EXTENSIONS)} if wanted else {}
    absent = [name for name in wanted if name not in available]
    barred = [name for name in wanted if available.get(name) and not superuser]
    refusals = []
    if absent:
        refusals.append(
            f"extensions are not installed on the server's host: {', '.join(absent)}; install their packages, or "
            "choose extensions skip"
        )
    if barred:
        refusals.append(
            f"only a superuser can create the extensions {', '.join(barred)}; log in as one, or choose extensions skip "
            "and leave out what needs them"
        )
    return refusals


def _extension_warnings(details: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    skipped = [name for name in details.get("extensions") or {} if name not in _ALWAYS_THERE]
    if options.extensions == "create" or not skipped:
        return []
    return [f"extensions are not created: {', '.join(skipped)}; objects that need them fail, unless they are there"]


def _tablespaces(details: Mapping[str, Any], properties: Mapping[str, Any]) -> set[str]:
    return {*(details.get("tablespaces") or []), properties.get("tablespace") or "pg_default"} - {"pg_default"}


def _tablespace_refusals(
    server: Server, details: Mapping[str, Any], properties: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    if options.no_tablespaces:
        return []
    absent = _tablespaces(details, properties) - {name for (name,) in server.rows(_TABLESPACES)}
    if not absent:
        return []
    return [
        f"tablespaces do not exist here: {', '.join(sorted(absent))}; create them, or restore everything into the "
        "default tablespace (no_tablespaces)"
    ]


def _tablespace_warnings(
    details: Mapping[str, Any], properties: Mapping[str, Any], options: RestoreOptions
) -> list[str]:
    names = _tablespaces(details, properties)
    if not names or not options.no_tablespaces:
        return []
    return [f"objects of the tablespaces {', '.join(sorted(names))} are restored into the default tablespace"]


def _may_not_create(login: str, target: str) -> list[MissingPrivilege]:
    grant = f"ALTER ROLE {identifier(login)} CREATEDB;"
    return [MissingPrivilege("CREATEDB", FATAL, "no database can be created", grant, target)]


def _may_not_own(
    server: Server, roles: Mapping[str, bool], login: str, target: str, owner: str | None
) -> list[MissingPrivilege]:
    """A login that cannot be the owner. Membership in a superuser's role is not proposed: it would be one as well."""
    if owner is None or roles.get(owner) is not False:
        return []
    is_superuser = owner in {row.rolname for row in server.rows(_SUPERUSERS)}
    grant = "" if is_superuser else f"GRANT {identifier(owner)} TO {identifier(login)};"
    effect = f"{owner!r} cannot be made the database's owner; owner_policy map or drop does without"
    return [MissingPrivilege(f"membership in {owner}", FATAL, effect, grant, target)]


def _role_warnings(roles: Iterable[str], properties: Mapping[str, Any], options: RestoreOptions) -> list[str]:
    with_settings = {entry["role"] for entry in properties.get("settings") or [] if entry["role"] is not None}
    with_rights = {right.grantee for right in read_acl(properties.get("acl") or []) if right.grantee}
    if options.acl_policy == "drop":
        with_rights = set()
    absent = (with_settings | with_rights) - set(roles) - {properties["owner"]} - set(options.owner_map)
    return [
        f"role {role!r} does not exist here: its settings and rights in this database are left out"
        for role in sorted(absent)
    ]
