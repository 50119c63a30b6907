# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the code base that no linter knows: who may name an engine, and what a room looks like.

Which room may import which is said in pyproject.toml, under `tool.importlinter`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.engines.names import ENGINE_NAMES

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
LIBRARY = PLUGINS / "module_utils" / "backupdb"
ENGINES = LIBRARY / "engines"
ENGINE_ROOMS = sorted(path.parent.name for path in ENGINES.glob("*/__init__.py"))
ENGINE_NAME = re.compile("|".join(["postgres", *ENGINE_NAMES, *ENGINE_ROOMS]), re.IGNORECASE)
# What Ansible reads as YAML: options and examples are explained to people who think of their own server.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
LOOSE_FILES = {"__init__.py", "errors.py", "outcome.py", "version.py"}


def _code_outside_engines() -> list[Path]:
    return sorted(
        path
        for path in PLUGINS.rglob("*.py")
        if ENGINES not in path.parents and PLUGINS / "doc_fragments" not in path.parents
    )


def _rooms() -> list[Path]:
    return sorted({path.parent for path in LIBRARY.rglob("*.py")})


def _name(path: Path) -> str:
    return str(path.relative_to(PLUGINS))


def _words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of each identifier and string that is neither a docstring nor documentation for Ansible."""
    explanations = set(_explanations(tree))
    for node in ast.walk(tree):
        if node in explanations:
            continue
        for field, value in ast.iter_fields(node):
            # Identifiers stand in fields of many names (id, attr, arg, name, module, names); all of them are strings.
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, (str, bytes)) and field != "type_comment":
                    yield getattr(node, "lineno", 0), text if isinstance(text, str) else text.decode(errors="replace")


def _explanations(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in DOCUMENTATION:
            yield statement.value


@pytest.mark.parametrize("path", _code_outside_engines(), ids=_name)
def test_code_outside_the_engines_names_no_engine(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [f"line {line}: {text}" for line, text in sorted(_words(tree)) if ENGINE_NAME.search(text)]
    assert not named, "\n".join(["ask the engine object instead, or the registry for the names", *named])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"""About MySQL."""', []),
        ('def ask():\n    """About MySQL."""', []),
        ('DOCUMENTATION = r"""PostgreSQL"""', []),
        ("x = 1  # only MariaDB", []),
        ('text = "PostgreSQL"', ["PostgreSQL"]),
        ('text = b"mysql"', ["mysql"]),
        ('text = f"{host} runs mysqld"', [" runs mysqld"]),
        ("from .engines import mariadb", ["mariadb"]),
        ("from .engines.mysql import drill", ["engines.mysql"]),
        ("import engines as postgresql", ["postgresql"]),
        ("is_mysql = engine.mysql(mysql=1)", ["is_mysql", "mysql", "mysql"]),
        ("def ask_mysql(mysql): pass", ["ask_mysql", "mysql"]),
    ],
)
def test_an_engine_is_found_wherever_code_names_it(code: str, found: list[str]) -> None:
    words = [text for _line, text in _words(ast.parse(code)) if ENGINE_NAME.search(text)]
    assert sorted(words) == sorted(found)


@pytest.mark.parametrize("contract", ["modules", "protected_modules"])
def test_every_engine_is_in_the_contracts_about_imports(contract: str) -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(rf"^{contract} = (\[\"backupdb\.engines\..*\])$", settings, re.MULTILINE)
    assert sorted(ast.literal_eval(listed)) == [f"backupdb.engines.{room}" for room in ENGINE_ROOMS]


@pytest.mark.parametrize("room", _rooms(), ids=_name)
def test_a_room_says_in_one_docstring_what_it_is_for(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1, "a room's __init__.py holds its docstring and nothing else"


def test_every_file_of_the_library_lies_in_a_room() -> None:
    assert {path.name for path in LIBRARY.glob("*.py")} <= LOOSE_FILES


def test_no_file_and_folder_share_a_name() -> None:
    assert [_name(path) for path in PLUGINS.rglob("*.py") if path.with_suffix("").is_dir()] == []
