# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_evidence and the playbook evidence: hosts are asked, the controller signs, and a drill is in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.evidence.verify import verify
from backupdb.signatures.keys import write_signing_key
from support.ansible import UNREACHABLE, AnsibleRun, this_machine
from support.drills import drilled
from support.library import HOST, back_up
from support.monitored import NASTY, keep, note_run
from support.private_server import PrivateServer
from support.restores import clean, make_database
from support.returns import documentation_of, promised, undocumented
from support.tree import folder_state

MODULE = "vya.backupdb.backup_evidence"


@pytest.fixture
def key(scratch: Path) -> Path:
    path = scratch / "evidence-key.pem"
    write_signing_key(str(path))
    return path


@pytest.mark.parametrize("kind", ["postgres15", "mariadb"])
def test_the_playbook_signs_real_drills_of_all_hosts_and_names_those_that_did_not_answer(
    request: pytest.FixtureRequest,
    run_playbook: Callable[..., AnsibleRun],
    repository: Path,
    scratch: Path,
    key: Path,
    kind: str,
) -> None:
    server: PrivateServer = request.getfixturevalue(kind)
    other = scratch / "other"
    other.mkdir(mode=0o700)
    keep(other, NASTY, hours=5, host="host2")
    note_run(other, {NASTY: "complete"}, host="host2")
    with clean(server):
        make_database(server, "shop")
        back_up(server, repository, databases=["shop"])
        assert drilled(repository)["verdict"] == "equal"
    folder = scratch / "evidence"
    folder.mkdir(mode=0o700)
    hosts = {
        HOST: {"backupdb_repository": str(repository)},
        "host2": {"backupdb_repository": str(other)},
        "gone": UNREACHABLE,
    }
    inventory = {"all": {"vars": this_machine(scratch, backupdb_become=False), "hosts": hosts}}
    variables = {"evidence_signing_key": str(key), "evidence_directory": str(folder)}
    before = folder_state(repository)
    planned = run_playbook("vya.backupdb.evidence", inventory=inventory, extra_vars=variables, check=True)
    assert list(folder.iterdir()) == [], planned.output
    run = run_playbook("vya.backupdb.evidence", inventory=inventory, extra_vars=variables, verbosity=3)
    assert run.returncode != 0  # one host did not answer
    told = run.summary("evidence_statement")
    assert (told["status"], told["counts"]["sources not gathered"]) == ("partial", 1), run.output
    summary = run.summary("evidence_summary")
    assert {host: one["status"] for host, one in summary["hosts"].items()} == {
        HOST: "ok",
        "host2": "ok",
        "gone": "unreachable",
    }
    assert summary["hosts"][HOST]["counts"]["proven"] == 1
    assert "facts" not in summary["hosts"][HOST]
    predicate = json.loads(Path(told["statement"]).read_bytes())["predicate"]
    found = {one["database"]: one for one in predicate["databases"]}
    assert {name: one["result"] for name, one in found.items()} == {
        "shop": "proven",
        NASTY.replace("\udcff", "\\xff"): "no drill",
    }
    (drill,) = found["shop"]["drills"]
    assert drill["server"].startswith(server.engine) and drill["restore_seconds"] >= 0
    result = verify(told["statement"], told["public_key"], [str(repository), str(other)])
    assert result["status"] == "ok", result["message"]
    assert folder_state(repository) == before
    secret = "".join(key.read_text(encoding="ascii").splitlines()[1:-1])
    assert secret not in run.output
    assert not any(secret in json.dumps(one.result) for one in run.results)


def test_the_module_gathers_signs_and_verifies_as_it_is_documented(
    run_module: Callable[..., Any], repository: Path, scratch: Path, key: Path
) -> None:
    keep(repository, "shop", hours=5, drill="equal")
    documented = documentation_of(MODULE, "RETURN")
    gathered = run_module(MODULE, {"repository": str(repository), "host": "db1"})
    assert not gathered.failed and not gathered.changed, gathered.output
    sources = [{"name": "db1", "facts": gathered.result["facts"]}]
    options = {"state": "signed", "sources": sources, "signing_key": str(key), "directory": str(scratch)}
    planned = run_module(MODULE, options, check=True)
    assert planned.changed and not Path(planned.result["statement"]).exists(), planned.output
    signed = run_module(MODULE, options)
    public = signed.result["public_key"]
    place = {"statement": signed.result["statement"], "public_key": public, "repositories": [str(repository)]}
    verified = run_module(MODULE, {"state": "verified", **place})
    assert not verified.failed, verified.output
    for run, state in ((gathered, "gathered"), (signed, "signed"), (verified, "verified")):
        assert undocumented(run.result, documented) == []
        assert set(run.result) >= promised(documented, "always", f"with O(state={state})")
    manifest = next(repository.glob("*/*/*/*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes() + b" ")
    bad = run_module(MODULE, {"state": "verified", **place})
    assert bad.failed and "somebody wrote over it" in bad.message
    unkeyed = run_module(MODULE, {"state": "signed", "sources": sources, "directory": str(scratch)})
    assert unkeyed.failed and "signing_key" in unkeyed.message
