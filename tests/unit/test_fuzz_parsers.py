# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a parser is given, it answers or raises an error of its own: short here, longer with HYPOTHESIS_EXAMPLES."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from backupdb.accounts.summary import summarise
from backupdb.age.recipients import X25519Recipient
from backupdb.age.stream import Decryptor, Encryptor, X25519Identity
from backupdb.backup.options import OPTIONS as BACKUP_OPTIONS
from backupdb.credentials.store import read_store
from backupdb.engines.accounts_document import Account, Statement, as_sql, build
from backupdb.engines.accounts_form import check_form
from backupdb.engines.mysql.restore.feed import Changes, Feed
from backupdb.engines.mysql.restore.stream import read as read_stream
from backupdb.engines.postgresql.restore.toc import read_contents
from backupdb.engines.values import RestoreOptions
from backupdb.errors import BackupDbError, InvalidOption
from backupdb.jobs.definition import job_from, read_job
from backupdb.repository import arrivals, drill_records, last_copy, last_run, manifest, pins
from backupdb.repository.arrivals import read_arrivals
from backupdb.repository.budget import Budget
from backupdb.repository.last_copy import read_last
from backupdb.repository.problems import Problems
from backupdb.repository.stores.notes import FileNotes
from backupdb.repository.stores.settings import copy_from
from backupdb.retention.policy import OPTIONS as RETENTION_OPTIONS
from backupdb.retention.policy import policy_from
from backupdb.system.json_text import read_json
from backupdb.system.options import parse_assignment
from backupdb.system.text import parse_duration, parse_iso, parse_moment, parse_size, utc_now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.samples import SAMPLES

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "60"))
fuzzed = settings(
    max_examples=EXAMPLES,
    derandomize="HYPOTHESIS_EXAMPLES" not in os.environ,  # CI tries the same each time, a long run ever new ones
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
IDENTITY = X25519Identity.generate()
ARCHIVE = b"PGDMP\x01\x0e\x00\x04\x08\x01" + b"\0\x01\0\0\0" * 20
MANIFEST = sorted(SAMPLES.glob("version_*/repository/db1/pg15/shop/*/manifest.json"))[0].read_bytes()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


def outcome(action: Callable[[], Any], *allowed: type[Exception]) -> None:
    """Run it; any error but those is a fault of the parser."""
    with suppress(*allowed):
        action()


def mutated(content: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for position, replacement in changes:
        at = position % (len(content) + 1)
        content = content[:at] + replacement + content[at + len(replacement) :]
    return content


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """Put something else in one place of a value, which the numbers lead to."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return new
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(value[key], path[1:], new)
    return copy


JOB_KEYS = ("name", "backups", "retention", "drill", "notifications", "max_age")
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4)


@fuzzed
@given(JSON)
def test_json_is_values_that_can_be_written_again_or_a_value_error(value: Any) -> None:
    content = json.dumps(value).encode("ascii")
    try:
        found = read_json(content)
    except ValueError:
        return
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogateescape")


@fuzzed
@given(st.binary(max_size=300) | CHANGES.map(lambda changes: mutated(MANIFEST, changes)))
def test_a_manifest_is_read_or_damaged(content: bytes) -> None:
    outcome(lambda: manifest.parse(content, "here"), BackupDbError)


@fuzzed
@given(st.text(max_size=40) | st.datetimes().map(str) | JSON)
def test_a_time_is_one_to_reckon_with_or_a_value_error(text: Any) -> None:
    outcome(lambda: parse_iso(text), ValueError)


@fuzzed
@given(JSON | st.dictionaries(st.sampled_from(["schema", "status", "started", "databases", "reason", "since"]), JSON))
def test_records_beside_a_backup_are_read_or_are_a_problem(tmp_path: Path, value: Any) -> None:
    content = json.dumps(value).encode("ascii")
    problems = Problems()
    (tmp_path / "pin.json").write_bytes(content)
    (tmp_path / ".last-run.json").write_bytes(content)
    (tmp_path / "drill-20261121T000000Z.json").write_bytes(content)
    assert pins.read_pin(tmp_path, problems) is not None
    last_run.read(tmp_path, problems)
    drill_records.newest_drill(tmp_path, problems)


@fuzzed
@given(
    JSON | st.dictionaries(st.sampled_from(["schema", "month", "spent_bytes", "of", "listed", "time", "error"]), JSON)
)
def test_what_is_known_of_a_copy_is_read_or_is_nothing(tmp_path: Path, value: Any) -> None:
    content = json.dumps(value).encode("ascii")
    for name in ("budget.json", "arrivals.json", "last.json"):
        (tmp_path / name).write_bytes(content)
    assert 0 <= (Budget(tmp_path, 1000).allowance(utc_now()) or 0) <= 1000
    read_arrivals(tmp_path / "arrivals.json")
    read_last(tmp_path)


def header() -> bytes:
    encryptor = Encryptor([X25519Recipient(IDENTITY.recipient)])
    return bytes(encryptor.update(b"plain") + encryptor.finish())


SEALED = header()


@fuzzed
@given(
    value=JSON | st.dictionaries(st.sampled_from(["schema", "time", "error", "missing", "listed", "of", "a/b"]), JSON)
)
def test_what_is_kept_of_a_copy_is_read_or_as_good_as_none(tmp_path: Path, value: Any) -> None:
    for name in ("arrivals.json", "last.json", "uploads.json"):
        (tmp_path / name).write_text(json.dumps(value))
    _read_what_is_kept(tmp_path)


@fuzzed
@given(path=st.lists(st.integers(0, 20), max_size=4), new=JSON, changes=CHANGES)
def test_what_is_kept_of_a_copy_with_odd_values_is_read_or_as_good_as_none(
    tmp_path: Path, path: list[int], new: Any, changes: list[tuple[int, bytes]]
) -> None:
    moment = parse_iso("2026-11-24T05:06:07Z")
    kept = arrivals.Arrivals({"db1/i/d/x": arrivals.Arrived(moment, "v1", 1, False, 5)}, {"": moment, "db1": moment})
    arrivals.write_arrivals(tmp_path / "arrivals.json", kept)
    assert arrivals.read_arrivals(tmp_path / "arrivals.json") == kept
    last_copy.write_last(tmp_path, last_copy.LastCopy(moment, "it failed", 3))
    assert last_copy.read_last(tmp_path) == last_copy.LastCopy(moment, "it failed", 3)
    FileNotes(tmp_path / "uploads.json").keep("db1/i/d/x/data", "an upload")
    assert FileNotes(tmp_path / "uploads.json").get("db1/i/d/x/data") == "an upload"
    for name in ("arrivals.json", "last.json", "uploads.json"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_text(json.dumps(replaced(json.loads(content), path, new)))
        _read_what_is_kept(tmp_path)
        (tmp_path / name).write_bytes(mutated(content, changes))
        _read_what_is_kept(tmp_path)


def _read_what_is_kept(folder: Path) -> None:
    found = arrivals.read_arrivals(folder / "arrivals.json")
    arrivals.write_arrivals(folder / "again.json", found)
    assert arrivals.read_arrivals(folder / "again.json") == found
    last_copy.read_last(folder)
    notes = FileNotes(folder / "uploads.json")
    assert isinstance(notes.get("db1/i/d/x/data"), (str, type(None)))


@fuzzed
@given(path=st.lists(st.integers(0, 20), max_size=3), new=JSON)
def test_a_copy_is_a_copy_or_an_invalid_option(path: list[int], new: Any) -> None:
    options = {"name": "c", "type": "s3", "bucket": "b", "lock": {"mode": "compliance", "days": 3}, "bandwidth": "2M"}
    outcome(lambda: copy_from(replaced(options, path, new), "copies[0]"), InvalidOption)


@fuzzed
@given(st.binary(max_size=300) | CHANGES.map(lambda changes: mutated(SEALED, changes)), st.integers(1, 50))
def test_an_age_file_is_opened_or_refused(content: bytes, size: int) -> None:
    def decrypt() -> None:
        decryptor = Decryptor([IDENTITY])
        for start in range(0, len(content), size):
            decryptor.update(content[start : start + size])
        decryptor.finish()

    outcome(decrypt, BackupDbError)


@fuzzed
@given(
    JSON | st.dictionaries(st.sampled_from(["name", "backups", "retention", "drill", "notifications", "max_age"]), JSON)
)
def test_a_job_is_a_job_or_an_invalid_option(values: Any) -> None:
    outcome(lambda: job_from(values, "here"), InvalidOption)
    outcome(lambda: job_from({"name": "nightly", "backups": [values]}, "here"), InvalidOption)


JOB: dict[str, Any] = {
    "schema": 1,
    "name": "nightly",
    "backups": [
        {
            "instance": "shop",
            "engine": "postgresql",
            "login_host": "db",
            "host": "db1",
            "repository": "/srv",
            "encryption": "none",
            "databases": ["*"],
            "timeout": "2h",
            "bandwidth_limit": "50M",
        }
    ],
    "retention": {"keep_last": 3, "keep_within": "7d"},
    "drill": {"every": "1w", "select": "newest"},
    "notifications": [
        {"name": "m", "type": "mail", "to": ["a@example.org"], "from": "b@example.org", "smtp_port": 25},
        {"name": "w", "type": "webhook", "url": "https://example.org/x", "timeout": "10s"},
    ],
    "metrics_dir": "/srv/metrics",
    "max_age": "26h",
    "schedule": {"on_calendar": "02:00"},
    "credentials": {"source": "none", "path": None},
}
NUMBERS = st.text("0123456789.eE+-kmgtwdhs \u0663\u00b2", max_size=400) | st.integers().map(str) | JSON


@fuzzed
@given(st.lists(st.integers(0, 20), max_size=4), JSON | NUMBERS)
def test_a_job_with_one_odd_value_is_a_job_or_an_invalid_option(path: list[int], new: Any) -> None:
    values = replaced(JOB, path, new)
    outcome(lambda: job_from(values, "here"), InvalidOption)


@fuzzed
@given(CHANGES)
def test_a_job_s_file_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes]]) -> None:
    path = tmp_path / "jobs.d" / "nightly.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(mutated(json.dumps(JOB).encode("ascii"), changes))
    outcome(lambda: read_job(path), InvalidOption)


@fuzzed
@given(NUMBERS)
def test_a_setting_is_read_or_an_invalid_option(text: Any) -> None:
    for parse in (parse_duration, parse_size):
        outcome(lambda parse=parse: parse(text), InvalidOption)  # type: ignore[misc]
    outcome(lambda: parse_moment(str(text)), InvalidOption)
    for name in BACKUP_OPTIONS:
        outcome(lambda name=name: parse_assignment(f"{name}={text}", BACKUP_OPTIONS), InvalidOption)  # type: ignore[misc]


@fuzzed
@given(st.dictionaries(st.sampled_from(sorted(RETENTION_OPTIONS)), NUMBERS, max_size=4) | JSON)
def test_a_retention_is_a_policy_or_an_invalid_option(values: Any) -> None:
    if isinstance(values, dict):
        outcome(lambda: policy_from(values), InvalidOption)


@fuzzed
@given(JSON)
def test_a_store_of_credentials_is_read_or_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "store.json"
    path.write_bytes(json.dumps(value).encode("ascii"))
    path.chmod(0o600)
    outcome(lambda: read_store(path), BackupDbError)


@fuzzed
@given(st.binary(max_size=400) | CHANGES.map(lambda changes: mutated(ARCHIVE, changes)), st.integers(1, 99))
def test_a_table_of_contents_is_read_or_refused(content: bytes, size: int) -> None:
    blocks = (content[start : start + size] for start in range(0, len(content), size))
    outcome(lambda: read_contents(blocks, "data"), BackupDbError)


DOCUMENT = build(
    vendor="mariadb",
    server_version="10.11",
    accounts=[Account("app", "user", [Statement("identity", "CREATE USER app;", "shop")], host="%")],
    instance=[Statement("foreign_server", "CREATE SERVER s;")],
    missing=["a"],
)


@fuzzed
@given(st.lists(st.integers(0, 20), max_size=6), JSON)
def test_a_document_of_accounts_can_be_written_as_sql_and_summed_up_or_is_refused(path: list[int], new: Any) -> None:
    check_form(DOCUMENT)
    document = replaced(DOCUMENT, path, new)
    try:
        check_form(document if isinstance(document, dict) else {})
    except ValueError:
        return
    as_sql({**document, "taken_at": ""})
    outcome(lambda: summarise(document, ["*"], show_hashes=False), BackupDbError)


WORDS = st.sampled_from(
    [
        *(b"CREATE ", b"TABLE ", b"`t`", b"DEFINER=", b"`a`@`b`", b"TRIGGER ", b"/*!50003 ", b"*/", b"'", b'"', b"`"),
        *(b";\n", b"\\", b"DELIMITER ;;\n", b"INSERT INTO `t` VALUES (", b"-- ", b"\n", b"#", b"SET ", b"sql_mode='"),
        *(b"EVENT ", b"VIEW ", b"\xff", b"\0"),
    ]
)


@fuzzed
@given(st.lists(WORDS, max_size=40), st.integers(1, 30))
def test_a_stream_of_sql_is_fed_or_refused(words: list[bytes], size: int) -> None:
    content = b"".join(words)
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    changes = Changes(original="a", target="b", options=RestoreOptions(), accounts=None)
    outcome(lambda: list(Feed(changes).lines(blocks)), BackupDbError)
    assert list(read_stream(blocks)) is not None
