# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies on another host, over SFTP, on a real OpenSSH server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
from backupdb.errors import ClientMissing, StoreError, StoreRefused, StoreUnavailable
from backupdb.repository.stores import sftp_protocol
from backupdb.repository.stores.interface import Store
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from
from support.private_server import free_port
from support.sshd import UID, Sshd, new_key
from support.store_compliance import OTHER, PLACE, Counted, backup_of, listed, read_all, send, upload_of
from support.tree_compliance import ARRIVING, FarFolder, TreeCompliance


class _Host(FarFolder):
    # What was on its way when it was killed, and what a server may have written in any order before that.
    sent_again: ClassVar[int] = 2 * sftp_protocol.WRITES_AHEAD * sftp_protocol.BLOCK
    owner = UID

    def __init__(self, server: Sshd) -> None:
        self.server = server
        self.root = server.top
        self.stores: list[Store] = []

    def open(self, patience: Patience) -> Store:
        self.stores.append(opened(self.server, patience))
        return self.stores[-1]

    def break_connections(self) -> None:
        assert self.server.cut() > 0


def opened(server: Sshd, patience: Patience | None = None, **changes: Any) -> Store:
    return open_store(copy_from({**server.options, **changes}, "copies[0]"), patience or Patience(1))


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with Sshd() as server:
        yield server


@pytest.fixture
def far(sshd: Sshd) -> Iterator[_Host]:
    shutil.rmtree(sshd.top, ignore_errors=True)
    sshd.make_top()
    host = _Host(sshd)
    yield host
    for store in host.stores:
        store.close()


class TestSftpStore(TreeCompliance):
    """A user of internal-sftp, shut into its folder."""


# -- what a host's key cannot do --------------------------------------------------------------------------------


@pytest.fixture
def sealed(far: _Host, scratch: Path) -> _Host:
    """A vault in which one backup is sealed, by the means that it would have."""
    send(far.open(Patience(5)), backup_of(scratch))
    done = far.server.backupdb("seal", "/srv/copies", "--user", "copies")
    assert (done.returncode, "1 backup in /srv/copies was sealed" in done.stdout) == (0, True), done.stdout
    return far


def test_a_hosts_key_adds_to_a_sealed_vault_and_reads_what_is_there(sealed: _Host, scratch: Path) -> None:
    store = sealed.open(Patience(5))
    uploads = backup_of(scratch, OTHER)
    send(store, uploads)
    send(store, backup_of(scratch, "db2/new/db/20261125T021500Z-77aa01bc"))
    assert len(listed(store)) == 15
    for each in store.entries():
        assert read_all(store, each) == sealed.content(each.name)
    assert send(store, uploads).sent == 0
    assert sealed.server.backupdb("seal", "/srv/copies", "--user", "copies").returncode == 0
    assert send(store, uploads).sent == 0


def test_no_tool_with_a_hosts_key_changes_what_is_sealed(sealed: _Host, scratch: Path) -> None:
    (scratch / "forged").write_text("{}")
    archive = f"/copies/{PLACE}/data.sql.zst.age"
    attempts = [
        f"rm {archive}",
        f"rmdir /copies/{PLACE}",
        f"rename /copies/{PLACE} /copies/db1/shop-pg/orders/.hidden",
        f"rename /copies/{PLACE} /copies/db1/elsewhere",
        "rename /copies/db1/shop-pg/orders /copies/db1/shop-pg/gone",
        "rename /copies/db1 /copies/.gone",
        "rename /copies /gone",
        f"rename {archive} /copies/db1/taken",
        f"put {scratch}/forged {archive}",
        f"put {scratch}/forged /copies/{PLACE}/new",
        f"chmod 777 {archive}",
        f"chmod 777 /copies/{PLACE}",
        f"symlink /etc/passwd /copies/{PLACE}/link",
        f"ln {archive} /copies/{PLACE}/second",
    ]
    before = sealed.state()
    for attempt in attempts:
        done = _sftp(sealed.server, attempt, scratch)
        assert done.returncode != 0, f"{attempt}: {done.stdout}"
        assert "ermission denied" in done.stdout or "ailure" in done.stdout, f"{attempt}: {done.stdout}"
    assert sealed.state() == before


def test_a_store_with_a_hosts_key_is_told_that_it_may_not_remove(sealed: _Host) -> None:
    store = sealed.open(Patience(5))
    before = sealed.state()
    with pytest.raises(StoreRefused, match=r"removing sftp://copies@127.*Permission denied; look at owner and mode"):
        store.remove(PLACE, list(store.entries()))
    assert sealed.state() == before
    details = {right.name: right.detail for right in store.rights()}
    assert "not what is sealed there" in details["remove"]


def _sftp(server: Sshd, line: str, scratch: Path) -> subprocess.CompletedProcess[str]:
    known = scratch / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
    return subprocess.run(
        ["sftp", "-F", "/dev/null", "-b", "-", "-i", server.key_file, "-o", f"UserKnownHostsFile={known}",
         "-P", str(server.port), "copies@127.0.0.1"],
        input=f"{line}\n", check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


# -- what is refused, with what to do ---------------------------------------------------------------------------


def test_another_host_key_ends_it_before_anything_is_sent(far: _Host, scratch: Path) -> None:
    with Sshd() as other:
        other_key, expected = other.host_key, far.server.host_key
    store = opened(far.server, Patience(60), host_key=[other_key])
    started = time.monotonic()
    with pytest.raises(StoreRefused) as caught:
        send(store, backup_of(scratch))
    assert time.monotonic() - started < 20, "trying again does not help"
    text = str(caught.value)
    assert "shows another host key than `host_key` has, so nothing was sent" in text
    assert f"it shows {_fingerprint(expected, scratch)}, expected is {_fingerprint(other_key, scratch)}" in text
    assert "ssh-keyscan" in text
    assert far.state() == {}


def test_a_host_that_changed_its_key_meanwhile_is_not_used(scratch: Path) -> None:
    with Sshd() as server:
        store = opened(server)
        assert listed(store) == []
        server.stop()
        options = server.options
        server.new_host_key()
        server.start()
        with pytest.raises(StoreRefused, match="another host key"):
            listed(store)
        with pytest.raises(StoreRefused, match="another host key"):
            listed(open_store(copy_from(options, "copies[0]"), Patience(1)))
        assert listed(opened(server)) == []


@pytest.mark.parametrize("form", ["ssh-ed25519", "known_hosts", ".pub"])
def test_a_host_key_is_taken_as_it_is_shown_anywhere(far: _Host, form: str) -> None:
    key = far.server.host_key
    forms = {"ssh-ed25519": key, "known_hosts": f"[127.0.0.1]:22 {key}", ".pub": f"{key} root@vault"}
    assert listed(opened(far.server, host_key=[f"ssh-rsa {'A' * 200}", forms[form]])) == []


def test_a_host_key_of_another_kind_is_no_key_of_that_host(far: _Host, scratch: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(scratch / "other")], check=True)
    line = (scratch / "other.pub").read_text()
    with pytest.raises(StoreRefused, match="another host key"):
        listed(opened(far.server, host_key=[line]))


def _fingerprint(key: str, scratch: Path) -> str:
    (scratch / "line").write_text(f"{key}\n")
    done = subprocess.run(["ssh-keygen", "-lf", str(scratch / "line")], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()[1]


def test_a_key_that_is_not_known_there_is_told(far: _Host, scratch: Path) -> None:
    key = new_key(scratch / "other")
    with pytest.raises(StoreRefused, match=r"lets nobody in by this user and key: look at `user` and `key_file`"):
        listed(opened(far.server, key_file=str(key)))
    with pytest.raises(StoreRefused, match="lets nobody in"):
        listed(opened(far.server, user="nobody-there"))


def test_a_key_that_was_revoked_ends_the_copying(scratch: Path) -> None:
    with Sshd() as server:
        store = opened(server)
        send(store, backup_of(scratch))
        server.authorise(new_key(scratch / "new"))
        store.close()
        with pytest.raises(StoreRefused, match="lets nobody in"):
            send(store, backup_of(scratch, OTHER))


def test_a_key_file_that_others_can_read_or_that_is_none_is_told(far: _Host, scratch: Path) -> None:
    key = scratch / "key"
    with pytest.raises(StoreRefused, match=f"{key} is not there"):
        listed(opened(far.server, key_file=str(key)))
    shutil.copy(far.server.key_file, key)
    key.chmod(0o644)
    with pytest.raises(StoreRefused, match=f"{key} can be read by others, .* give it mode 0600"):
        listed(opened(far.server, key_file=str(key)))
    key.write_text("no key\n")
    key.chmod(0o600)
    with pytest.raises(StoreRefused, match="is not one that ssh can use"):
        listed(opened(far.server, key_file=str(key)))


def test_a_key_file_may_lie_under_an_odd_name(far: _Host, scratch: Path) -> None:
    key = scratch / 'my "key" %h'
    shutil.copy(far.server.key_file, key)
    assert listed(opened(far.server, key_file=str(key))) == []


@pytest.mark.parametrize(
    "command",
    [
        "/bin/echo hello; sleep 5",
        "/bin/cat /dev/zero",
        "/bin/cat",
        "/bin/false",
        "printf '\\0\\0\\0\\7\\2\\0\\0\\0\\3xx'",
    ],
)
def test_a_server_that_speaks_something_else_is_told(command: str) -> None:
    with Sshd(shell=command) as server, pytest.raises(StoreError, match=r"sftp://copies@127.*"):
        listed(opened(server))


def test_ssh_that_is_missing_is_told_with_its_package(
    far: _Host, monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    monkeypatch.setenv("PATH", str(scratch))
    with pytest.raises(ClientMissing, match="install the package openssh-client"):
        listed(far.open(Patience(1)))


# -- what passes, and is tried again ----------------------------------------------------------------------------


def test_a_host_that_is_away_is_tried_again_until_it_is_back(scratch: Path) -> None:
    with Sshd() as server:
        server.stop()
        with pytest.raises(StoreUnavailable, match=r"does not answer.*Connection refused.*tried again"):
            listed(opened(server, Patience(1)))
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(lambda: send(opened(server, Patience(60)), backup_of(scratch)))
            time.sleep(3)
            server.start()
            sending.result()
        assert len(listed(opened(server))) == 5


def test_a_name_that_is_not_known_may_be_known_later(far: _Host) -> None:
    with pytest.raises(StoreUnavailable, match=r"the name vault\.invalid is not known here"):
        listed(opened(far.server, host="vault.invalid"))


def test_a_server_that_stands_still_is_not_waited_for_for_ever(
    far: _Host, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp_protocol, "_PATIENCE", 2.0)
    uploads = backup_of(scratch, size=far.large)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="gave no answer for 2 seconds"):
        send(far.open(Patience(0)), uploads, Counted(far.large // 2, far.server.hold))
    assert time.monotonic() - started < 30
    far.break_connections()
    send(far.open(Patience(0)), uploads)


def test_a_port_on_which_something_silent_listens_is_not_waited_for_for_ever(
    far: _Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp_protocol, "_PATIENCE", 2.0)
    with socket.create_server(("127.0.0.1", free_port())) as silent, pytest.raises(StoreUnavailable):
        listed(opened(far.server, Patience(0), port=silent.getsockname()[1]))


def test_a_full_disk_there_is_told_and_what_fits_stays_for_the_next_run(scratch: Path) -> None:
    with Sshd(size="6M") as server:
        uploads = backup_of(scratch, size=5_000_000)
        with pytest.raises(StoreError, match=r"writing sftp://.*that filesystem is probably full, or a quota"):
            send(opened(server), uploads)
        assert listed(opened(server)) == []
        sent = Counted()
        with pytest.raises(StoreError, match="probably full"):
            send(opened(server), uploads, sent)
        assert sent.sent <= 3 * sftp_protocol.WRITES_AHEAD * sftp_protocol.BLOCK


# -- what it leaves alone ---------------------------------------------------------------------------------------


def test_nothing_is_left_behind_and_no_process_either(
    far: _Host, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    store = far.open(Patience(5))
    assert listed(store) == []
    assert list(scratch.glob("backupdb-*")) == []
    before = _children()
    store.close()
    assert len(before - _children()) == 1


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def test_an_agent_is_asked_only_where_no_key_file_is_given(
    far: _Host, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = scratch / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL)
    try:
        while not agent.exists():
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
        subprocess.run(["ssh-add", "-q", str(far.server.key_file)], check=True)
        assert listed(opened(far.server, key_file=None)) == []
        with pytest.raises(StoreRefused, match="lets nobody in"):
            listed(opened(far.server, key_file=str(new_key(scratch / "other"))))
    finally:
        process.kill()
        process.wait()


def test_a_part_of_right_size_counts_and_what_was_begun_is_gone_on_with(far: _Host, scratch: Path) -> None:
    uploads = backup_of(scratch, size=far.large)
    name = uploads[0].name.rpartition("/")[2]
    far.plant(f"{ARRIVING}/{name}", uploads[0].path.read_bytes()[:4_000_000])
    expected = sum(upload.size for upload in uploads) - 4_000_000 + sftp_protocol.WRITES_AHEAD * sftp_protocol.BLOCK
    assert send(far.open(Patience(5)), uploads).sent == expected
    assert far.content(uploads[0].name) == uploads[0].path.read_bytes()


def test_a_large_file_takes_little_memory(far: _Host, scratch: Path) -> None:
    size = 200 << 20
    upload = upload_of(scratch, f"{PLACE}/data", os.urandom(1 << 20) * 200)
    program = f"""
import resource, sys
sys.path[:0] = {[str(path) for path in _paths()]!r}
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.interface import Upload
from backupdb.repository.stores.patience import Patience, SteadyReader
from backupdb.repository.stores.settings import copy_from
from pathlib import Path
class Meter:
    def count(self, size): pass
store = open_store(copy_from({far.server.options!r}, "copy"), Patience(5))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
arrival = store.arrival({PLACE!r}, Meter())
arrival.put(Upload(Path({str(upload.path)!r}), {upload.name!r}, {upload.size}, {upload.sha256!r}))
arrival.finish()
reader = SteadyReader(store, store.facts({upload.name!r}), Patience(5))
while reader.read(1 << 20): pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(["python3", "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    assert upload.size == size
    assert int(done.stdout) < 20 << 10, "KiB on top of what Python takes"


def _paths() -> list[Path]:
    return [Path(open_store.__code__.co_filename).parents[3]]
