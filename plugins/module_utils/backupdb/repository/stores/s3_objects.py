# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making an object of S3 exist, once: what it is given, and whether one that is there already is the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Callable

from ...errors import StoreError, StoreRefused, StoreUnavailable
from ...system.text import utc_now
from .interface import Upload
from .s3_client import is_forgotten, is_there_already, store_error

if TYPE_CHECKING:
    from .s3 import S3Store

_SHA256 = "sha256"  # among the metadata of an object


def send(store: S3Store, upload: Upload, work: Callable[[], None]) -> None:
    """Make an object exist, if there is none by its name; one with the same content is as good."""
    from botocore.exceptions import BotoCoreError, ClientError

    def once() -> None:
        try:
            work()
        except (BotoCoreError, ClientError, OSError) as error:
            # An answer that was lost on its way also ends here: then it is there, and is the same.
            if is_there_already(error) or is_forgotten(error):
                check_same(store, upload, error)
                return
            if store.only_if_new.is_unknown(error):
                return once()
            raise store_error(error, store.copy, store.where(upload.name), "sending") from error

    store.patience.call(once)


def check_same(store: S3Store, upload: Upload, cause: Exception) -> None:
    """Raise `StoreError` unless the object of this name is what would be sent, as far as the key may see it."""
    try:
        head = store.head(upload.name)
    except StoreRefused:
        if is_there_already(cause):
            return  # a key that only writes cannot look; that something of this name is there, the store has said
        head = None
    if head is not None:
        check_head(store, upload, head)
        return
    text = f"copy {store.copy.name}: {store.where(upload.name)} was being sent when the store forgot about it"
    if is_forgotten(cause):
        raise StoreError(f"{text}: its parts have been removed there; the next run sends it again") from cause
    raise StoreUnavailable(text) from cause


def check_head(store: S3Store, upload: Upload, head: Mapping[str, Any]) -> None:
    """Raise `StoreError` unless these are the headers of what would be sent."""
    digest = head.get("Metadata", {}).get(_SHA256)
    if head["ContentLength"] != upload.size or digest not in (None, upload.sha256):
        raise StoreError(
            f"copy {store.copy.name}: {store.where(upload.name)} is there, and is something else "
            f"({head['ContentLength']} bytes, sha256 {digest}); nothing is replaced: look who has written it"
        )


def description(store: S3Store, upload: Upload) -> dict[str, Any]:
    """Return what an object is given on its way: its digest, its class, and until when it is locked."""
    found: dict[str, Any] = {"Metadata": {_SHA256: upload.sha256}}
    place = store.copy.place
    if place["storage_class"] is not None:
        found["StorageClass"] = place["storage_class"]
    lock = place["lock"]
    if lock["days"] is not None:
        found["ObjectLockMode"] = lock["mode"].upper()
        found["ObjectLockRetainUntilDate"] = utc_now() + timedelta(days=lock["days"])
    return found
