"""Draw the tables as a Mermaid diagram in the README: `python -m storage_service.diagram` brings it up to date.

It is computed from the SQLAlchemy tables, what their columns are for included, so it cannot say what the code does not.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from sqlalchemy import Column
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import mysql

from storage_service import idempotency_table, upload_batch_tables  # noqa: F401  # their tables are drawn, too
from storage_service.tables import Table

README = Path(__file__).resolve().parents[2] / "README.md"
_DRAWING = re.compile(r"```mermaid\nerDiagram\n.*?```\n", re.DOTALL)


def main() -> None:
    """Write the diagram into a README that has one already, stale or not."""
    parser = argparse.ArgumentParser(
        prog="python -m storage_service.diagram",
        description="Bring the entity-relationship diagram in storage-service's README up to date.",
    )
    parser.add_argument("readme", type=Path, nargs="?", default=README, help="the file (default: %(default)s)")
    readme: Path = parser.parse_args().readme
    text = readme.read_text(encoding="utf-8")
    if not _DRAWING.search(text):
        sys.exit(f"{readme} has no block that begins with ```mermaid and erDiagram")
    readme.write_text(with_diagram(text), encoding="utf-8")
    sys.stdout.write(f"The diagram in {readme} is up to date.\n")


def with_diagram(text: str) -> str:
    """Return the text with its diagram replaced by the one of the tables as they are."""
    return _DRAWING.sub(lambda _: f"```mermaid\n{diagram()}\n```\n", text)


def diagram() -> str:
    """Return the tables as Mermaid's erDiagram: relations, then each table's columns with types and keys."""
    tables = Table.metadata.sorted_tables
    lines = ["erDiagram"]
    lines += [line for table in tables for line in _relations(table)]
    for table in tables:
        lines += [f"    {table.name} {{", *(f"        {_attribute(column)}" for column in table.columns), "    }"]
    return "\n".join(lines)


def _relations(table: SqlTable) -> list[str]:
    lines = []
    for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
        one = "|o" if key.parent.nullable else "||"
        many = "o|" if key.parent.unique else "o{"
        lines.append(f'    {key.column.table.name} {one}--{many} {table.name} : "{key.parent.name}"')
    return lines


def _attribute(column: Column[object]) -> str:
    keys = [
        mark
        for mark, applies in (
            ("PK", column.primary_key),
            ("FK", bool(column.foreign_keys)),
            ("UK", bool(column.unique)),
        )
        if applies
    ]
    notes = [str(column.info.get("about", "")), "null allowed" if column.nullable else ""]
    note = "; ".join(note for note in notes if note)
    parts = [_type(column), column.name, ", ".join(keys), f'"{note}"' if note else ""]
    return " ".join(part for part in parts if part)


def _type(column: Column[object]) -> str:
    """Return MySQL's type as Mermaid takes it, which knows no spaces and no commas: `varchar(64)`."""
    return re.sub(r"[^a-z0-9()]+", "_", column.type.compile(mysql.dialect()).lower())


if __name__ == "__main__":
    main()
