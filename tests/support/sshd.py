# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private OpenSSH server for SFTP: one user, shut into one folder, on a free port, with a host key of its own.

It runs as root in a mount namespace of its own: there /srv is the folder that the user sees, as a chroot must belong to
root up to the top, and the user's account is in no file of this machine. It ends with the process that started it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from support import needs, run_state
from support.library import LIBRARY
from support.private_server import ServerFailed, free_port

USER = "copies"
UID = 64_323  # a uid and gid that nobody has
_START_SECONDS = 20
_PROGRAM = "/usr/sbin/sshd"
_ENTER = """
set -eu
mount --bind "$1/far" /srv
mount --bind "$1/etc" /etc
[ -z "$3" ] || mount -t tmpfs -o "size=$3,mode=0700,uid=$4,gid=$4" tmpfs /srv/copies
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
exec "$2" -D -e -f "$1/sshd_config"
"""


class Sshd:
    """The server. `far` is the folder that its user sees as /, `top` where that user may write: /copies to it.

    `sftp` are further words for internal-sftp, such as "-P setstat,fsetstat"; `shell` is a command instead of it. With
    `size` ("6M") the user's folder is on a filesystem of that size, which only the server sees.
    """

    def __init__(self, *, sftp: str = "", shell: str = "", size: str = "") -> None:
        needs.root("only root starts a server that shuts its user in")
        needs.program(_PROGRAM, "openssh-server")
        needs.program("ssh", "openssh-client")
        self.folder = run_state.new_folder("ssh")
        self.port = free_port()
        self.far = self.folder / "far"
        self.top = self.far / "copies"
        self.key_file = self.folder / "key"
        self._command = shell or f"internal-sftp {sftp}"
        self._size = size
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()

    def _prepare(self) -> None:
        self.folder.chmod(0o711)  # the server reads the authorized keys as its user
        self.far.mkdir(mode=0o755)
        self.make_top()
        self.new_host_key()
        _keygen(self.key_file)
        self.authorise(self.key_file)
        # The whole folder: a mount over one of its files would be gone as soon as the machine replaces that file.
        etc = self.folder / "etc"
        etc.mkdir(mode=0o755)
        for name in ("group", "nsswitch.conf", "localtime", "ld.so.cache"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), etc / name)
        accounts = Path("/etc/passwd").read_text(encoding="utf-8")
        (etc / "passwd").write_text(f"{accounts}{USER}:x:{UID}:{UID}::/:/bin/sh\n", encoding="utf-8")
        (etc / "shadow").write_text(f"root:*:19000::::::\n{USER}:*:19000::::::\n", encoding="utf-8")
        (self.folder / "sshd_config").write_text(
            f"""
Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.folder}/host_key
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile {self.folder}/authorized_keys
LogLevel VERBOSE
Subsystem sftp internal-sftp
Match User {USER}
  {"ChrootDirectory /srv" if self._command.startswith("internal-sftp") else ""}
  ForceCommand {self._command}
""",
            encoding="utf-8",
        )

    def make_top(self) -> None:
        """Make the folder of the copies."""
        self.top.mkdir(mode=0o700)
        os.chown(self.top, UID, UID)

    def new_host_key(self) -> None:
        """Give the server another host key, from its next start on."""
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink(missing_ok=True)
        _keygen(self.folder / "host_key")

    def authorise(self, *key_files: Path) -> None:
        """Let the holders of these keys in, and nobody else."""
        lines = [key.with_name(f"{key.name}.pub").read_text(encoding="utf-8") for key in key_files]
        (self.folder / "authorized_keys").write_text("".join(lines), encoding="utf-8")

    @property
    def host_key(self) -> str:
        """The server's public key, as `ssh-keyscan` shows it."""
        return " ".join((self.folder / "host_key.pub").read_text(encoding="utf-8").split()[:2])

    @property
    def options(self) -> dict[str, Any]:
        """Options of a copy on this server."""
        return {
            "name": "vault",
            "type": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "path": "/copies",
            "host_key": [self.host_key],
            "key_file": str(self.key_file),
        }

    # -- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "sh", "-c", _ENTER, "sh"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self.folder), _PROGRAM, self._size, str(UID)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_for_port(self.port, self._process)
        except ServerFailed as error:
            raise ServerFailed(f"{error}: {self.log()}") from error

    def stop(self) -> None:
        """End it with all its sessions."""
        if self._process is not None:
            self.cut()
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Sshd:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def cut(self) -> int:
        """Kill all sessions; says how many processes that were. The server stays."""
        found = self._sessions()
        for pid in found:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(pid, signal.SIGKILL)
        run_state.wait_until_gone(found, seconds=10)
        return len(found)

    def hold(self) -> None:
        """Let all sessions stand still, as a host with a dead disk does."""
        for pid in self._sessions():
            os.kill(pid, signal.SIGSTOP)

    def _sessions(self) -> list[int]:
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and run_state.is_alive(int(entry.name)):
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
        found = [self._process.pid] if self._process is not None else []
        for pid in found:  # it grows
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]

    # -- the far side's own means -------------------------------------------------------------------------------

    def on_the_host(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program as root on the server's side, where the user's top is /srv/copies."""
        if self._process is None:
            raise ServerFailed("sshd does not run")
        return subprocess.run(
            ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "--", *command],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        )

    def backupdb(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the product's program as root on the server's side."""
        return self.on_the_host(
            sys.executable, "-c", "import sys; from backupdb.cli.main import main; sys.exit(main())", *words
        )


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was started answers."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise ServerFailed("sshd did not start")


def new_key(path: Path) -> Path:
    """Make a key pair without a passphrase."""
    _keygen(path)
    return path


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
