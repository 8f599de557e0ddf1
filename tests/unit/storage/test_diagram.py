"""The schema's picture in the README: of the tables as they are, in words that Mermaid takes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from storage_service.diagram import README, diagram, with_diagram
from storage_service.tables import Table

# Mermaid's grammar of an erDiagram: type, name, keys, comment; relations with their cardinality.
ATTRIBUTE = re.compile(r'        [a-z_][\w()\[\]-]* [a-z_]\w*( (PK|FK|UK)(, (PK|FK|UK))*)?( "[^"]*")?')
RELATION = re.compile(r'    \w+ (\|\||\|o)--(o\{|o\|) \w+ : "[^"]+"')
ENTITY = re.compile(r"    \w+ \{")


def test_the_picture_in_the_readme_is_not_stale() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_diagram(text) == text, "run: python -m storage_service.diagram"
    assert diagram() in text


def test_every_line_is_one_that_mermaid_takes() -> None:
    first, *lines = diagram().splitlines()
    assert first == "erDiagram"
    for line in lines:
        assert line == "    }" or any(kind.fullmatch(line) for kind in (ATTRIBUTE, RELATION, ENTITY)), line
    assert sum(line == "    }" for line in lines) == sum(bool(ENTITY.fullmatch(line)) for line in lines)


def test_every_column_and_relation_is_drawn() -> None:
    drawn = diagram()
    for table in Table.metadata.sorted_tables:
        body = drawn.split(f"    {table.name} {{\n")[1].split("    }")[0]
        assert [line.split()[1] for line in body.splitlines()] == [column.name for column in table.columns]
        for key in table.foreign_keys:
            many = "o|" if key.parent.unique else "o{"
            assert f'{key.column.table.name} ||--{many} {table.name} : "{key.parent.name}"' in drawn


def test_the_command_redraws_a_stale_picture_and_leaves_the_rest(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n```mermaid\nerDiagram\n    old {\n    }\n```\nafter\n```mermaid\nflowchart TD\n```\n")
    command = [sys.executable, "-m", "storage_service.diagram", str(readme)]
    subprocess.run(command, check=True, capture_output=True)
    assert readme.read_text() == f"before\n```mermaid\n{diagram()}\n```\nafter\n```mermaid\nflowchart TD\n```\n"

    readme.write_text("no picture\n")
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "has no block" in refused.stderr
