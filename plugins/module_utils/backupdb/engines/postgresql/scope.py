# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What filters leave out of one database, by the numbers of its relations, and how pg_dump is told.

Partitions and tables that inherit go with their parents, and the parents of one that is included come along, without
which it could not be made. A sequence goes with the table that owns it, unless something that is kept uses it. Tables
of extensions are made by CREATE EXTENSION, so that of them only rows can be left out.

pg_dump reads names as patterns. It gets each exactly, in double quotes, in which nothing is a wildcard; the bar
between several quoted names is its way to say one of these, and spares the server a question for each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import QueryFailed
from ..filters import (
    EXCLUDE_SCHEMAS,
    EXCLUDE_TABLE_DATA,
    EXCLUDE_TABLES,
    INCLUDE_TABLES,
    NOT_FILTERED,
    Filtered,
    Filters,
    Matcher,
    listed,
)
from .quoting import argument, identifier
from .relations import FROM, NAME, OF_NO_EXTENSION, OF_USERS
from .session import Session
from .unwritten import IN_SCHEMAS

_NAMES_IN_ONE = 100  # of a pattern: the server compiles it to one regular expression
_MOST_BYTES = 1 << 20  # of all arguments; the kernel takes 2 MiB with the environment

_RELATIONS = f"""
    SELECT CAST(c.oid AS bigint) AS oid, CAST(n.oid AS bigint) AS space, n.nspname AS schema, c.relname AS name,
           CAST(c.relkind AS text) AS kind, {NAME} AS known_as, NOT ({OF_NO_EXTENSION}) AS of_extension,
           EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE c.oid = ANY (x.extconfig)) AS registered
      {FROM} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {OF_USERS} ORDER BY 6"""  # noqa: S608  constants only
_SCHEMAS = """
    SELECT CAST(n.oid AS bigint) AS oid, n.nspname AS name, quote_ident(n.nspname) AS known_as
      FROM pg_catalog.pg_namespace n
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 3"""
_CHILDREN = """
    SELECT CAST(inhparent AS bigint) AS parent, CAST(inhrelid AS bigint) AS child FROM pg_catalog.pg_inherits"""
_OWNED = """
    SELECT CAST(objid AS bigint) AS sequence, CAST(refobjid AS bigint) AS owner FROM pg_catalog.pg_depend
     WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
       AND refobjsubid > 0 AND deptype IN ('a', 'i')"""
# Sequences that a default of a table takes values from.
_USED = """
    SELECT DISTINCT CAST(d.refobjid AS bigint) AS sequence, CAST(f.adrelid AS bigint) AS user_of_it
      FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
      JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind = 'S'
     WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass"""

# By the numbers of pages that the server noted last: to ask for sizes would wait for the locks of others.
_SIZE = """
    WITH asked AS (SELECT c.oid, c.reltoastrelid FROM pg_catalog.pg_class c WHERE c.oid = ANY ({numbers})),
         files AS (SELECT oid FROM asked UNION SELECT reltoastrelid FROM asked)
    SELECT COALESCE(sum(CAST(greatest(c.relpages, 0) AS bigint)), 0) * CAST(current_setting('block_size') AS bigint)
      FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
     WHERE c.oid IN (SELECT oid FROM files) OR i.indrelid IN (SELECT oid FROM files)"""

_WITH_ROWS = ("r", "p", "m")
_SEQUENCE = "S"
_IN_NEW_DATABASES = "'public'"  # there after a restore, whatever was left out

# Parts of a relation, which go with it: catalogue, and the column with the relation's number.
_PARTS = (
    ("pg_constraint", "conrelid"),
    ("pg_trigger", "tgrelid"),
    ("pg_rewrite", "ev_class"),
    ("pg_policy", "polrelid"),
    ("pg_attrdef", "adrelid"),
    ("pg_statistic_ext", "stxrelid"),
    ("pg_type", "typrelid"),
)
# Catalogues of which `Scope.limit` shows only what is kept, with the columns for catalogue and number of an object.
_LIMITED = {
    **{name: (f"'{name}'::regclass", "t.oid") for name, _column in (*IN_SCHEMAS, *_PARTS)},
    "pg_namespace": ("'pg_namespace'::regclass", "t.oid"),
    "pg_description": ("t.classoid", "t.objoid"),
    "pg_seclabel": ("t.classoid", "t.objoid"),
    "pg_default_acl": ("'pg_namespace'::regclass", "t.defaclnamespace"),
}
_CATALOGUE = re.compile(rf"(?<!')\bpg_catalog\.({'|'.join(_LIMITED)})\b(?!')")

# What is kept and needs something that is left out. Not what pg_dump leaves out with it by itself, and not a sequence
# that has lost its owner.
_NEEDED = """
    SELECT DISTINCT
           CASE WHEN d.classid = 'pg_rewrite'::regclass
                THEN pg_describe_object('pg_class'::regclass,
                         (SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.oid = d.objid), 0)
                ELSE pg_describe_object(d.classid, d.objid, 0) END AS kept,
           pg_describe_object(d.refclassid, d.refobjid, 0) AS needed
      FROM pg_catalog.pg_depend d JOIN gone g ON g.classid = d.refclassid AND g.objid = d.refobjid
     WHERE d.deptype IN ('n', 'a') AND NOT EXISTS (SELECT FROM gone x WHERE x.classid = d.classid AND x.objid = d.objid)
       AND NOT (d.classid = 'pg_class'::regclass AND d.deptype = 'a'
                AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = d.objid AND c.relkind = 'S'))
       AND d.classid::regclass::text NOT IN ('pg_publication_rel', 'pg_publication_namespace', 'pg_default_acl')
     ORDER BY 1, 2"""
# Foreign keys of tables with rows to tables without. Those of partitions are told with that of the whole table.
_TO_EMPTY = """
    SELECT DISTINCT quote_ident(k.conname) AS name, {kept} AS kept, {needed} AS needed
      FROM pg_catalog.pg_constraint k LEFT JOIN pg_catalog.pg_constraint p ON p.oid = k.conparentid
     WHERE k.contype = 'f' AND k.convalidated AND k.confrelid = {empty}
       AND k.conrelid <> ALL (ARRAY(SELECT unnest({rows}) UNION SELECT unnest({gone})))
       AND (p.oid IS NULL OR (p.confrelid <> ALL ({rows}) AND p.conrelid = k.conrelid))
     ORDER BY 2, 1, 3"""


@dataclass(frozen=True)
class Scope:
    """What is left out, by number; nothing without filters.

    `names` are schema and name of relations, as the server has them, where it is not their schema that is left out.
    """

    relations: frozenset[int] = frozenset()
    spaces: frozenset[int] = frozenset()
    rows: frozenset[int] = frozenset()  # of relations that are kept
    filtered: Filtered = NOT_FILTERED
    names: Mapping[int, tuple[str, str]] = field(default_factory=dict, repr=False)
    space_names: Sequence[str] = ()

    def limit(self, statement: str) -> str:
        """Return a query over the catalogues that sees only what is kept.

        Only for statements of ours: in the name of a user's table something might be taken for a catalogue.
        """
        used = sorted(set(_CATALOGUE.findall(statement)))
        if not used or not (self.relations or self.spaces):
            return statement
        # With the transaction of a row, which some statements ask for, and which is no column otherwise.
        kept = (
            f"kept_{name} AS NOT MATERIALIZED (SELECT t.xmin, t.* FROM pg_catalog.{name} t WHERE NOT EXISTS "  # noqa: S608
            f"(SELECT FROM gone g WHERE g.classid = {_LIMITED[name][0]} AND g.objid = {_LIMITED[name][1]}))"
            for name in used
        )
        limited = _CATALOGUE.sub(r"kept_\1", statement).lstrip()
        rest = f", {limited[len('WITH ') :]}" if limited.startswith("WITH ") else f" {limited}"
        return f"WITH gone AS MATERIALIZED ({self._gone()}), {', '.join(kept)}{rest}"

    def arguments(self, encoding: str) -> list[str]:
        """Return the options that have pg_dump leave this out; raises `QueryFailed` where they are too many."""
        named, rows = (sorted(oid for oid in oids if oid in self.names) for oids in (self.relations, self.rows))
        options = [
            *(f"--exclude-schema={argument(identifier(name), encoding)}" for name in self.space_names),
            *_options("--exclude-table", (self.names[oid] for oid in named), encoding),
            *_options("--exclude-table-data", (self.names[oid] for oid in rows), encoding),
        ]
        if sum(len(option.encode("utf-8", "surrogateescape")) + 9 for option in options) > _MOST_BYTES:
            raise QueryFailed(
                f"the names of the {len(named) + len(rows)} tables that are left out are more than a command line "
                "of pg_dump holds; leave out whole schemas (exclude_schemas) or the whole database (exclude) instead"
            )
        return options

    def needed(self, session: Session) -> list[str]:
        """Warn of what is kept and does not come back, because it needs what is left out."""
        warnings = []
        if self.relations or self.spaces:
            rows = session.rows(f"WITH gone AS MATERIALIZED ({self._gone()}) {_NEEDED}")
            lines = [f"{session.shown(row.kept)} needs {session.shown(row.needed)}" for row in rows]
            if lines:
                warnings.append(
                    f"a restore cannot make these, because what they need is left out: {listed(lines, '; ')}"
                )
        if self.rows:
            shown = {
                side: f"(SELECT format('%I.%I', n.nspname, c.relname) {FROM} WHERE c.oid = k.{column})"
                for side, column in (("kept", "conrelid"), ("needed", "confrelid"))
            }
            query = _TO_EMPTY.format(
                **shown,
                empty=f"ANY ({_array(self.rows)})",
                rows=_array(self.rows),
                gone=_array(self.relations),
            )
            keys = [
                f"{session.shown(row.name)} of {session.shown(row.kept)} to {session.shown(row.needed)}"
                for row in session.rows(query)
            ]
            if keys:
                warnings.append(
                    "a restore cannot make these foreign keys if rows use them, because the rows of the tables that "
                    f"they lead to are left out: {listed(keys, '; ')}"
                )
        return warnings

    def _gone(self) -> str:
        """Return SQL for everything that is left out: catalogue and number. What extensions make is kept."""
        relations, spaces = _array(self.relations), _array(self.spaces)
        return " UNION ALL ".join(
            [
                _numbers("pg_class", f"t.oid = ANY ({relations})"),
                "SELECT 'pg_class'::regclass::oid, i.indexrelid FROM pg_catalog.pg_index i "  # noqa: S608
                f"WHERE i.indrelid = ANY ({relations})",
                _numbers("pg_namespace", f"t.oid = ANY ({spaces}) AND t.nspname <> {_IN_NEW_DATABASES}"),
                *(
                    _numbers(
                        name,
                        f"t.{column} = ANY ({spaces}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
                        f"WHERE d.classid = '{name}'::regclass AND d.objid = t.oid AND d.deptype = 'e')",
                    )
                    for name, column in IN_SCHEMAS
                ),
                *(_numbers(name, f"t.{column} = ANY ({relations})") for name, column in _PARTS),
                _numbers(
                    "pg_type",
                    "t.oid IN (SELECT e.typarray FROM pg_catalog.pg_type e "  # noqa: S608
                    f"WHERE e.typarray <> 0 AND e.typrelid = ANY ({relations}))",
                ),
            ]
        )


EVERYTHING = Scope()


def read_scope(session: Session, filters: Filters) -> Scope:
    """Compare the filters with what the session sees now."""
    if not filters:
        return EVERYTHING
    found = _Chosen(session, filters)
    named = {int(row.oid): session.shown(row.known_as) for row in found.relations}
    scope = Scope(
        relations=frozenset(found.gone),
        spaces=frozenset(found.spaces),
        rows=frozenset(found.rows),
        names={int(row.oid): (row.schema, row.name) for row in found.relations if int(row.space) not in found.spaces},
        space_names=list(found.spaces.values()),
    )
    filtered = Filtered(
        filters,
        tables=[name for oid, name in named.items() if oid in found.gone],
        table_data=[name for oid, name in named.items() if oid in found.rows],
        schemas=found.space_names,
        matched=frozenset(found.matcher.matched),
        there=found.there(session),
        size=int(session.value(_SIZE.format(numbers=_array(found.gone | found.rows)))),
        warnings=[*found.warnings, *scope.needed(session)],
    )
    return replace(scope, filtered=filtered)


class _Chosen:
    """Applies the patterns to the names of one database, and then what follows from that."""

    def __init__(self, session: Session, filters: Filters) -> None:
        self.matcher = Matcher(filters, session.database)
        self.warnings: list[str] = []
        self.relations = session.rows(_RELATIONS)
        self.schemas = session.rows(_SCHEMAS)
        chosen = [row for row in self.schemas if self.matcher.any(EXCLUDE_SCHEMAS, session.shown(row.name))]
        self.spaces = {int(row.oid): row.name for row in chosen}
        self.space_names = [session.shown(row.known_as) for row in chosen]
        self._children: dict[int, list[int]] = {}
        self._parents: dict[int, list[int]] = {}
        for row in session.rows(_CHILDREN):
            self._children.setdefault(int(row.parent), []).append(int(row.child))
            self._parents.setdefault(int(row.child), []).append(int(row.parent))
        self._of_extensions = {int(row.oid) for row in self.relations if row.of_extension}
        self.gone, self.rows = self._apply(session)

    def there(self, session: Session) -> list[str]:
        """Return all names, to tell the nearest one of a misspelt pattern."""
        relations = [(session.shown(row.schema), session.shown(row.name)) for row in self.relations]
        return [*(name for _space, name in relations), *map(".".join, relations), *(row.name for row in self.schemas)]

    def _apply(self, session: Session) -> tuple[set[int], set[int]]:
        """Return the relations that are left out, and those of which the rows are."""
        included = self._named(session, INCLUDE_TABLES)
        out = self._named(session, EXCLUDE_TABLES)
        empty = self._named(session, EXCLUDE_TABLE_DATA)
        in_spaces = {int(row.oid) for row in self.relations if int(row.space) in self.spaces}
        if self.matcher.limits(parts=2):
            wanted = _with_all(included, self._parents) | self._of_extensions
            out |= {int(row.oid) for row in self.relations if row.kind != _SEQUENCE and int(row.oid) not in wanted}
            if not included:
                self.warnings.append("include_tables means no table of this database, so that all are left out")
        out |= _with_all(in_spaces - self._of_extensions, self._children)
        gone = self._with_sequences(session, out - self._of_extensions)
        empty |= (out | in_spaces) & self._of_extensions
        rows = {
            int(row.oid)
            for row in self.relations
            if int(row.oid) in empty - gone and row.kind in _WITH_ROWS and (row.registered or not row.of_extension)
        }
        return gone, rows

    def _named(self, session: Session, option: str) -> set[int]:
        """Return the relations that the entries of an option mean, and the partitions and heirs of these."""
        named = {
            int(row.oid)
            for row in self.relations
            if self.matcher.any(option, session.shown(row.schema), session.shown(row.name))
        }
        return _with_all(named, self._children)

    def _with_sequences(self, session: Session, out: set[int]) -> set[int]:
        """Add the sequences of tables that are left out, but for those that a kept table uses.

        One of a table that is kept stays, whatever a pattern says: pg_dump writes it with its table.
        """
        owners = {int(row.sequence): int(row.owner) for row in session.rows(_OWNED)}
        used = {int(row.sequence) for row in session.rows(_USED) if int(row.user_of_it) not in out}
        sequences = {int(row.oid) for row in self.relations if row.kind == _SEQUENCE}
        owned = {sequence for sequence in sequences if owners.get(sequence) in out}
        with_kept = {sequence for sequence in sequences if owners.get(sequence, 0) not in out | {0}}
        return (out | (owned - used)) - with_kept


def _with_all(first: Collection[int], following: Mapping[int, Sequence[int]]) -> set[int]:
    """Return these, and what follows from each of them."""
    found: set[int] = set()
    waiting = list(first)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += following.get(one, ())
    return found


def _options(option: str, names: Iterable[tuple[str, str]], encoding: str) -> Iterator[str]:
    by_schema: dict[str, list[str]] = {}
    for schema, name in names:
        by_schema.setdefault(schema, []).append(name)
    for schema, tables in by_schema.items():
        for start in range(0, len(tables), _NAMES_IN_ONE):
            several = "|".join(identifier(name) for name in tables[start : start + _NAMES_IN_ONE])
            yield f"{option}={argument(f'{identifier(schema)}.{several}', encoding)}"


def _numbers(catalogue: str, condition: str) -> str:
    return (
        f"SELECT '{catalogue}'::regclass::oid AS classid, t.oid AS objid FROM pg_catalog.{catalogue} t "  # noqa: S608
        f"WHERE {condition}"
    )


def _array(oids: Iterable[int]) -> str:
    return f"'{{{','.join(map(str, sorted(oids)))}}}'::oid[]"
