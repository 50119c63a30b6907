# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in S3 and what speaks its language: objects of a bucket below a prefix.

Where the bucket keeps versions the first one of a name is the file: whoever may write cannot make another one of it by
writing again, nor make it go by removing it, as long as he may not remove versions.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Callable

from ...errors import StoreError, StoreRefused, StoreUnavailable
from .interface import NO, UNKNOWN, YES, Arrival, Meter, Reader, Right, Store, StoredObject
from .notes import Notes
from .patience import Patience
from .s3_client import OnlyIfNew, is_absent, is_key_refused, is_refused, make_client, store_error
from .s3_upload import S3Arrival, give_up, parts_of, upload_noted
from .settings import CopySettings

_PAGE = 1000  # keys of a listing, and of a removal


class S3Store(Store):
    """A bucket, or what lies below a prefix of it."""

    TYPE = "s3"
    MEDIA = "object store"

    def __init__(self, copy: CopySettings, patience: Patience, notes: Notes | None = None) -> None:
        self.copy = copy
        self.patience = patience
        self.notes = notes or Notes()
        self.client = make_client(copy)
        self.only_if_new = OnlyIfNew(self.client)
        self._bucket: str = copy.place["bucket"]
        prefix = (copy.place["prefix"] or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._versions: bool | None = None

    def where(self, name: str = "") -> str:
        """Return `s3://bucket/prefix/name`."""
        return f"s3://{self._bucket}/{self._prefix}{name}".rstrip("/")

    def key(self, name: str) -> dict[str, str]:
        """Return bucket and key of a name, as requests have them."""
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def ask(self, operation: str, doing: str, name: str = "", **request: Any) -> Any:
        """Call an operation of the client, again while the store is unavailable; raises `StoreError`."""
        return self.attempt(lambda: getattr(self.client, operation)(**request), doing, name)

    def attempt(self, work: Callable[[], Any], doing: str, name: str = "") -> Any:
        """Do what calls the client, again while the store is unavailable; raises `StoreError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        def once() -> Any:
            try:
                return work()
            except (BotoCoreError, ClientError, OSError) as error:
                raise store_error(error, self.copy, self.where(name), doing) from error

        return self.patience.call(once)

    def keeps_versions(self) -> bool:
        """Tell whether the bucket keeps versions, and the key may see them."""
        if self._versions is None:
            self._versions = self._sees_versions()
        return self._versions

    def _sees_versions(self) -> bool:
        try:
            answer = self.ask("get_bucket_versioning", "looking at", Bucket=self._bucket)
        except StoreUnavailable:
            raise
        except StoreError:
            # A key that may list them need not be told whether there are any.
            try:
                self.ask(
                    "list_object_versions",
                    "listing the versions of",
                    Bucket=self._bucket,
                    Prefix=self._prefix,
                    MaxKeys=1,
                )
            except StoreUnavailable:
                raise
            except StoreError:
                return False
            return True
        return answer.get("Status") in ("Enabled", "Suspended")

    def entries(self, under: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield the objects by name; of each the first version."""
        prefix = self._prefix + (f"{under.rstrip('/')}/" if under else "")
        pages = self._pages_of_versions if self.keeps_versions() else self._pages
        for found in pages(prefix, self._prefix + after if after else ""):
            name = found.name[len(self._prefix) :]
            if name > after and not name.endswith("/"):  # some make an object of each folder
                yield replace(found, name=name)

    def _pages(self, prefix: str, after: str) -> Iterator[StoredObject]:
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": _PAGE}
        if after:
            request["StartAfter"] = after
        while True:
            page = self.ask("list_objects_v2", "listing", **request)
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["Size"], entry["LastModified"])
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = _next(page, "NextContinuationToken")

    def _pages_of_versions(self, prefix: str, after: str) -> Iterator[StoredObject]:
        for key, versions in groupby(self._all_versions(prefix, after), key=lambda entry: str(entry["Key"])):
            history = list(versions)  # the newest first, as the store has them
            real = [entry for entry in history if "Size" in entry]
            if real:
                first = real[-1]
                yield StoredObject(
                    key,
                    first["Size"],
                    first["LastModified"],
                    first["VersionId"],
                    later=history.index(first),
                    current=bool(first.get("IsLatest")),
                )

    def _all_versions(self, prefix: str, after: str) -> Iterator[dict[str, Any]]:
        """Yield versions and removals in the order of keys, those of one key from new to old."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": _PAGE}
        if after:
            request["KeyMarker"] = after
        while True:
            page = self.ask("list_object_versions", "listing the versions of", **request)
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            # Both lists are in order; sorting keeps that of versions of one key among each other.
            entries.sort(key=lambda entry: entry["Key"])
            for _key, same in groupby(entries, key=lambda entry: entry["Key"]):
                yield from _newest_first(list(same))
            if not page.get("IsTruncated"):
                return
            request["KeyMarker"] = _next(page, "NextKeyMarker")
            request["VersionIdMarker"] = page.get("NextVersionIdMarker", "")

    def facts(self, name: str) -> StoredObject | None:
        """Look at one object; in a bucket with versions at the first one."""
        if self.keeps_versions():
            try:
                found = next(self._pages_of_versions(self._prefix + name, ""), None)
            except StoreRefused:
                found = None
            if found is not None and found.name == self._prefix + name:
                return replace(found, name=name)
        head = self.head(name)
        if head is None:
            return None
        return StoredObject(name, head["ContentLength"], head["LastModified"], head.get("VersionId"))

    def head(self, name: str, version: str | None = None) -> Any:
        """Return the headers of an object; None when it is not there."""
        from botocore.exceptions import BotoCoreError, ClientError

        request = {**self.key(name), **({"VersionId": version} if version else {})}

        def once() -> Any:
            try:
                return self.client.head_object(**request)
            except (BotoCoreError, ClientError, OSError) as error:
                if is_absent(error):
                    return None
                raise store_error(error, self.copy, self.where(name), "looking at") from error

        return self.patience.call(once)

    def open(self, wanted: StoredObject, offset: int = 0) -> Reader:
        """Begin to read an object; one attempt, see `patience.SteadyReader`."""
        from botocore.exceptions import BotoCoreError, ClientError

        request: dict[str, Any] = self.key(wanted.name)
        if wanted.version is not None:
            request["VersionId"] = wanted.version
        if offset:
            request["Range"] = f"bytes={offset}-"
        try:
            answer = self.client.get_object(**request)
        except (BotoCoreError, ClientError, OSError) as error:
            raise store_error(error, self.copy, self.where(wanted.name), "reading") from error
        return _S3Reader(
            answer["Body"], lambda error: store_error(error, self.copy, self.where(wanted.name), "reading")
        )

    def arrival(self, place: str, meter: Meter) -> Arrival:
        """Send objects one by one: the manifest, which is the last, makes the backup exist."""
        return S3Arrival(self, place, meter)

    def clear_arrivals(self, under: str, going_on: Container[str], before: datetime) -> Sequence[str]:
        """Give up the uploads that are noted here; those that nobody has noted are for a rule of the bucket."""
        notes = self.notes.below(under)
        left = [name for name in notes if name.rpartition("/")[0] not in going_on]
        for name in left:
            give_up(self, name)
        return [self.where(name) for name in left if upload_noted(notes[name]) is not None]

    def remove(self, place: str, objects: Sequence[StoredObject]) -> None:
        """Remove the manifest before all else, and versions where there are any, or nothing would be freed.

        What was written later under a name goes before the first version: it must never become the first one itself.
        """
        ordered = sorted(objects, key=lambda entry: not entry.name.endswith("/manifest.json"))
        later = self._later_versions(place, {entry.name for entry in ordered if entry.version})
        first = [entry for entry in ordered[:1] for entry in (*later.get(entry.name, ()), entry)]
        rest = [entry for entry in ordered[1:] for entry in (*later.get(entry.name, ()), entry)]
        for group in (first, *(rest[start : start + _PAGE] for start in range(0, len(rest), _PAGE))):
            if group:
                self._remove(group)

    def _later_versions(self, place: str, names: set[str]) -> dict[str, list[StoredObject]]:
        """Return what came after the first version of these files of a backup, removals too."""
        found: dict[str, list[StoredObject]] = {}
        if names:
            first = {entry.name: entry.version for entry in self.entries(place)}
            for entry in self._all_versions(f"{self._prefix}{place}/", ""):
                name, version = entry["Key"][len(self._prefix) :], entry["VersionId"]
                if name in names and version != first.get(name):
                    found.setdefault(name, []).append(StoredObject(name, entry.get("Size", 0), version=version))
        return found

    def _remove(self, objects: Sequence[StoredObject]) -> None:
        keys = [
            {"Key": self._prefix + entry.name, **({"VersionId": entry.version} if entry.version else {})}
            for entry in objects
        ]
        answer = self.ask(
            "delete_objects", "removing from", objects[0].name, Bucket=self._bucket, Delete={"Objects": keys}
        )
        for fault in answer.get("Errors", ()):
            name = str(fault.get("Key", ""))[len(self._prefix) :]
            raise StoreRefused(
                f"copy {self.copy.name}: removing {self.where(name)}: {fault.get('Code')}, {fault.get('Message')}; it "
                "is still there"
            )

    def locked_until(self, wanted: StoredObject) -> datetime | None:
        """Return until when the object is locked; raises `StoreRefused` when the key may not see it."""
        head = self.head(wanted.name, wanted.version)
        until = head.get("ObjectLockRetainUntilDate") if head else None
        return until if isinstance(until, datetime) else None

    def rights(self) -> list[Right]:
        """Look only: heads of what is not there, a listing of one, the bucket's settings."""
        nothing = "rights-are-looked-at-without-writing"
        read = self._seen("read", "head_object", absent_is=YES, **self.key(nothing))
        listing = self._seen("list", "list_objects_v2", Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        if (read.known, listing.known) == (NO, NO):  # who may not list is not told that something is not there
            read = Right("read", UNKNOWN, "not seen by a key that may not list")
        return [
            read,
            listing,
            Right("write", UNKNOWN, "seen with the first backup; nothing is written to try"),
            self._versions_right(),
            self._lock_right(),
            Right("remove", UNKNOWN, "a key of a host that makes backups should not have it"),
        ]

    def policy(self) -> str | None:
        """Return the policy of a key that can add backups, and neither read nor remove any."""
        objects = f"arn:aws:s3:::{self._bucket}/{self._prefix}*"
        actions = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": actions, "Resource": objects}]
        if self.copy.place["lock"]["days"] is not None:
            statements[0]["Action"].append("s3:PutObjectRetention")
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)

    def requests_for(self, size: int) -> int:
        """Return the number of parts."""
        return parts_of(size, self.copy.place["max_parts"])

    def _seen(self, name: str, operation: str, *, absent_is: str = NO, **request: Any) -> Right:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            getattr(self.client, operation)(**request)
        except (BotoCoreError, ClientError, OSError) as error:
            if is_absent(error) and absent_is == YES:
                return Right(name, YES)
            if is_refused(error) and not is_key_refused(error):
                return Right(name, NO)
            raise store_error(error, self.copy, self.where(), "looking at the rights in") from error
        return Right(name, YES)

    def _versions_right(self) -> Right:
        try:
            answer = self.ask("get_bucket_versioning", "looking at", Bucket=self._bucket)
        except StoreUnavailable:
            raise
        except StoreError:
            return Right("versions", UNKNOWN, "the key may not see whether the bucket keeps versions")
        if answer.get("Status") == "Enabled":
            return Right("versions", YES, "what is written again or removed can still be read as it was first")
        return Right("versions", NO, "turn versioning on: else whoever has the key can replace backups")

    def _lock_right(self) -> Right:
        try:
            answer = self.ask("get_object_lock_configuration", "looking at", Bucket=self._bucket)
        except StoreUnavailable:
            raise
        except StoreRefused:
            return Right("lock", UNKNOWN, "the key may not see whether the bucket locks")
        except StoreError:
            return Right("lock", NO, "the bucket locks nothing")
        rule = answer.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
        if not rule:
            return Right("lock", NO, "the bucket can lock, and has no default retention")
        period = f"{rule['Days']} days" if rule.get("Days") else f"{rule.get('Years')} years"
        return Right("lock", YES, f"default retention: {rule.get('Mode')}, {period}")

    def close(self) -> None:
        """Close the connections."""
        if hasattr(self.client, "close"):  # since 1.29
            self.client.close()


class _S3Reader:
    """The body of an answer, with errors of ours."""

    def __init__(self, body: Any, error_of: Callable[[Exception], StoreError]) -> None:
        self._body = body
        self._error_of = error_of

    def read(self, size: int) -> bytes:
        from botocore.exceptions import BotoCoreError

        try:
            return bytes(self._body.read(size))
        except (BotoCoreError, OSError) as error:
            raise self._error_of(error) from error
        except Exception as error:  # urllib3's own come through older ones
            if type(error).__module__.startswith("urllib3"):
                raise self._error_of(error) from error
            raise

    def close(self) -> None:
        self._body.close()


def _newest_first(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put versions and removals of one key together, which the store tells apart, by the times that it gives."""
    versions = [entry for entry in entries if "Size" in entry]
    markers = [entry for entry in entries if "Size" not in entry]
    if not markers:
        return versions
    # Among themselves versions stay as they came: two of the same second are told apart by that alone.
    merged: list[dict[str, Any]] = []
    for entry in versions:
        while markers and markers[0]["LastModified"] >= entry["LastModified"]:
            merged.append(markers.pop(0))
        merged.append(entry)
    return merged + markers


def _next(page: Any, key: str) -> str:
    marker = page.get(key)
    if not isinstance(marker, str) or not marker:
        raise StoreError("the store says that its list goes on, and not from where; nothing is done with half a list")
    return marker
