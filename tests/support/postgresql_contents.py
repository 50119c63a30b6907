# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing the inventory of a dump with the table of contents of its archive, kind by kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from backupdb.engines.values import DumpOptions

from support.postgresql_dumps import Dump, client_of, opened, take
from support.servers import PrivatePostgres

# Kinds of the table of contents, and the kinds of the inventory that they hold.
_CONTENTS = (
    (("TABLE",), ("tables", "partitioned_tables")),
    (("FOREIGN TABLE",), ("foreign_tables",)),
    (("VIEW",), ("views",)),
    (("MATERIALIZED VIEW",), ("materialized_views",)),
    (("SEQUENCE",), ("sequences",)),
    (("INDEX", "CONSTRAINT"), ("indexes",)),
    (("CONSTRAINT",), ("primary_keys", "unique_constraints", "exclusion_constraints")),
    (("TYPE",), ("enum_types", "range_types", "base_types", "composite_types", "shell_types")),
    (("DOMAIN",), ("domains",)),
    (("FUNCTION",), ("functions",)),
    (("CAST",), ("casts",)),
    (("PROCEDURE",), ("procedures",)),
    (("AGGREGATE",), ("aggregates",)),
    (("OPERATOR",), ("operators",)),
    (("OPERATOR CLASS",), ("operator_classes",)),
    (("OPERATOR FAMILY",), ("operator_families",)),
    (("CONVERSION",), ("conversions",)),
    (("TRANSFORM",), ("transforms",)),
    (("PROCEDURAL LANGUAGE",), ("languages",)),
    (("TEXT SEARCH DICTIONARY",), ("text_search_dictionaries",)),
    (("TEXT SEARCH PARSER",), ("text_search_parsers",)),
    (("TEXT SEARCH TEMPLATE",), ("text_search_templates",)),
    (("COLLATION",), ("collations",)),
    (("TEXT SEARCH CONFIGURATION",), ("text_search_configurations",)),
    (("STATISTICS",), ("extended_statistics",)),
    (("ACCESS METHOD",), ("access_methods",)),
    (("EVENT TRIGGER",), ("event_triggers",)),
    (("FOREIGN DATA WRAPPER",), ("foreign_data_wrappers",)),
    (("SERVER",), ("foreign_servers",)),
    (("USER MAPPING",), ("user_mappings",)),
    (("PUBLICATION",), ("publications",)),
    (("PUBLICATION TABLE",), ("published_tables",)),
    (("SUBSCRIPTION",), ("subscriptions",)),
    (("TRIGGER",), ("triggers",)),
    (("RULE",), ("rules",)),
    (("POLICY",), ("policies",)),
    (("DEFAULT ACL",), ("default_acls",)),
    (("COMMENT",), ("comments",)),
)


def taken(private: PrivatePostgres, name: str, folder: Path) -> Dump:
    folder.mkdir(exist_ok=True)
    with opened(private) as (server, facts):
        options = DumpOptions(older_inventory=True)
        return take(server, facts, client_of(private, facts), name, folder, options=options)


def contents_of(private: PrivatePostgres, dump: Dump) -> Counter[str]:
    """Count the entries of the archive's table of contents by kind; a line is `ID; CATALOGUE OID KIND …`."""
    known = sorted({kind for kinds, _counted in _CONTENTS for kind in kinds} | _NOT_COMPARED, key=len, reverse=True)
    ((_part, archive),) = dump.archives
    found: Counter[str] = Counter()
    for line in private.run([str(private.binaries / "pg_restore"), "--list", str(archive)]).splitlines():
        head, mark, tail = line.partition("; ")
        if not mark or not head.isdecimal():
            continue
        words = tail.split(" ", 2)[2]
        if words.startswith("RULE ") and " _RETURN " in words:
            continue  # the second half of a view that needs something which comes later
        if words.startswith("CONSTRAINT ") and " c_not_valid " in words:
            continue  # NOT NULL is a property of a column, and an entry only as long as it is not valid
        found[next((kind for kind in known if words.startswith(f"{kind} ")), words)] += 1
    return found


# With shared prefixes, or counted in another way.
_NOT_COMPARED = {
    *("TABLE DATA", "SEQUENCE SET", "SEQUENCE OWNED BY", "INDEX ATTACH", "TABLE ATTACH", "FK CONSTRAINT"),
    *("CHECK CONSTRAINT", "MATERIALIZED VIEW DATA", "STATISTICS DATA", "PUBLICATION TABLES IN SCHEMA"),
}


def contents_differing(private: PrivatePostgres, dump: Dump) -> dict[str, tuple[int, int]]:
    found, inventory = contents_of(private, dump), dump.details.inventory
    compared = {
        " + ".join(counted): (sum(inventory[kind] for kind in counted), sum(found[kind] for kind in kinds))
        for kinds, counted in _CONTENTS
    }
    return {what: counts for what, counts in compared.items() if counts[0] != counts[1]}
