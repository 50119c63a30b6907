# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores that go wrong say what failed, in which object, and leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.quoting import literal
from backupdb.engines.values import ArchiveSource, DumpOptions, LoadReport, RestoreOptions
from backupdb.errors import ArchiveDamaged, Interrupted, RestoreFailed, RestoreRefused, RunTimeout
from backupdb.streams.pipeline import Limits
from support import library, needs
from support.postgresql_dumps import client_of, make_database, new_database, opened, plain, take
from support.postgresql_restores import (
    bring_back,
    gone_afterwards,
    manifest_of,
    restore_client_of,
    sources_of,
)
from support.process_watch import ProcessWatch
from support.servers import PrivatePostgres

ODD_NAMES = [
    "single ' quote",
    'double " quote',
    "back`tick and \\ backslash",
    "semi;colon --",
    "$(touch x)",
    "line\nbreak",
    "-leading-dash",
    "../../x",
    "a=b",
    "postgresql://localhost/x",
    "dbname='postgres' host=nowhere",
    "percent %s %(x)s",
    "naïve_ключ_鍵😀",
    "n" * 63,
    "CASE",
    " ",
]
# A function that works where the rows were written and fails where they are restored.
PICKY = """
    SET test.ok = 'on';
    CREATE FUNCTION picky(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $body$
    BEGIN
        IF current_setting('test.ok', true) IS DISTINCT FROM 'on' THEN
            RAISE EXCEPTION 'not in the mood' USING HINT = 'set test.ok';
        END IF;
        RETURN n;
    END $body$;
    CREATE TABLE before AS SELECT n FROM generate_series(1, 10) n;
"""
BROKEN_LATER = f"""{PICKY}
    CREATE INDEX bad ON before (picky(n));
    CREATE INDEX bad_too ON before (picky(n + 1));
    CREATE INDEX good ON before (n);
    CREATE TABLE referring (n integer PRIMARY KEY);
    CREATE VIEW looking AS SELECT * FROM before;
"""
# A function that finds its table by the search path, which pg_restore leaves empty.
LOOKING_UP = """
    CREATE SCHEMA own; SET search_path = own;
    CREATE TABLE dict (val text UNIQUE);
    INSERT INTO dict VALUES ('a');
    CREATE FUNCTION known(v text) RETURNS boolean LANGUAGE sql STABLE AS
        'SELECT EXISTS (SELECT 1 FROM dict WHERE val = v)';
    CREATE TABLE facts (val text CHECK (known(val)));
    INSERT INTO facts VALUES ('a');
    CREATE TABLE fine AS SELECT n FROM generate_series(1, 3) n;
    CREATE INDEX late ON fine (n);
"""
BROKEN_ROWS = f"""{PICKY}
    CREATE TABLE strict (n integer CHECK (picky(n) > 0), secret text);
    INSERT INTO strict SELECT n, 'canary-of-a-row-' || n FROM generate_series(1, 10) n;
    CREATE TABLE zoo AS SELECT 1 AS n;
"""


def round_trip(
    private: PrivatePostgres, script: str, folder: Path, *, jobs: int = 1, options: RestoreOptions | None = None
) -> LoadReport:
    """Dump what a script makes and restore it as `copy`."""
    with (
        new_database(private, "source"),
        opened(private) as (server, facts),
    ):
        private.run_sql_script(script, database="source")
        client = client_of(private, facts)
        dump = take(server, facts, client, "source", folder, options=DumpOptions(jobs=jobs))
        manifest = manifest_of(dump, facts, client)
        return bring_back(server, facts, restore_client_of(private, facts), dump, manifest, "copy", options)


@pytest.fixture
def filling_extension(private: PrivatePostgres) -> Iterator[str]:
    """The name of an extension whose tables have rows when it is made: all of one are dumped, some of the other."""
    needs.root("only root adds an extension to the server")
    folder = Path(private.sql("SELECT setting FROM pg_config() WHERE name = 'SHAREDIR'")[0][0]) / "extension"
    files = {
        "backupdb_filling.control": "default_version = '1.0'\nrelocatable = true\n",
        "backupdb_filling--1.0.sql": """
            CREATE TABLE whole (id int PRIMARY KEY, v text);
            INSERT INTO whole VALUES (1, 'one'), (2, 'two');
            CREATE TABLE partly (id int PRIMARY KEY, v text, own boolean);
            INSERT INTO partly VALUES (1, 'one', true);
            SELECT pg_catalog.pg_extension_config_dump('whole', '');
            SELECT pg_catalog.pg_extension_config_dump('partly', 'WHERE NOT own');
        """,
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    yield "backupdb_filling"
    for name in files:
        (folder / name).unlink()


@pytest.fixture
def copy(private: PrivatePostgres) -> Iterator[str]:
    """The name of a database that is gone after the test."""
    with opened(private) as here, gone_afterwards(*here, "copy"):
        yield "copy"


@pytest.mark.parametrize("jobs", [1, 2])
def test_objects_after_the_rows_that_fail_are_each_named_and_the_others_are_made(
    private: PrivatePostgres, copy: str, scratch: Path, jobs: int
) -> None:
    report = round_trip(private, BROKEN_LATER, scratch, jobs=jobs, options=RestoreOptions(jobs=jobs))
    assert sorted(report.errors) == [
        f"INDEX public.{name}: ERROR:  not in the mood (hint: set test.ok)" for name in ("bad", "bad_too")
    ]
    indexes = "SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    assert private.sql(indexes, database=copy) == [("good",), ("referring_pkey",)]


@pytest.mark.parametrize(
    ("jobs", "options"),
    [(1, RestoreOptions()), (2, RestoreOptions(jobs=2)), (1, RestoreOptions(jobs=2, spool=True))],
    ids=["plain", "parts", "spool"],
)
def test_a_row_that_is_refused_stops_the_restore_with_the_servers_words(
    private: PrivatePostgres, copy: str, scratch: Path, jobs: int, options: RestoreOptions
) -> None:
    with pytest.raises(RestoreFailed) as raised:
        round_trip(private, BROKEN_ROWS, scratch, jobs=jobs, options=options)
    message = str(raised.value)
    assert "database 'copy'" in message
    assert "strict" in message
    assert "not in the mood" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    ("jobs", "options"),
    [(1, RestoreOptions()), (2, RestoreOptions(jobs=2)), (1, RestoreOptions(jobs=2, spool=True))],
    ids=["plain", "parts", "spool"],
)
def test_with_errors_accepted_everything_but_the_refused_rows_comes_back_and_the_way_out_is_told(
    private: PrivatePostgres, copy: str, scratch: Path, jobs: int, options: RestoreOptions
) -> None:
    report = round_trip(private, LOOKING_UP, scratch, jobs=jobs, options=replace(options, past_errors=True))
    assert len(report.errors) == 1
    assert report.errors[0].startswith("TABLE DATA own.facts: ")
    assert "violates check constraint" in report.errors[0] or "does not exist" in report.errors[0]
    statement = 'ALTER FUNCTION "own"."known"(text) SET search_path = "own", "public";'
    assert [line for line in report.warnings if "schema_only" in line and "data_only" in line and statement in line]
    counted = (
        "SELECT (SELECT count(*) FROM own.facts), (SELECT count(*) FROM own.dict), (SELECT count(*) FROM own.fine)"
    )
    assert private.sql(counted, database=copy) == [(0, 1, 3)]
    assert private.sql("SELECT 1 FROM pg_indexes WHERE indexname = 'late'", database=copy) == [(1,)]


def test_the_statements_that_are_told_bring_the_refused_rows_back(
    private: PrivatePostgres, copy: str, scratch: Path
) -> None:
    with (
        new_database(private, "source"),
        opened(private) as (server, facts),
    ):
        private.run_sql_script(LOOKING_UP, database="source")
        client = client_of(private, facts)
        dump = take(server, facts, client, "source", scratch, options=DumpOptions())
        assert any("own.known(text)" in line and "own.facts" in line for line in dump.details.warnings)
        manifest = manifest_of(dump, facts, client)
        restore_client = restore_client_of(private, facts)
        bring_back(server, facts, restore_client, dump, manifest, copy, RestoreOptions(past_errors=True))
        private.sql("ALTER FUNCTION own.known(text) SET search_path = own, public", database=copy)
        PostgresqlEngine(server, facts).load(
            restore_client,
            copy,
            sources_of(dump),
            manifest,
            RestoreOptions(data_only=True, tables=("own.facts",)),
            library.limits(),
        )
    assert private.sql("SELECT val FROM own.facts", database=copy) == [("a",)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_that_an_extension_makes_itself_do_not_stop_its_rows_in_the_archive(
    private: PrivatePostgres, copy: str, scratch: Path, filling_extension: str, jobs: int
) -> None:
    script = f"""
        CREATE EXTENSION {filling_extension};
        INSERT INTO whole VALUES (10, 'mine'); UPDATE whole SET v = 'changed' WHERE id = 1;
        DELETE FROM whole WHERE id = 2;
        INSERT INTO partly VALUES (10, 'mine', false);
        CREATE TABLE mine AS SELECT 1 AS n;
    """
    report = round_trip(private, script, scratch, jobs=jobs, options=RestoreOptions(jobs=jobs))
    assert report.errors == []
    assert private.sql("SELECT id, v FROM whole ORDER BY id", database=copy) == [(1, "changed"), (10, "mine")]
    assert private.sql("SELECT id FROM partly ORDER BY id", database=copy) == [(1,), (10,)]


def test_a_definition_that_is_refused_stops_the_restore_before_any_row(
    private: PrivatePostgres, copy: str, scratch: Path
) -> None:
    script = "CREATE EXTENSION hstore; CREATE TABLE t AS SELECT hstore('a', 'b') AS h, 1 AS n"
    with pytest.raises(RestoreFailed, match=r"TABLE public\.t: ERROR: +type \"public\.hstore\" does not exist"):
        round_trip(private, script, scratch, options=RestoreOptions(extensions="skip"))
    assert private.sql("SELECT count(*) FROM pg_class WHERE relname = 't'", database=copy) == [(0,)]


def test_odd_names_are_restored_into(postgres15: PrivatePostgres, scratch: Path) -> None:
    with new_database(postgres15, "source"), opened(postgres15) as (server, facts):
        postgres15.run_sql_script(
            "CREATE TABLE t AS SELECT 7 AS n;"
            "ALTER DATABASE source SET search_path = 'a b', '$user', \"C\", 'it''s \\ \"x\"', '';"
            "ALTER DATABASE source SET application_name = 'it''s \\ \"x\", y';"
            "ALTER DATABASE source SET my.own = 'value';"
            "COMMENT ON DATABASE source IS 'it''s \\ this';"
            "ALTER DATABASE source CONNECTION LIMIT 3;",
            database="source",
        )
        client = client_of(postgres15, facts)
        dump = take(server, facts, client, "source", scratch)
        manifest = manifest_of(dump, facts, client)
        restoring = restore_client_of(postgres15, facts)
        for name in ODD_NAMES:
            with gone_afterwards(server, facts, name):
                assert PostgresqlEngine(server, facts).restore_problems(manifest, name, RestoreOptions()) == (
                    [],
                    [],
                    [],
                )
                report = bring_back(server, facts, restoring, dump, manifest, name)
                assert (report.errors, report.warnings) == ([], []), name
                assert server.value("SELECT n FROM public.t", database=name) == 7
                found = engine_properties(postgres15, name)
                assert found == engine_properties(postgres15, "source"), name


def engine_properties(private: PrivatePostgres, name: str) -> Any:
    return private.sql(
        "SELECT setconfig, datconnlimit, shobj_description(d.oid, 'pg_database') FROM pg_database d "
        f"JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE datname = {literal(name)}"
    )


def test_a_name_that_cannot_be_is_refused(postgres15: PrivatePostgres, scratch: Path) -> None:
    with new_database(postgres15, "source"), opened(postgres15) as (server, facts):
        client = client_of(postgres15, facts)
        manifest = manifest_of(take(server, facts, client, "source", scratch), facts, client)
        for name, words in (("n" * 64, "63 bytes"), ("", "cannot be the name"), ("a\0b", "cannot be the name")):
            assert words in PostgresqlEngine(server, facts).restore_problems(manifest, name, RestoreOptions())[0][0]
        with pytest.raises(RestoreRefused, match="there is a database 'source' already; it is not replaced"):
            PostgresqlEngine(server, facts).create_database("source", manifest, RestoreOptions())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lc_collate": "xx_YY.UTF-8", "lc_ctype": "xx_YY.UTF-8"}, "LC_COLLATE xx_YY.UTF-8"),
        ({"locale_provider": "builtin", "locale": "C.UTF-8"}, "from version 17 on"),
        ({"locale_provider": "icu", "locale": "und", "icu_rules": "&V << w <<< W"}, "from version 16 on"),
        ({"locale_provider": "new"}, "'new', which is not known here"),
        ({"owner": "nobody here"}, 'CREATE ROLE "nobody here";'),
    ],
    ids=["libc", "builtin", "rules", "unknown", "owner"],
)
def test_what_the_server_cannot_give_a_database_is_refused_in_one_clear_message(
    postgres15: PrivatePostgres, scratch: Path, changes: dict[str, str], words: str
) -> None:
    with new_database(postgres15, "source"), opened(postgres15) as (server, facts):
        client = client_of(postgres15, facts)
        manifest = manifest_of(take(server, facts, client, "source", scratch), facts, client)
        changed = {**manifest, "properties": {**manifest["properties"], **changes}}
        refusals, missing, _warnings = PostgresqlEngine(server, facts).restore_problems(
            changed, "copy", RestoreOptions()
        )
        assert len(refusals) == 1
        assert words in refusals[0]
        assert missing == []
        assert server.value("SELECT count(*) FROM pg_collation WHERE collname LIKE 'backupdb%'") == 0
        if "owner" not in changes:
            with pytest.raises(RestoreRefused):
                PostgresqlEngine(server, facts).create_database("copy", changed, RestoreOptions())


@pytest.mark.parametrize(
    "locale",
    [
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
        "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
    ],
    ids=["latin1", "ascii", "icu"],
)
def test_encoding_and_locale_come_back(postgres15: PrivatePostgres, scratch: Path, locale: str) -> None:
    with (
        new_database(postgres15, "source", options=locale),
        opened(postgres15) as here,
        gone_afterwards(*here, "copy"),
    ):
        server, facts = here
        postgres15.sql("CREATE TABLE t AS SELECT 'x' AS v", database="source")
        client = client_of(postgres15, facts)
        dump = take(server, facts, client, "source", scratch)
        manifest = manifest_of(dump, facts, client)
        assert PostgresqlEngine(server, facts).restore_problems(manifest, "copy", RestoreOptions()) == ([], [], [])
        report = bring_back(server, facts, restore_client_of(postgres15, facts), dump, manifest, "copy")
        assert (report.errors, report.warnings) == ([], [])
        columns = "encoding, datlocprovider, datcollate, datctype, daticulocale, datcollversion"
        found = [
            postgres15.sql(f"SELECT {columns} FROM pg_database WHERE datname = '{name}'") for name in ("source", "copy")
        ]
        assert found[0] == found[1]
        older = {**manifest, "properties": {**manifest["properties"], "collation_version": "1.0"}}
        PostgresqlEngine(server, facts).drop_database("copy")
        warnings = PostgresqlEngine(server, facts).create_database("copy", older, RestoreOptions())
        assert "had 1.0 where the backup was taken" in warnings[0]


class Loading:
    """A database of some megabytes, dumped, and an empty one to load it into."""

    def __init__(self, private: PrivatePostgres, folder: Path, *, jobs: int = 1) -> None:
        make_database(private, "source")
        private.sql(
            "CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS v FROM generate_series(1, 20000) n",
            database="source",
        )
        private.sql("CREATE TABLE u (n integer PRIMARY KEY)", database="source")
        with opened(private) as (server, facts):
            client = client_of(private, facts)
            self.dump = take(server, facts, client, "source", folder, options=DumpOptions(jobs=jobs))
            self.manifest = manifest_of(self.dump, facts, client)

    def load(
        self,
        private: PrivatePostgres,
        *,
        sources: list[ArchiveSource] | None = None,
        options: RestoreOptions | None = None,
        limits: Limits | None = None,
    ) -> LoadReport:
        with opened(private) as (server, facts):
            PostgresqlEngine(server, facts).create_database("copy", self.manifest, RestoreOptions())
            return PostgresqlEngine(server, facts).load(
                restore_client_of(private, facts),
                "copy",
                sources or sources_of(self.dump),
                self.manifest,
                options or RestoreOptions(),
                limits or library.limits(),
            )


@pytest.fixture
def loading(postgres15: PrivatePostgres, scratch: Path) -> Iterator[Loading]:
    with opened(postgres15) as here, gone_afterwards(*here, "source", "copy"):
        yield Loading(postgres15, scratch)


def changed(source: ArchiveSource, change: Any) -> ArchiveSource:
    return replace(source, open=lambda: change(source.open()))


def test_a_damaged_archive_is_told_as_such_and_not_by_what_the_client_makes_of_it(
    postgres15: PrivatePostgres, loading: Loading
) -> None:
    def damaged_later(blocks: Iterator[bytes]) -> Iterator[bytes]:
        for number, block in enumerate(blocks):
            if number == 50:
                raise ArchiveDamaged("data.dump: altered in chunk 7")
            yield block

    def damaged_at_the_end(blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield from blocks
        raise ArchiveDamaged("data.dump: the digest differs")

    (source,) = sources_of(loading.dump)
    with pytest.raises(ArchiveDamaged, match="altered in chunk 7"):
        loading.load(postgres15, sources=[changed(source, damaged_later)])
    with opened(postgres15) as (server, facts):
        PostgresqlEngine(server, facts).drop_database("copy")
    with pytest.raises(ArchiveDamaged, match="the digest differs"):
        loading.load(postgres15, sources=[changed(source, damaged_at_the_end)])


@pytest.mark.parametrize("options", [RestoreOptions(tables=("u",)), RestoreOptions(schema_only=True)])
def test_an_archive_is_read_to_its_end_even_where_the_client_needs_only_its_beginning(
    postgres15: PrivatePostgres, loading: Loading, options: RestoreOptions
) -> None:
    ended = []

    def watched(blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield from blocks
        ended.append(True)

    (source,) = sources_of(loading.dump)
    assert loading.load(postgres15, sources=[changed(source, watched)], options=options).errors == []
    assert ended


def test_an_archive_that_is_none_is_refused(postgres15: PrivatePostgres, loading: Loading) -> None:
    (source,) = sources_of(loading.dump)
    with pytest.raises(ArchiveDamaged, match="does not begin with PGDMP"):
        loading.load(postgres15, sources=[replace(source, open=lambda: iter([b"-- SQL"]))])


def slow(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        time.sleep(0.05)
        yield block


def test_a_restore_ends_when_it_is_asked_to_or_out_of_time(postgres15: PrivatePostgres, loading: Loading) -> None:
    (source,) = sources_of(loading.dump)
    slowly = [changed(source, slow)]
    cancel = threading.Event()
    threading.Timer(1.0, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(Interrupted, match="asked to stop"):
        loading.load(postgres15, sources=slowly, limits=library.limits(cancel=cancel))
    with opened(postgres15) as (server, facts):
        PostgresqlEngine(server, facts).drop_database("copy")
    limits = library.limits(deadline=time.monotonic() + 1, timeout=1)
    with pytest.raises(RunTimeout, match="1 seconds"):
        loading.load(postgres15, sources=slowly, limits=limits)
    assert time.monotonic() - started < 12
    names = [thread.name for thread in threading.enumerate()]
    assert "feeder" not in names


def test_the_password_is_in_no_command_line_and_no_environment(postgres15: PrivatePostgres, loading: Loading) -> None:
    (source,) = sources_of(loading.dump)
    with ProcessWatch() as watch:
        loading.load(postgres15, sources=[changed(source, slow)])
    assert {"pg_restore"} <= watch.programs()
    assert watch.find(postgres15.password) == []


def test_the_spool_has_no_name_and_nobody_else_can_read_it(
    postgres15: PrivatePostgres, loading: Loading, scratch: Path
) -> None:
    spool = scratch / "spool"
    spool.mkdir()
    seen: list[tuple[list[Path], list[int]]] = []

    def watching(blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            seen.append((list(spool.iterdir()), modes_of_files_in(spool)))
            yield block

    (source,) = sources_of(loading.dump)
    options = RestoreOptions(jobs=2, spool=True, spool_folder=str(spool))
    report = loading.load(postgres15, sources=[changed(source, watching)], options=options)
    assert report.errors == []
    assert all(not files for files, _modes in seen)
    assert any(modes == [0o600] for _files, modes in seen)
    assert not list(spool.iterdir())
    assert plain(postgres15, "copy") == plain(postgres15, "source")


def modes_of_files_in(folder: Path) -> list[int]:
    """The modes of our open files that are, or were, in a folder."""
    modes = []
    for link in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # it has been closed meanwhile
            if str(link.readlink()).startswith(f"{folder}/"):
                modes.append(link.stat().st_mode & 0o777)
    return modes


def test_a_full_spool_is_told(postgres15: PrivatePostgres, loading: Loading, small_tmpfs: Any) -> None:
    options = RestoreOptions(jobs=2, spool=True, spool_folder=str(small_tmpfs("4M")))
    with pytest.raises(
        RestoreFailed, match=r"cannot be spooled .* No space left on device; choose another spool_folder"
    ):
        loading.load(postgres15, options=options)


def test_dropping_ends_the_sessions_and_may_be_repeated(postgres15: PrivatePostgres) -> None:
    with opened(postgres15) as (server, facts):
        name = 'to be "dropped"'
        make_database(postgres15, name)
        connection = postgres15.connect(database=name)
        assert server.value("SELECT 1", database=name) == 1
        PostgresqlEngine(server, facts).drop_database(name)
        PostgresqlEngine(server, facts).drop_database(name)
        connection.close()
        assert server.value("SELECT count(*) FROM pg_database WHERE datname = :name", {"name": name}) == 0
        make_database(postgres15, name)
        assert server.value("SELECT 1", database=name) == 1
        PostgresqlEngine(server, facts).drop_database(name)
