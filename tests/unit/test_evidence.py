# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence: what is gathered of drills, how it is signed, and that whatever is changed afterwards is found."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import InvalidOption
from backupdb.evidence.facts import Facts, facts_from
from backupdb.evidence.gather import gather
from backupdb.evidence.make import files_of, make, sources_from
from backupdb.evidence.page import page_of
from backupdb.evidence.statement import (
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    Source,
    make_statement,
    pre_authentication_encoding,
    serialise,
)
from backupdb.evidence.verify import verify
from backupdb.repository.drill_records import write_drill
from backupdb.signatures.keys import read_signing_key, verifies, write_signing_key
from backupdb.system.text import iso, utc_now
from support import needs
from support.library import LIBRARY
from support.monitored import NASTY, ago, keep, note_run
from support.tree import folder_state

NOW = utc_now().replace(microsecond=0)
SCRIPT = "<script>alert(1)</script>\u202e"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir(mode=0o700)
    return root


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "key.pem"
    write_signing_key(str(path))
    return str(path)


def fill(root: Path) -> None:
    """Proven, not proven any more, never drilled, drilled too long ago, and without a backup."""
    keep(root, "shop", hours=200, drill="equal")
    keep(root, "shop", hours=30, drill="equal, expressions rewritten")
    keep(root, "shop", hours=1)
    keep(root, "wiki", hours=60, drill="equal")
    keep(root, "wiki", hours=20, drill="different")
    keep(root, SCRIPT, hours=5)
    keep(root, NASTY, hours=24 * 60, drill="equal")
    keep(root, None, hours=1)
    note_run(root, {"shop": "complete", "wiki": "complete", "lost": "failed", NASTY: "complete", SCRIPT: "complete"})


def gathered(root: Path, days: float = 30) -> Facts:
    return gather(str(root), None, host="db1", since=NOW - timedelta(days=days))


def statement_of(root: Path, **more: Facts | None) -> dict[str, Any]:
    sources = [Source("db1", gathered(root)), *(Source(name, facts, "it is down") for name, facts in more.items())]
    return make_statement(sources, iso(NOW))


def made(root: Path, key: str) -> Path:
    folder = root.parent / "evidence"
    folder.mkdir(mode=0o700)
    result = make([Source("db1", gathered(root))], key=key, directory=str(folder), now=NOW)
    assert result["status"] == "ok", result["message"]
    return Path(result["statement"])


def test_nothing_is_silently_absent(root: Path) -> None:
    fill(root)
    before = folder_state(root)
    statement = statement_of(root, db2=None)
    found = {one["database"]: one for one in statement["predicate"]["databases"]}
    assert {name: one["result"] for name, one in found.items()} == {
        "shop": "proven",
        "wiki": "not proven",
        SCRIPT: "no drill",
        NASTY.replace("\udcff", "\\xff"): "no drill",
        "lost": "no backup",
    }
    assert [drill["verdict"] for drill in found["wiki"]["drills"]] == ["different", "equal"]
    assert found["shop"]["backups"] == 3
    counts = statement["predicate"]["counts"]
    assert (counts["databases"], counts["drills"], counts["sources not gathered"]) == (5, 4, 1)
    assert statement["predicate"]["sources"][1] == {"name": "db2", "status": "not gathered", "message": "it is down"}
    # The newest backups, and all that were drilled in the period.
    assert len(statement["subject"]) == 3 + 2 + 1 + 1
    for one in statement["subject"]:
        assert one["name"].isascii() and ".." not in one["name"].split("/")
        assert one["digest"]["sha256"] == hashlib.sha256((root / one["name"]).read_bytes()).hexdigest()
    assert folder_state(root) == before


def test_a_period_ends_when_it_is_said_to_end(root: Path) -> None:
    keep(root, "shop", hours=50, drill="different")
    keep(root, "shop", hours=10, drill="equal")
    facts = gather(str(root), None, host=None, since=ago(100), until=ago(24))
    (shop,) = facts.databases
    assert [drill.verdict for drill in shop.drills] == ["different"]
    assert (shop.backups, shop.kept) == (1, 1)
    with pytest.raises(InvalidOption, match="since must be before until"):
        gather(str(root), None, host=None, since=ago(1), until=ago(2))


def test_the_same_facts_give_the_same_bytes_in_the_form_that_in_toto_wants(root: Path, key: str) -> None:
    fill(root)
    facts = gathered(root)
    again = facts_from(json.loads(json.dumps(facts.to_dict())), "db1")
    one, other = (make_statement([Source("b", each), Source("a", each)], iso(NOW)) for each in (facts, again))
    assert serialise(one) == serialise(other)
    assert (one["_type"], one["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert set(one) == {"_type", "subject", "predicateType", "predicate"}
    secret = read_signing_key(key)
    files = files_of(one, secret)
    assert files == files_of(other, secret)
    envelope = json.loads(files[".dsse.json"])
    payload = base64.b64decode(envelope["payload"])
    assert payload == files[".json"]
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    assert verifies(secret.public, signature, pre_authentication_encoding(payload))
    assert pre_authentication_encoding(b"x") == b"DSSEv1 28 application/vnd.in-toto+json 1 x"


def test_the_command_of_the_documentation_verifies_it_with_openssl(root: Path, key: str) -> None:
    needs.program("openssl", "openssl")
    fill(root)
    path = made(root, key)
    page = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
    (key_form,) = re.findall(r"^printf .*$", page, re.MULTILINE)
    (command,) = re.findall(r"^openssl pkeyutl -verify .*$", page, re.MULTILINE)
    public = read_signing_key(key).public
    lines = [key_form.replace("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=", public), command]
    script = "\n".join(lines).replace("evidence-20261130T060000Z", path.stem)

    def verified() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-ec", script], cwd=path.parent, capture_output=True, text=True, check=False)

    good = verified()
    assert good.returncode == 0, good.stderr
    assert "Signature Verified Successfully" in good.stdout
    path.write_bytes(path.read_bytes().replace(b"not proven", b"was proven"))
    assert verified().returncode != 0


def test_what_was_changed_afterwards_is_named(root: Path, key: str, tmp_path: Path) -> None:
    fill(root)
    path, public = made(root, key), read_signing_key(key).public
    repositories = [str(root)]
    good = verify(str(path), public, repositories)
    assert (good["status"], good["lines"]) == ("ok", [])
    assert "7 of 7 manifests are as attested" in good["message"]
    other = tmp_path / "other.pem"
    write_signing_key(str(other))
    wrong = verify(str(path), read_signing_key(str(other)).public, repositories)
    assert (wrong["status"], len(wrong["findings"])) == ("failed", 1)

    def after(change: Any) -> dict[str, Any]:
        copy = tmp_path / "copy"
        shutil.copytree(path.parent, copy)
        backups = tmp_path / "backups"
        shutil.copytree(root, backups, symlinks=True)
        try:
            change(copy / path.stem, backups)
            return verify(str(copy / path.name), public, [str(backups)])
        finally:
            shutil.rmtree(copy)
            shutil.rmtree(backups)

    def ending(stem: Path, end: str) -> Path:
        return stem.with_name(stem.name + end)

    def flip(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    drilled = next(one["name"] for one in good["findings"] if one["what"] == "manifest" and "/shop/" in one["name"])
    for change, status, what in (
        (lambda stem, _root: flip(ending(stem, ".json")), "failed", "statement"),
        (lambda stem, _root: flip(ending(stem, ".json.sig")), "failed", "statement"),
        (lambda stem, _root: ending(stem, ".json.sig").unlink(), "failed", "statement"),
        (lambda stem, _root: flip(ending(stem, ".dsse.json")), "failed", "envelope"),
        (lambda stem, _root: ending(stem, ".dsse.json").write_text("{}"), "failed", "envelope"),
        (lambda stem, _root: flip(ending(stem, ".html")), "failed", "page"),
        (lambda stem, _root: ending(stem, ".html").unlink(), "partial", "page"),
        (lambda _stem, backups: flip(backups / drilled), "failed", f"manifest {drilled}"),
        (lambda _stem, backups: (backups / drilled).unlink(), "partial", f"manifest {drilled}"),
    ):
        result = after(change)
        assert (result["status"], len(result["lines"])) == (status, 1), result["message"]
        assert result["lines"][0].startswith(what)
    unlooked = verify(str(path), public)
    assert unlooked["status"] == "ok" and "were not looked at" in unlooked["message"]


def test_what_a_host_says_is_read_strictly_and_one_that_lies_is_a_gap(root: Path, key: str) -> None:
    fill(root)
    values = gathered(root).to_dict()
    shop = next(number for number, one in enumerate(values["databases"]) if one["database"] == "shop")

    def changed(name: str, value: Any, *, of: str = "") -> dict[str, Any]:
        copy = json.loads(json.dumps(values))
        database = copy["databases"][shop]
        (database[of][0] if of else database)[name] = value
        return copy

    for bad in (
        {},
        [],
        changed("folder", "../../etc/passwd"),
        changed("folder", "db1/shop-db/Shop"),
        changed("backups", -1),
        changed("sha256", "0" * 63, of="manifests"),
        changed("backup_id", "../x", of="manifests"),
        changed("backup_id", "20200101T000000Z-00000000", of="drills"),
        changed("verdict", "splendid", of="drills"),
        changed("finished", "soon", of="drills"),
        changed("error", "x" * 10_000, of="drills"),
    ):
        with pytest.raises(InvalidOption, match="what was gathered there cannot be used"):
            facts_from(bad, "db9")
    sources = sources_from([{"name": "db1", "facts": values}, {"name": "db9", "facts": changed("backups", True)}])
    folder = root.parent / "evidence"
    folder.mkdir()
    result = make(sources, key=key, directory=str(folder), now=NOW)
    assert result["status"] == "partial"
    assert "db9" in result["message"]
    with pytest.raises(InvalidOption, match="evidence of the same second"):
        make(sources, key=key, directory=str(folder), now=NOW)
    assert sorted(path.name for path in folder.iterdir()) == sorted(Path(path).name for path in result["files"])
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}


def test_hostile_records_reach_the_statement_as_what_was_expected_or_not_at_all(root: Path) -> None:
    folder = keep(root, "shop", hours=5)
    record = {
        "schema": 1,
        "backup_id": folder.name,
        "verdict": "failed",
        "finished": iso(ago(2)),
        "seconds": {"total": -5, "restore": "long"},
        "server": ["x"],
        "differences": {"a": 1},
        "isolation": 7,
        "error": SCRIPT * 1000,
    }
    write_drill(folder, record)
    (folder / f"drill-{ago(1):%Y%m%dT%H%M%SZ}.json").write_text("[]", encoding="utf-8")
    facts = gathered(root)
    (drill,) = facts.databases[0].drills
    assert (drill.seconds, drill.restore_seconds, drill.server, drill.differences) == (None, None, "", 0)
    assert len(drill.error) <= 200
    assert any("does not count" in line for line in facts.problems)
    facts_from(json.loads(json.dumps(facts.to_dict())), "db1")


class _Tags(html.parser.HTMLParser):
    """What a browser would make of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _value in attrs}


def test_the_page_shows_hostile_names_as_text_and_asks_for_nothing(root: Path) -> None:
    fill(root)
    statement = statement_of(root, **{f"<img src=x onerror=1>{SCRIPT}": None})
    page = page_of(statement, "0" * 64).decode("utf-8")
    tags = _Tags()
    tags.feed(page)
    assert not tags.seen & {"script", "img", "link", "iframe", "a", "object", "base", "form"}
    assert not tags.attributes & {"src", "href", "onerror", "onload"}
    assert "default-src 'none'" in page and "url(" not in page
    assert "\u202e" not in page and "&lt;script&gt;" in page
    for word in ("no drill", "Not proven", "Hosts that nothing was gathered from", "lost"):
        assert word in page
    assert page_of(statement, "0" * 64).decode("utf-8") == page


def test_there_is_nothing_to_attest_without_a_backup_and_keys_that_others_can_read_sign_nothing(
    root: Path, key: str
) -> None:
    with pytest.raises(InvalidOption, match="nothing to attest"):
        statement_of(root)
    fill(root)
    Path(key).chmod(0o644)
    with pytest.raises(InvalidOption, match="key"):
        make([Source("db1", gathered(root))], key=key, directory=str(root), now=NOW)


def test_places_that_have_different_manifests_of_one_backup_are_named(root: Path, tmp_path: Path) -> None:
    keep(root, "shop", hours=5, drill="equal")
    mirror = tmp_path / "mirror"
    shutil.copytree(root, mirror)
    manifest = next(mirror.glob("*/*/*/*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    statement = make_statement([Source("db1", gathered(root)), Source("vault", gathered(mirror))], iso(NOW))
    assert statement["predicate"]["conflicts"] == [str(manifest.relative_to(mirror))]
    assert len(statement["subject"]) == 2


def test_the_commands_make_and_verify_it(root: Path, key: str, tmp_path: Path) -> None:
    fill(root)
    folder = tmp_path / "out"
    folder.mkdir()

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {"PYTHONPATH": str(LIBRARY), "PATH": os.environ["PATH"]}
        program = [sys.executable, "-m", "backupdb.cli.main", "evidence", *words]
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    place = ("--repository", str(root))
    done = command("make", *place, "--key", key, "--output", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    pem = tmp_path / "public.pem"
    pem.write_text(f"-----BEGIN PUBLIC KEY-----\n{result['public_key']}\n-----END PUBLIC KEY-----\n", encoding="ascii")
    good = command("verify", result["statement"], "--public-key", str(pem), *place)
    assert (good.returncode, good.stdout.startswith("ok: ")) == (0, True), good.stderr
    manifest = next(root.glob("*/*/wiki/*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes() + b" ")
    bad = command("verify", result["statement"], "--public-key", result["public_key"], *place)
    assert (bad.returncode, "somebody wrote over it" in bad.stdout) == (2, True)
    assert command("verify", result["statement"]).returncode == 3
