# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller of the tests knows of each kind of object: fields, what they refer to, lists of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of object; `fields` have their defaults, other fields are ignored, as the controller does."""

    type: str
    fields: Mapping[str, Any]
    references: Mapping[str, str] = field(default_factory=dict)  # field -> kind that it names
    lists: Mapping[str, str] = field(default_factory=dict)  # sublist -> kind of what is in it
    required: tuple[str, ...] = ("name",)
    unique: tuple[str, ...] = ("name", "organization")
    owned: tuple[str, ...] = ()  # fields whose object takes this one with it when it is deleted


_NAMED: Mapping[str, Any] = {"name": None, "description": ""}
_ORGANIZED = {**_NAMED, "organization": None}
_TOLD = {f"notification_templates_{when}": "notification_templates" for when in ("started", "success", "error")}
_ASKS = {
    f"ask_{what}_on_launch": False
    for what in (
        *("variables", "limit", "tags", "skip_tags", "job_type", "verbosity", "inventory", "credential", "diff_mode"),
        *("execution_environment", "forks", "job_slice_count", "labels", "timeout", "instance_groups", "scm_branch"),
    )
}
_LAUNCH: Mapping[str, Any] = {
    **{"inventory": None, "execution_environment": None, "extra_data": {}, "scm_branch": None, "job_type": None},
    **{"job_tags": None, "skip_tags": None, "limit": None, "diff_mode": None, "verbosity": None},
}
_LAUNCH_REFERENCES = {"inventory": "inventories", "execution_environment": "execution_environments"}

KINDS: Mapping[str, Kind] = {
    "organizations": Kind("organization", _NAMED, unique=("name",)),
    "execution_environments": Kind(
        "execution_environment",
        {**_ORGANIZED, "image": None, "pull": "", "credential": None},
        {"organization": "organizations", "credential": "credentials"},
        required=("name", "image"),
        unique=("name",),
    ),
    "credential_types": Kind(
        "credential_type",
        {**_NAMED, "kind": None, "managed": False, "inputs": {}, "injectors": {}},
        required=("name", "kind"),
        unique=("name", "kind"),
    ),
    "credentials": Kind(
        "credential",
        {**_ORGANIZED, "credential_type": None, "inputs": {}},
        {"organization": "organizations", "credential_type": "credential_types"},
        required=("name", "credential_type"),
        unique=("name", "organization", "credential_type"),
        owned=("credential_type", "organization"),
    ),
    "projects": Kind(
        "project",
        {
            **_ORGANIZED,
            **{
                "scm_type": "",
                "scm_url": "",
                "scm_branch": "",
                "scm_refspec": "",
                "scm_clean": False,
                "credential": None,
            },
            **{"scm_update_on_launch": False, "scm_update_cache_timeout": 0, "allow_override": False, "timeout": 0},
            **{"default_environment": None, "scm_revision": "", "scm_delete_on_update": False},
        },
        {
            **{"organization": "organizations", "credential": "credentials"},
            "default_environment": "execution_environments",
        },
        _TOLD,
    ),
    "project_updates": Kind(
        "project_update", {"project": None, "status": "successful", "scm_revision": ""}, required=()
    ),
    "inventories": Kind(
        "inventory",
        {**_ORGANIZED, "kind": "", "host_filter": None, "variables": "", "prevent_instance_group_fallback": False},
        {"organization": "organizations"},
        required=("name", "organization"),
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **_NAMED,
            **{"inventory": None, "source": "", "source_path": "", "source_vars": "", "source_project": None},
            **{"overwrite": False, "overwrite_vars": False, "update_on_launch": False, "update_cache_timeout": 0},
            **{"execution_environment": None, "credential": None, "timeout": 0, "verbosity": 1},
        },
        {
            **{"inventory": "inventories", "source_project": "projects"},
            **{"execution_environment": "execution_environments", "credential": "credentials"},
        },
        _TOLD,
        required=("name", "inventory", "source"),
        unique=("name", "inventory"),
        owned=("inventory",),
    ),
    "notification_templates": Kind(
        "notification_template",
        {**_ORGANIZED, "notification_type": None, "notification_configuration": {}, "messages": None},
        {"organization": "organizations"},
        required=("name", "organization", "notification_type"),
    ),
    "job_templates": Kind(
        "job_template",
        {
            **_NAMED,
            **{"project": None, "playbook": "", "inventory": None, "execution_environment": None, "job_type": "run"},
            **{
                "forks": 0,
                "limit": "",
                "verbosity": 0,
                "extra_vars": "",
                "job_tags": "",
                "skip_tags": "",
                "timeout": 0,
            },
            **{"use_fact_cache": False, "survey_enabled": False, "become_enabled": False, "diff_mode": False},
            **{"allow_simultaneous": False, "job_slice_count": 1, "scm_branch": "", **_ASKS},
        },
        {
            **{"project": "projects", "inventory": "inventories"},
            "execution_environment": "execution_environments",
        },
        {"credentials": "credentials", **_TOLD},
        unique=("name",),
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **_ORGANIZED,
            **{
                "extra_vars": "",
                "survey_enabled": False,
                "allow_simultaneous": False,
                "limit": None,
                "inventory": None,
            },
            **{key: _ASKS[key] for key in _ASKS if key.split("_")[1] in ("variables", "limit", "inventory", "tags")},
        },
        {"organization": "organizations", "inventory": "inventories"},
        {**_TOLD, "notification_templates_approvals": "notification_templates"},
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            **{"identifier": None, "workflow_job_template": None, "unified_job_template": None},
            **{"all_parents_must_converge": False, **_LAUNCH},
        },
        {
            **{"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
            **_LAUNCH_REFERENCES,
        },
        {
            **{f"{when}_nodes": "workflow_job_template_nodes" for when in ("success", "failure", "always")},
            "credentials": "credentials",
        },
        required=("identifier", "workflow_job_template"),
        unique=("identifier", "workflow_job_template"),
        owned=("workflow_job_template",),
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {**_NAMED, "timeout": 0}, unique=("id",)),
    "schedules": Kind(
        "schedule",
        {**_NAMED, "rrule": "", "unified_job_template": None, "enabled": True, **_LAUNCH},
        {"unified_job_template": "unified_job_templates", **_LAUNCH_REFERENCES},
        required=("name", "rrule", "unified_job_template"),
        unique=("name", "unified_job_template"),
        owned=("unified_job_template",),
    ),
    "tokens": Kind("o_auth2_access_token", {"description": "", "scope": "write", "token": ""}, required=()),
}
# What can be launched, whose ids are one row of numbers.
UNIFIED = (
    *("projects", "inventory_sources", "job_templates", "workflow_job_templates"),
    "workflow_approval_templates",
)

# For each type of notification the fields of its configuration: (type, default), where ... means that it must be given.
NOTIFICATIONS: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "webhook": {
        **{"url": ("string", ...), "http_method": ("string", "POST"), "disable_ssl_verification": ("bool", False)},
        **{"username": ("string", ""), "password": ("password", ""), "headers": ("object", ...)},
    },
    "slack": {"token": ("password", ...), "channels": ("list", ...), "hex_color": ("string", "")},
}
