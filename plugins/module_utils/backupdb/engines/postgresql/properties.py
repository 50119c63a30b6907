# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a database is beside its content, so that it can be made again under another name.

Owner, encoding, locale and limits are no part of a plain archive, and `ALTER ROLE … IN DATABASE … SET` is in
neither pg_dump's nor pg_dumpall's output. They are read through the maintenance database: names in shared
catalogues are in its encoding, which the database itself may not share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...connection.server import Server
from ...errors import SnapshotLost
from .catalogue import name_bytes, name_from
from .quoting import identifier

_PROVIDERS = {"b": "builtin", "c": "libc", "i": "icu", "d": "default"}

# Names, comments and settings may be in the encoding of any database, so that they are read as bytes.
_DATABASE = f"""
    SELECT {name_bytes("to_json(d)")} AS raw, {name_bytes("pg_get_userbyid(d.datdba)")} AS owner,
           pg_encoding_to_char(d.encoding) AS encoding,
           {name_bytes("t.spcname")} AS tablespace, {name_bytes("shobj_description(d.oid, 'pg_database')")} AS comment,
           EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid) AS with_settings,
           EXISTS (SELECT FROM pg_catalog.pg_shseclabel l
                    WHERE l.classoid = CAST('pg_database' AS regclass) AND l.objoid = d.oid) AS with_labels
      FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
     WHERE d.datname = :name"""  # noqa: S608  constants only
# Who has what; the owner's own rights are implied by owning. NULL means what a new database has.
_ACL = f"""
    SELECT {name_bytes("CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END")} AS grantee,
           {name_bytes("pg_get_userbyid(a.grantor)")} AS grantor, a.is_grantable AS grantable,
           array_agg(a.privilege_type ORDER BY a.privilege_type) AS privileges
      FROM pg_catalog.pg_database d, LATERAL aclexplode(d.datacl) a
     WHERE d.datname = :name GROUP BY 1, 2, 3 ORDER BY 1 NULLS FIRST, 2, 3"""  # noqa: S608
_SETTINGS = f"""
    SELECT {name_bytes("r.rolname")} AS role, {name_bytes("to_json(s.setconfig)")} AS settings
      FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
     WHERE d.datname = :name ORDER BY 1 NULLS FIRST"""  # noqa: S608
_LABELS = """
    SELECT l.provider AS provider, l.label AS label
      FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_database d ON d.oid = l.objoid
     WHERE l.classoid = CAST('pg_database' AS regclass) AND d.datname = :name ORDER BY 1"""


def read_properties(server: Server, database: str) -> dict[str, Any]:
    """Return what CREATE DATABASE, ALTER DATABASE, GRANT and COMMENT need; keys are stable, part of the manifest."""
    named = {"name": database}
    rows = server.rows(_DATABASE, named)
    if not rows:
        raise SnapshotLost(f"{server.instance.where()}: database {database!r} is gone; it was dropped or renamed")
    row = rows[0]
    raw = json.loads(name_from(row.raw))
    owner = name_from(row.owner)
    entries = server.rows(_ACL, named) if raw["datacl"] is not None else ()
    labels = server.rows(_LABELS, named) if row.with_labels else ()
    return {
        "owner": owner,
        "encoding": row.encoding,
        "locale_provider": _PROVIDERS.get(raw.get("datlocprovider", "c"), raw.get("datlocprovider")),
        "lc_collate": raw["datcollate"],
        "lc_ctype": raw["datctype"],
        "locale": raw.get("datlocale", raw.get("daticulocale")),  # of the providers icu and builtin
        "icu_rules": raw.get("daticurules"),
        "collation_version": raw.get("datcollversion"),
        "tablespace": _text(row.tablespace),
        "connection_limit": raw["datconnlimit"],
        "is_template": raw["datistemplate"],
        "allow_connections": raw["datallowconn"],
        "comment": _text(row.comment),
        "acl": raw["datacl"],
        "acl_statements": acl_statements(database, owner, raw["datacl"], entries),
        "settings": [
            {"role": _text(entry.role), "settings": json.loads(name_from(entry.settings))}
            for entry in (server.rows(_SETTINGS, named) if row.with_settings else ())
        ],
        "security_labels": {entry.provider: entry.label for entry in labels},
    }


def acl_statements(database: str, owner: str, acl: Any, entries: Sequence[Any]) -> list[str]:
    """Write the ACL as statements that give a new database of that owner the same rights; none for the default ACL."""
    if acl is None:
        return []
    target = f"ON DATABASE {identifier(database)}"
    statements = [f"REVOKE ALL {target} FROM PUBLIC;", f"REVOKE ALL {target} FROM {identifier(owner)};"]
    for entry in entries:
        name = _text(entry.grantee)
        grantee = "PUBLIC" if name is None else identifier(name)
        option = " WITH GRANT OPTION" if entry.grantable and name != owner else ""
        statements.append(f"GRANT {', '.join(entry.privileges)} {target} TO {grantee}{option};")
    return statements


def _text(hexadecimal: str | None) -> str | None:
    return None if hexadecimal is None else name_from(hexadecimal)
