# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a copy: which store it is in, how that is reached, and what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import InvalidOption
from ...system.options import Option, duration_from, size_from, validate_options

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
TYPES = ("s3", "sftp", "rclone", "local")
ADDRESSING_STYLES = ("auto", "path", "virtual")
LOCKS = ("none", "bucket", "governance", "compliance")
PRUNES = ("here", "elsewhere", "store")
# What a copy of each type rests on, for the count of media; a repository rests on a disk.
MEDIA: Mapping[str, str] = {"s3": "object store", "sftp": "another host", "rclone": "object store", "local": "disk"}

BEST = "best"  # where the name of a copy is asked for: the nearest place that has the backup
# How the store is reached. Each is for the types that are named beside it.
_PLACE_OPTIONS: Mapping[str, Option] = {
    "path": Option("path"),  # local, sftp
    "bucket": Option(),  # s3
    "prefix": Option(),  # s3
    "endpoint": Option(),  # s3
    "region": Option(),  # s3
    "addressing": Option(default="auto", choices=ADDRESSING_STYLES),  # s3
    "ca_cert": Option("path"),  # s3
    "proxy": Option(),  # s3, rclone
    "storage_class": Option(),  # s3
    "max_parts": Option("int", default=10000),  # s3
    "object_limit": Option(default="5T"),  # s3
    "lock": Option(  # s3
        "dict", options={"mode": Option(default="none", choices=LOCKS), "days": Option("int")}
    ),
    "host": Option(),  # sftp
    "port": Option("int", default=22),  # sftp
    "user": Option(),  # sftp
    "host_key": Option("list", elements="str", secret=False),  # sftp
    "key_file": Option("path", secret=False),  # sftp
    "remote": Option(),  # rclone
    "config_file": Option("path"),  # rclone
}
OPTIONS: Mapping[str, Option] = {
    "name": Option(required=True),
    "type": Option(required=True, choices=TYPES),
    **_PLACE_OPTIONS,
    "required": Option("bool", default=True),
    "retention": Option("dict"),
    "prune": Option(default="elsewhere", choices=PRUNES),
    "max_age": Option(),
    "verify_budget": Option(),
    "keep_unsent_max": Option(),
    "bandwidth": Option(),
    "patience": Option(default="10m"),
    "off_site": Option("bool"),
}
# What opens the store; a job has them in its credentials, under `copies` and the name of the copy.
SECRET_OPTIONS: Mapping[str, Option] = {
    "access_key_id": Option(secret=True),
    "secret_access_key": Option(secret=True),
    "session_token": Option(secret=True),
}
# Which of the options above each type takes, and those that it cannot do without.
_OF_TYPE: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "s3": (
        (
            "bucket",
            "prefix",
            "endpoint",
            "region",
            "addressing",
            "ca_cert",
            "proxy",
            "storage_class",
            "max_parts",
            "object_limit",
            "lock",
        ),
        ("bucket",),
    ),
    "sftp": (("path", "host", "port", "user", "host_key", "key_file"), ("path", "host", "user", "host_key")),
    "rclone": (("remote", "config_file", "proxy"), ("remote",)),
    "local": (("path",), ("path",)),
}


@dataclass(frozen=True)
class CopySettings:
    """One copy. Sizes are in bytes, durations in seconds; `place` has the options of its type, checked.

    `required`: a copy that is missing makes a run partial, and local backups wait for it. `prune` says who removes old
    backups: this host, others, or the store by rules of its own. `secrets` is what opens the store.
    """

    name: str
    type: str
    place: Mapping[str, Any]
    required: bool = True
    retention: Mapping[str, Any] | None = None
    prune: str = "elsewhere"
    max_age: float | None = None
    verify_budget: int | None = None
    keep_unsent_max: int | None = None
    bandwidth: int | None = None
    patience: float = 600.0
    off_site: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)  # as they were given, without secrets

    def opened_by(self, secrets: Mapping[str, Any]) -> CopySettings:
        """Return the same copy with what opens its store; raises `InvalidOption`."""
        return replace(self, secrets=_secrets(secrets, f"copy {self.name}"))


def _check_name(name: str, where: str) -> None:
    if name == BEST:
        raise InvalidOption(f"{where}.name: {BEST} is no name of a copy, it stands for whichever is the best one")
    if not NAME.fullmatch(name):
        raise InvalidOption(f"{where}.name: {name!r} cannot be the name of a copy: a-z, 0-9, _ and -")


def copy_from(values: Any, where: str, secrets: Mapping[str, Any] | None = None) -> CopySettings:
    """Make the library's value of plain options; raises `InvalidOption`, which begins with `where` and the key."""
    options = validate_options(values, OPTIONS, where, secrets=frozenset(SECRET_OPTIONS))
    _check_name(options["name"], where)
    kind = _choice(options, "type", TYPES, where)
    known, needed = _OF_TYPE[kind]
    for key in _PLACE_OPTIONS:
        given = values.get(key) not in (None, _PLACE_OPTIONS[key].default)
        if given and key not in known:
            raise InvalidOption(f"{where}.{key} is not for copies of type {kind}; remove it")
        if key in needed and not given:
            raise InvalidOption(f"{where}.{key} is missing; a copy of type {kind} needs it")
    _choice(options, "addressing", ADDRESSING_STYLES, where)
    _choice(options, "prune", PRUNES, where)
    place = {key: options[key] for key in known}
    if "lock" in place:
        place["lock"] = _lock(place["lock"], f"{where}.lock")
    if "object_limit" in place:
        place["object_limit"] = _read(size_from, options, "object_limit", where)
    if "path" in place and not str(place["path"]).startswith("/"):
        raise InvalidOption(f"{where}.path: {place['path']!r} must be an absolute path")
    for key, least, most in (("port", 1, 65535), ("max_parts", 1, 10000)):
        if key in place and not least <= place[key] <= most:
            raise InvalidOption(f"{where}.{key}: {place[key]} is not from {least} to {most}")
    return CopySettings(
        name=options["name"],
        type=kind,
        place=place,
        required=options["required"],
        retention=options["retention"],
        prune=options["prune"],
        max_age=_read(duration_from, options, "max_age", where),
        verify_budget=_read(size_from, options, "verify_budget", where),
        keep_unsent_max=_read(size_from, options, "keep_unsent_max", where),
        bandwidth=_read(size_from, options, "bandwidth", where),
        patience=_read(duration_from, options, "patience", where),
        off_site=kind != "local" if options["off_site"] is None else options["off_site"],
        secrets=_secrets(secrets or {}, where),
        options={key: value for key, value in values.items() if value is not None},
    )


def copies_from(entries: Any, where: str) -> tuple[CopySettings, ...]:
    """Make the library's values of a list of copies, without their secrets; raises `InvalidOption`."""
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise InvalidOption(f"{where} is not a list of copies")
    found: list[CopySettings] = []
    for number, entry in enumerate(entries):
        key = f"{where}[{number}]"
        copy = copy_from(entry, key)
        if any(copy.name == other.name for other in found):
            raise InvalidOption(f"{key}.name: {copy.name} is there twice; each copy has a name of its own")
        found.append(copy)
    return tuple(found)


def _secrets(values: Mapping[str, Any], where: str) -> dict[str, str]:
    unknown = sorted(set(values) - set(SECRET_OPTIONS))
    if unknown:
        raise InvalidOption(f"{where}: the credentials have {unknown[0]!r}, which is not known; remove it")
    found = {key: str(value) for key, value in values.items() if value}
    if bool(found.get("access_key_id")) != bool(found.get("secret_access_key")):
        raise InvalidOption(f"{where}: access_key_id and secret_access_key go together; give both, or none")
    return found


def _lock(values: Any, where: str) -> dict[str, Any]:
    options = validate_options(values or {}, _PLACE_OPTIONS["lock"].options or {}, where)
    mode = _choice(options, "mode", LOCKS, where)
    locks_itself = mode in ("governance", "compliance")
    if locks_itself != (options["days"] is not None):
        raise InvalidOption(f"{where}: days goes with mode governance or compliance, and with no other")
    if locks_itself and options["days"] < 1:
        raise InvalidOption(f"{where}.days: {options['days']} is too small; use 1 or more")
    return options


def _choice(options: Mapping[str, Any], key: str, known: tuple[str, ...], where: str) -> str:
    value = options[key]
    if value not in known:
        raise InvalidOption(f"{where}.{key}: {value!r} is not known; use {', '.join(known)}")
    return str(value)


def _read(parse: Any, options: Mapping[str, Any], key: str, where: str) -> Any:
    try:
        return parse(options, key)
    except InvalidOption as error:
        raise InvalidOption(f"{where}: {error}") from error
