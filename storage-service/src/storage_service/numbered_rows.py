"""Insert rows whose numbers the database gives, and say which number each has got.

Of a single row the database says it with the insert; of many it is asked, since MySQL has no RETURNING.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from storage_service.tables import Embedding, Image


def insert_numbered(
    connection: Connection, table: type[Image | Embedding], rows: Sequence[Mapping[str, Any]], *, key: str
) -> dict[Any, int]:
    """Insert rows in few statements, past any session: one for each row, as it does on MySQL, takes most of the time.

    Args:
        connection: Has the transaction.
        table: Has a `seq`.
        rows: At least one, all with the same columns.
        key: Of a column that tells the rows apart.

    Returns:
        The rows' numbers by what they have in that column.
    """
    if len(rows) == 1:
        primary_key: Any = connection.execute(insert(table), rows[0]).inserted_primary_key
        return {rows[0][key]: primary_key.seq}
    connection.execute(insert(table), rows)
    column = getattr(table, key)
    numbered = connection.execute(select(column, table.seq).where(column.in_([row[key] for row in rows])))
    return dict(numbered.all())
