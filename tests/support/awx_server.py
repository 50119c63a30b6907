# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on this machine that answers like the API of AWX 24.6.1, and remembers what was asked of it."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.awx_kinds import KINDS
from support.awx_objects import API, Objects, Refused, Stored

VERSION = "24.6.1"
USER, PASSWORD = "admin", "the password of the controller"
TOKEN = "a-token-made-by-hand"
PAGE = 25  # objects, as AWX has it

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Asked:
    """One request that may have changed something."""

    method: str
    path: str
    body: Mapping[str, Any]


@dataclass
class Awx:
    """The controller: its objects, and the changes that were asked of it, in order."""

    objects: Objects
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def changes(self) -> list[Asked]:
        """Changes since the last call, without syncs of the project and tokens."""
        found = [one for one in self.asked if not re.search(r"/(update|tokens)/|/tokens/\d+/$", one.path)]
        self.asked.clear()
        return found

    # -- what requests are about

    def answer(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> Answer:
        parts = path.removeprefix(API).strip("/").split("/")
        kind, rest = parts[0], parts[1:]
        if kind not in KINDS and kind != "unified_job_templates":
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if not rest:
            return self._list(kind, query) if method == "GET" else self._create(kind, body)
        one = self.objects.get(kind, int(rest[0]))
        return self._one(method, one, body) if len(rest) == 1 else self._below(method, one, rest[1], query, body)

    def _create(self, kind: str, body: dict[str, Any]) -> Answer:
        if kind == "tokens":
            body = {**body, "token": "a-token-made-by-the-controller"}
        return 201, self.objects.shown(self.objects.create(kind, body))

    def _one(self, method: str, one: Stored, body: dict[str, Any]) -> Answer:
        if method == "DELETE":
            self.objects.delete(one)
            return 204, None
        if method == "PATCH":
            self.objects.change(one, body)
        shown = self.objects.shown(one)
        if one.kind == "project_updates":
            shown.update(failed=False, finished="2026-01-01T00:00:00Z", event_processing_finished=True, elapsed=1.0)
        return 200, shown

    def _below(self, method: str, one: Stored, name: str, query: Mapping[str, str], body: dict[str, Any]) -> Answer:
        if name == "update" and one.kind == "projects" and method == "POST":
            return 202, self.objects.shown(self.objects.update_project(one))
        if name == "survey_spec" and "survey_enabled" in one.fields:
            if method == "GET":
                return 200, one.survey
            if method == "DELETE":
                one.survey = {}
            else:
                self.objects.set_survey(one, body)
            return 200, None
        if name == "create_approval_template" and one.kind == "workflow_job_template_nodes":
            approval = self.objects.create("workflow_approval_templates", body)
            one.fields["unified_job_template"] = approval.id
            return 201, self.objects.shown(approval)
        if name not in KINDS[one.kind].lists:
            raise Refused(404, {"detail": "Not found."})
        if method == "POST":
            self.objects.associate(one, name, body)
            return 204, None
        return self._page([self.objects.all[number] for number in one.lists.get(name, [])], query, f"{one.url}{name}/")

    def _list(self, kind: str, query: Mapping[str, str]) -> Answer:
        filters = {key: value for key, value in query.items() if key not in ("page", "page_size")}
        either = {key.removeprefix("or__"): filters.pop(key) for key in [*filters] if key.startswith("or__")}
        found = [one for one in self.objects.of(kind) if all(self._fits(one, *each) for each in filters.items())]
        if either:
            found = [one for one in found if any(self._fits(one, *each) for each in either.items())]
        return self._page(found, query, f"{API}{kind}/")

    def _fits(self, one: Stored, key: str, wanted: str) -> bool:
        name, _between, operator = key.partition("__")
        if name not in ("id", "type", "organization") and name not in one.fields:
            raise Refused(400, {"detail": f"{KINDS[one.kind].type} has no field named '{name}'"})
        special = {"id": one.id, "type": KINDS[one.kind].type, "organization": self.objects.organization_of(one)}
        value = special[name] if name in special else one.fields[name]
        if operator == "name":
            return bool(value) and str(self.objects.all[value].fields["name"]) == wanted
        if operator == "contains":
            return wanted in str(value)
        if operator:
            raise Refused(400, {"detail": f"unknown lookup {operator}"})
        return str(value) == wanted

    def _page(self, found: list[Stored], query: Mapping[str, str], path: str) -> Answer:
        size, page = int(query.get("page_size", PAGE)), int(query.get("page", 1))
        shown = [self.objects.shown(one) for one in found[(page - 1) * size : page * size]]
        others = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
        following = f"{path}?{others}&page={page + 1}" if page * size < len(found) else None
        return 200, {"count": len(found), "next": following, "previous": None, "results": shown}

    def knows(self, authorization: str) -> bool:
        tokens = {TOKEN, *(one.fields["token"] for one in self.objects.of("tokens"))}
        kind, _space, value = authorization.partition(" ")
        given = base64.b64decode(value).decode() if kind == "Basic" else value
        return given == f"{USER}:{PASSWORD}" if kind == "Basic" else given in tokens


def _handler(awx: Awx) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            where = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            with awx.lock:
                if not awx.knows(self.headers.get("Authorization", "")):
                    status, said = 401, {"detail": "Authentication credentials were not provided."}
                else:
                    status, said = self._answer(where.path, dict(parse_qsl(where.query, keep_blank_values=True)), body)
            text = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", VERSION)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _answer(self, path: str, query: Mapping[str, str], body: dict[str, Any]) -> Answer:
            if self.command != "GET":
                awx.asked.append(Asked(self.command, path, body))
            try:
                return awx.answer(self.command, path, query, body)
            except Refused as refused:
                return refused.status, refused.body

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


@contextmanager
def awx_controller(playbooks: Iterable[str]) -> Iterator[Awx]:
    """Run a controller while the block lasts, as a new one is: two organizations, the built-in types of credentials."""
    objects = Objects(playbooks)
    for name in ("Default", "Other"):
        objects.create("organizations", {"name": name})
    inputs = {
        "fields": [{"id": "username"}, {"id": "ssh_key_data", "secret": True}, {"id": "password", "secret": True}]
    }
    for name, kind in (("Machine", "ssh"), ("Source Control", "scm")):
        objects.create("credential_types", {"name": name, "kind": kind, "managed": True, "inputs": inputs})
    awx = Awx(objects)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(awx))
    awx.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield awx
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
