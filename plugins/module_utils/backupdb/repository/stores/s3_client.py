# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of S3: boto3's low-level one, made from a copy's options and from nothing else, and what its errors mean.

Variables such as AWS_PROFILE, AWS_CA_BUNDLE, AWS_ENDPOINT_URL or HTTPS_PROXY, and files of whoever starts the process,
decide nothing. Without an access key it is the ambient role: that of the machine, the container or the web identity.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ...errors import InvalidOption, RequirementMissing, StoreError, StoreFull, StoreRefused, StoreUnavailable
from ...system.text import human_duration, utc_now
from .settings import CopySettings

_CONNECT_TIMEOUT = 10  # seconds
_READ_TIMEOUT = 60  # seconds
_AT_ONCE = 16  # connections
# How a role of the surroundings is found; all else that boto reads from the environment is hidden from it.
_AMBIENT = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
)
_HIDDEN_PREFIXES = ("AWS_", "BOTO", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NOT_THERE = ("404", "NoSuchKey", "NotFound", "NoSuchVersion")
_BUSY = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded")
_FULL = ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "InsufficientCapacity")
_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed")


def make_client(copy: CopySettings) -> Any:
    """Return a client; raises `RequirementMissing` without boto3, and `InvalidOption`."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise RequirementMissing(
            f"copy {copy.name} is of type s3, which needs the Python library boto3 1.26 or newer: install python3-boto3"
            " on this host",
            library="boto3",
        ) from error
    place = copy.place
    if place["ca_cert"] is not None and not Path(place["ca_cert"]).is_file():
        raise InvalidOption(f"copy {copy.name}: ca_cert {place['ca_cert']} is not a file on this host")
    with _plain_environment():
        try:
            client = boto3.session.Session().client(
                "s3",
                endpoint_url=place["endpoint"],
                region_name=place["region"] or "us-east-1",
                aws_access_key_id=copy.secrets.get("access_key_id"),
                aws_secret_access_key=copy.secrets.get("secret_access_key"),
                aws_session_token=copy.secrets.get("session_token"),
                verify=place["ca_cert"] or True,
                config=_config(Config, place),
            )
        except (BotoCoreError, ValueError) as error:
            raise InvalidOption(f"copy {copy.name}: {error}") from error
    return client


class OnlyIfNew:
    """Lets every request that makes an object ask for it only where there is none; older clients have no option for it.

    A store that does not know the condition is asked without it from then on: names hold a random run id, so nothing
    rests on this alone.
    """

    def __init__(self, client: Any) -> None:
        self.wanted = True
        for operation in ("PutObject", "CompleteMultipartUpload"):
            client.meta.events.register(f"before-sign.s3.{operation}", self._add)

    def _add(self, request: Any, **_more: Any) -> None:
        if self.wanted:
            request.headers["If-None-Match"] = "*"

    def is_unknown(self, error: Exception) -> bool:
        """Tell whether the store does not know the condition; it is then left out."""
        unknown = self.wanted and (_code(error) == "NotImplemented" or _status(error) == 501)
        self.wanted = self.wanted and not unknown
        return unknown


def _config(config: Any, place: Mapping[str, Any]) -> Any:
    options: dict[str, Any] = {
        "signature_version": "s3v4",
        "s3": {"addressing_style": place["addressing"]},
        "retries": {"max_attempts": 0},  # trying again is for `patience`, which knows how long
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _READ_TIMEOUT,
        "max_pool_connections": _AT_ONCE,
        "proxies": {scheme: place["proxy"] for scheme in ("http", "https")} if place["proxy"] else {},
    }
    # Newer ones add a checksum of another kind to everything, which stores other than Amazon's may refuse.
    quiet = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
    try:
        return config(**options, **quiet)
    except TypeError:  # before 1.36
        return config(**options)


@contextmanager
def _plain_environment() -> Iterator[None]:
    """Hide what boto reads while a client is made; it looks at it then and never again."""
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(_HIDDEN_PREFIXES) and name not in _AMBIENT
    }
    own = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]
        os.environ.update(hidden)


def is_absent(error: Exception) -> bool:
    """Tell whether an error of the client says that there is no such thing."""
    return _code(error) in _NOT_THERE


def is_there_already(error: Exception) -> bool:
    """Tell whether an error says that something by this name was there, so that nothing was written."""
    return _code(error) in ("PreconditionFailed", "412", "ConditionalRequestConflict")


def is_forgotten(error: Exception) -> bool:
    """Tell whether an error says that an upload in parts is over: it was made an object, or removed."""
    return _code(error) == "NoSuchUpload"


def is_refused(error: Exception) -> bool:
    """Tell whether an error says that the key has no right to do this."""
    return _status(error) == 403 or _code(error) in ("AccessDenied", "403", *_KEY)


def is_key_refused(error: Exception) -> bool:
    """Tell whether an error says that the key itself is wrong."""
    return _code(error) in _KEY


def store_error(error: Exception, copy: CopySettings, where: str, doing: str) -> StoreError:
    """Say what an error of the client means, and what to do."""
    from botocore import exceptions as boto

    begin = f"copy {copy.name}: {doing} {where}"
    if isinstance(error, boto.ClientError):
        return _answer(error, copy, begin)
    if isinstance(error, boto.SSLError):
        return StoreRefused(f"{begin}: the server's certificate is not trusted; set ca_cert ({_short(error)})")
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)):
        return StoreRefused(
            f"{begin}: there is no access key, and this machine has no role of its own; put access_key_id and "
            f"secret_access_key into the credentials, under copies.{copy.name}"
        )
    if isinstance(error, (boto.ParamValidationError, boto.InvalidRegionError)):
        return StoreError(f"{begin}: {_short(error)}")
    return StoreUnavailable(f"{begin}: {_short(error)}")


def _answer(error: Exception, copy: CopySettings, begin: str) -> StoreError:
    code, status = _code(error), _status(error)
    response = _response(error)
    words = str(response.get("Error", {}).get("Message") or "")[:200]
    said = f"{code}{f', {words}' if words and words != code else ''}"
    if code == "RequestTimeTooSkewed":
        return StoreRefused(f"{begin}: the clocks differ{_skew(response)}; set this host's clock ({said})")
    if code in _KEY:
        return StoreRefused(f"{begin}: the key is not accepted ({said}); look at the credentials, copies.{copy.name}")
    if code == "NoSuchBucket":
        return StoreRefused(f"{begin}: there is no bucket {copy.place['bucket']}; make it, or mend the option bucket")
    if code == "EntityTooLarge":
        return StoreError(f"{begin}: the store takes no file of this size ({said}); set object_limit to what it takes")
    if code in _FULL or status == 507:
        return StoreFull(f"{begin}: the store is full, or over its quota ({said}); make room there")
    if is_refused(error):
        return StoreRefused(f"{begin}: the key has no right to do this ({said}); see the rights in check mode")
    if code in _BUSY or status >= 500 or status == 429:
        # A server of one's own says no other thing when its disk is full.
        full = ", or its disk is full" if code == "InternalError" else ""
        return StoreUnavailable(f"{begin}: the store is busy or broken{full} ({said})")
    return StoreError(f"{begin}: {said}")


def _skew(response: Mapping[str, Any]) -> str:
    """Say how far the clocks are apart, by the date of the answer."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        theirs: datetime = parsedate_to_datetime(date)
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return ""
    seconds = (utc_now() - theirs).total_seconds()
    return f": this host's is {human_duration(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the store's"


def _code(error: Exception) -> str:
    return str(_response(error).get("Error", {}).get("Code", ""))


def _status(error: Exception) -> int:
    status = _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status if isinstance(status, int) else 0


def _response(error: Exception) -> Mapping[str, Any]:
    """Return what the store has answered; nothing where the connection failed, whose errors have an empty response."""
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else {}


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
