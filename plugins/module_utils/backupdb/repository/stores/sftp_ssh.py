# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH's program `ssh` as the way to an SFTP server: only the options of the copy decide where it goes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any, Callable, NamedTuple

from ...errors import ClientMissing, CommandFailed, InvalidOption, StoreError, StoreRefused, StoreUnavailable
from ...system import files, process
from .sftp_packets import NotUnderstood, printable
from .sftp_protocol import Refusal, SessionLost, SftpSession

_CONNECT_SECONDS = 30
_ALIVE_SECONDS = 15
_ALIVE_COUNT = 4
_KEY_KIND = r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+"
_KEY = re.compile(rf"(?:\S+ +)?({_KEY_KIND}) +([A-Za-z0-9+/]{{20,}}={{0,2}})(?: .*)?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]{0,254}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_.@+\\][A-Za-z0-9_.@+\\-]{0,254}\$?", re.ASCII)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_SHOWN = 3  # lines of ssh's own


class Address(NamedTuple):
    """Where a server is, who it is, and as whom it is entered. `host_keys` are kinds and keys, as in known_hosts."""

    host: str
    port: int
    user: str
    host_keys: tuple[str, ...]
    key_file: str | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sftp://{self.user}@{host}{'' if self.port == 22 else f':{self.port}'}"

    def fingerprints(self) -> str:
        """Return the fingerprints of the host keys that are expected."""
        return ", ".join(_fingerprint(key) for key in self.host_keys)


def address_from(place: Mapping[str, Any], where: str) -> Address:
    """Read the options of a copy; raises `InvalidOption`."""
    host, user = str(place["host"]), str(place["user"])
    if not _HOST.fullmatch(host):
        raise InvalidOption(f"{where}.host: {host!r} is not the name or address of a host")
    if not _USER.fullmatch(user):
        raise InvalidOption(f"{where}.user: {user!r} is not the name of a user")
    keys = tuple(_host_key(line, where) for line in place["host_key"])
    if not keys:
        raise InvalidOption(f"{where}.host_key is empty; `ssh-keyscan -t ed25519 {host}` shows what to put there")
    return Address(host.lower(), int(place["port"]), user, keys, place["key_file"])


class SftpConnection:
    """A running `ssh` and the session in it. `check` is called while anything waits, and may raise."""

    def __init__(self, address: Address, check: Callable[[], None]) -> None:
        if shutil.which("ssh") is None:
            raise ClientMissing("the program ssh is missing on this host: install the package openssh-client")
        if address.key_file is not None and not files.is_there(Path(address.key_file)):
            raise StoreRefused(f"{address.key_file} is not there, with which {address} is to be entered; put it there")
        self._address = address
        self._program: process.Running | None = None
        known_hosts = _known_hosts(address)
        try:
            environment = {} if address.key_file else _agent()
            self._program = process.start(_command(address, known_hosts), environment=environment, stdin=PIPE)
            self.session = SftpSession(self._program.stdout.fileno(), self._program.stdin.fileno(), check)
        except (SessionLost, NotUnderstood) as error:
            raise self.lost(error, beginning=True) from error
        except Refusal as error:
            self.close()
            raise StoreRefused(f"{address} refuses SFTP: {error}") from error
        except CommandFailed as error:
            raise StoreError(f"{address}: {error}") from error
        except BaseException:
            self.close()
            raise
        finally:
            known_hosts.unlink()

    @property
    def pid(self) -> int:
        """The process of `ssh`."""
        return self._program.pid if self._program is not None else 0

    def lost(self, error: SessionLost | NotUnderstood, *, beginning: bool = False) -> StoreError:
        """End it, and return why there is no connection any more, by what `ssh` said."""
        self.close()
        said = self._program.stderr.lines() if self._program is not None else []
        lines = [printable(line.strip().encode()) for line in said if not line.startswith("Killed by signal")]  # by us
        return lost_error(self._address, lines, str(error), beginning)

    def close(self) -> None:
        """End it; harmless when it has ended."""
        if self._program is not None:
            self._program.close()


def lost_error(address: Address, lines: Sequence[str], reason: str, beginning: bool) -> StoreError:
    """Return the error for a connection that was not made, or was lost, by what `ssh` said."""
    said = "\n".join(lines)
    last = "; ".join(lines[-_SHOWN:]) or reason
    if re.search(r"IDENTIFICATION HAS CHANGED|[Hh]ost key verification failed|host key is known for", said):
        return StoreRefused(_other_host_key(address, said))
    if re.search(r"UNPROTECTED PRIVATE KEY|bad permissions", said):
        return StoreRefused(f"{address.key_file} can be read by others, so ssh does not use it; give it mode 0600")
    for pattern, text in _REFUSALS:
        if re.search(pattern, said):
            return StoreRefused(f"{address} {text}. ssh says: {last}")
    if "Could not resolve hostname" in said:
        return StoreUnavailable(f"{address}: the name {address.host} is not known here; look at it and at the resolver")
    if "connect to host" in said or "Connection timed out" in said:
        return StoreUnavailable(f"{address} does not answer: {last}; look whether it runs and is reached from here")
    if "does not speak SFTP" in reason:
        return StoreRefused(f"{address}: {reason}; let it start internal-sftp for this user, and no shell that prints")
    if beginning:
        return StoreUnavailable(
            f"{address} ended the session before it began: {last}; its own log says why (a chroot that others than "
            "root can change is one reason, too many connections another)"
        )
    return StoreUnavailable(f"{address}: {reason}" + (f"; ssh says: {last}" if lines else ""))


_REFUSALS = (
    (r"[Ll]oad key|invalid format", "cannot be entered, since the key file is not one that ssh can use"),
    (
        r"Permission denied|Too many authentication failures",
        "lets nobody in by this user and key: look at `user` and `key_file` (which has no passphrase), and whether the "
        "public key is in the authorized keys there",
    ),
    (r"subsystem request failed", "lets this user in, but has no SFTP: add `Subsystem sftp internal-sftp` there"),
    (r"no matching|Unable to negotiate", "has no way to encrypt that this host's ssh still uses; update one of both"),
    (r"No user exists for uid", "cannot be reached, since the user who runs this has no name here; give it an account"),
)


def _other_host_key(address: Address, said: str) -> str:
    shown = next(iter(_FINGERPRINT.findall(said)), None)
    return (
        f"{address} shows another host key than `host_key` has, so nothing was sent: "
        f"{f'it shows {shown}' if shown else 'one of another kind'}, expected is {address.fingerprints()}. Ask "
        "those who run that host for its fingerprint. Where it has a new key, put that into `host_key` (`ssh-keyscan "
        f"-p {address.port} {address.host}` shows it); where it has none, somebody is in between"
    )


def _command(address: Address, known_hosts: Path) -> list[str]:
    key = (f"IdentityFile={_quoted(address.key_file)}", "IdentitiesOnly=yes", "IdentityAgent=none")
    options = [
        *(key if address.key_file else ()),
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={_quoted(known_hosts)}",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
        "VerifyHostKeyDNS=no",
        "PasswordAuthentication=no",
        "KbdInteractiveAuthentication=no",
        "GSSAPIAuthentication=no",
        "HostbasedAuthentication=no",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "ControlMaster=no",
        "ControlPath=none",
        "RequestTTY=no",
        "EscapeChar=none",
        "Compression=no",
        f"ConnectTimeout={_CONNECT_SECONDS}",
        f"ServerAliveInterval={_ALIVE_SECONDS}",
        f"ServerAliveCountMax={_ALIVE_COUNT}",
        "LogLevel=INFO",
    ]
    words = [word for option in options for word in ("-o", option)]
    place = ["-p", str(address.port), "-l", address.user, "-s", "--", address.host, "sftp"]
    return ["ssh", "-F", "/dev/null", *words, *place]


def _quoted(path: str | Path | None) -> str:
    """Write a path as ssh_config(5) has it: % begins what ssh puts in."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def _known_hosts(address: Address) -> Path:
    """Write the keys of the host where only `ssh` looks; it reads them while it connects."""
    host = address.host if address.port == 22 else f"[{address.host}]:{address.port}"
    descriptor, name = tempfile.mkstemp(prefix="backupdb-known-hosts-")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f"{host} {key}\n" for key in address.host_keys)
    return Path(name)


def _agent() -> dict[str, str]:
    socket = os.environ.get("SSH_AUTH_SOCK")
    return {"SSH_AUTH_SOCK": socket} if socket else {}


def _host_key(line: Any, where: str) -> str:
    """Return kind and key of a line that ssh-keyscan, known_hosts or a .pub file has."""
    match = _KEY.fullmatch(str(line).strip())
    if match is None:
        raise InvalidOption(
            f"{where}.host_key: {str(line)[:80]!r} is not a host key; write it as in known_hosts: ssh-ed25519 AAAA..."
        )
    try:
        base64.b64decode(match.group(2), validate=True)
    except binascii.Error:
        raise InvalidOption(f"{where}.host_key: {str(line)[:80]!r} is cut off; copy all of it") from None
    return " ".join(match.groups())


def _fingerprint(key: str) -> str:
    digest = hashlib.sha256(base64.b64decode(key.split(" ")[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
