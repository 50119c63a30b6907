# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a driver is: how an engine's server is reached through SQLAlchemy, and what the driver's errors mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ..errors import InvalidOption
from .instance import Instance

_CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/pki/tls/certs/ca-bundle.crt",  # EL
)
TLS_REQUIRED = ("require", "verify_ca", "verify_full")
TLS_VERIFIED = ("verify_ca", "verify_full")


@dataclass(frozen=True)
class DriverArguments:
    """Host and port for the URL, keyword arguments for the driver, and keyword arguments for `create_engine`.

    `create_engine` is told the size of a `QueuePool`; a dialect with another pool of its own needs it as `poolclass`.
    """

    host: str | None
    port: int | None
    connect: Mapping[str, Any] = field(repr=False)
    engine: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class DriverError:
    """What an error of a driver means. `kind`: a key of `errors.ADVICE` for a connection that failed, else None."""

    text: str
    code: str = ""  # SQLSTATE, or the server's error number as text
    kind: str | None = None


class Driver(ABC):
    """A Python library that talks to one kind of server."""

    DIALECT: ClassVar[str]  # SQLAlchemy's dialect and driver
    LIBRARY: ClassVar[str]  # the library, as it is imported
    PACKAGE: ClassVar[str]  # what brings it, for messages
    TRANSACTIONS: ClassVar[str]  # the isolation level of those who want transactions, in SQLAlchemy's words
    DEFAULT_DATABASE: ClassVar[str | None] = None  # the database entered when none is named
    SESSION_STATEMENTS: ClassVar[Sequence[str]] = ()  # run and committed at the beginning of every session

    @abstractmethod
    def arguments(self, instance: Instance, application_name: str) -> DriverArguments:
        """Translate an instance for the driver; raises `InvalidOption`."""

    @abstractmethod
    def read_error(self, error: BaseException | None, *, invalidated: bool) -> DriverError:
        """Say what an error of the library means; `invalidated`: SQLAlchemy gave the connection up."""

    def lacks_library(self, error: RuntimeError) -> bool:
        """Tell whether the library says by this error that it needs another one to log in."""
        return False


def check_certificates(instance: Instance) -> None:
    """Raise `InvalidOption` for certificates that are not there."""
    for option in ("ca_cert", "client_cert", "client_key"):
        path = getattr(instance, option)
        if path and not Path(path).is_file():
            raise InvalidOption(f"{instance.where()}: {option} {path} is not a file on this host")


def verification_bundle(instance: Instance) -> str | None:
    """Return the file of trusted certificates: the given one, or the system's when verification is asked for."""
    if instance.ca_cert or instance.ssl_mode not in TLS_VERIFIED:
        return instance.ca_cert
    for path in _CA_BUNDLES:
        if Path(path).is_file():
            return path
    raise InvalidOption(
        f"{instance.where()}: ssl_mode {instance.ssl_mode} needs ca_cert, and this host has no certificate bundle"
    )
