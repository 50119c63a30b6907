# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A completion for bash, made from the parser: commands, options, their choices, names of jobs, files and folders."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from ..jobs.options import CONFIG_DIR
from .words import arguments_of, commands_of, options_of, value_of

_FRAME = r"""# Completion of backupdb for bash, made from its options; `backupdb help --bash-completion` prints it.
_backupdb_jobs() {
  local folder=@CONFIG_DIR@ number
  for ((number = 1; number < COMP_CWORD; number++)); do
    [ "${COMP_WORDS[number]}" = --config-dir ] && folder=${COMP_WORDS[number + 1]}
  done
  cd -- "$folder/jobs.d" 2>/dev/null || return
  for file in *.json; do
    case $file in *[!a-z0-9_.-]*) ;; *) printf '%s\n' "${file%.json}" ;; esac # compgen would expand what is no name
  done
}

_backupdb_paths() { # -f for files, -d for folders
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_backupdb_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

_backupdb() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' number
  COMPREPLY=()
  for ((number = 1; number < COMP_CWORD; number++)); do
    case ${COMP_WORDS[number]} in
      @COMMANDS@) command=${COMP_WORDS[number]}; break ;;
    esac
  done
  case "$command $before" in
@VALUES@
  esac
  case "$command $current" in
@OPTIONS@
  esac
  case $command in
@ARGUMENTS@
  esac
}
complete -F _backupdb backupdb
"""
_NOTHING = "return"


def bash_completion(parser: argparse.ArgumentParser) -> str:
    """Return the script; the same parser gives the same text."""
    commands = commands_of(parser)
    parts = {
        "@COMMANDS@": "|".join(commands),
        "@VALUES@": "\n".join(line for name in commands for line in _values(name, commands[name])),
        "@OPTIONS@": "\n".join(line for name in commands for line in _options(name, commands[name])),
        "@ARGUMENTS@": "\n".join(
            [f"    '') _backupdb_words {shlex.quote(' '.join([*commands, '--help', '--version']))} ;;"]
            + [line for name in commands for line in _arguments(name, commands[name])]
        ),
        "@CONFIG_DIR@": CONFIG_DIR,
    }
    text = _FRAME
    for name, lines in parts.items():
        text = text.replace(name, lines)
    return text


def _values(command: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield what completes the value of each option; an option whose value cannot be guessed completes nothing."""
    for action in options_of(parser):
        if value_of(action) is None:
            continue
        names = "|".join(shlex.quote(f"{command} {name}") for name in action.option_strings)
        yield (
            f"    {names}) {_completed(action)}; return ;;"
            if _completed(action) != _NOTHING
            else f"    {names}) return ;;"
        )


def _options(command: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    words = " ".join(name for action in options_of(parser) for name in action.option_strings)
    yield f"    '{command} -'*) _backupdb_words {shlex.quote(words)}; return ;;"


def _arguments(command: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in arguments_of(parser):
        if _completed(action) != _NOTHING:
            yield f"    {command}) {_completed(action)} ;;"
            return  # what comes after the first is not told apart


def _completed(action: argparse.Action) -> str:
    if action.choices:
        return f"_backupdb_words {shlex.quote(' '.join(map(str, action.choices)))}"
    value = str(value_of(action)).upper()
    if value == "JOB":
        return '_backupdb_words "$(_backupdb_jobs)"'
    if value == "FILE":
        return "_backupdb_paths -f"
    if value in ("FOLDER", "REPOSITORY", "BACKUP"):
        return "_backupdb_paths -d"
    return _NOTHING
