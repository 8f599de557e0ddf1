"""Count the images of each label without counting: exact at any moment, and no row that all uploads must change.

A transaction adds rows that say by how much it changes a label's count; the count is what was folded before plus all of
those. Now and then a transaction folds them. One at a time does, and nobody waits for it.
"""

from __future__ import annotations

import random

from sqlalchemy import Connection, Select, delete, func, insert, select, union_all, update

from storage_service.tables import LabelChange, LabelTotal

FOLD_CHANCE = 1 / 50
"""Of a transaction; about fifty times as many changes wait as one transaction makes."""
MOST_FOLDED = 5000
GUARD = ""
"""The label of the row that whoever folds has locked; it counts nothing."""


def note(connection: Connection, changes: dict[str, int]) -> None:
    """Change the counts by so much, in the transaction of what changed."""
    rows = [{"label": label, "images": by} for label, by in sorted(changes.items()) if by]
    if not rows:
        return
    connection.execute(insert(LabelChange), rows)
    if random.random() < FOLD_CHANCE:  # noqa: S311  # only spreads the work
        fold(connection)


def fold(connection: Connection) -> int:
    """Add changes to the totals, and return how many; none where another transaction is at it."""
    guard = select(LabelTotal.label).where(LabelTotal.label == GUARD).with_for_update(skip_locked=True)
    if connection.scalar(guard) is None:
        return 0
    waiting = select(LabelChange.seq, LabelChange.label, LabelChange.images).order_by(LabelChange.seq)
    rows = connection.execute(waiting.limit(MOST_FOLDED).with_for_update(skip_locked=True)).all()
    changes: dict[str, int] = {}
    for _, label, images in rows:
        changes[label] = changes.get(label, 0) + images
    for label, by in sorted(changes.items()):
        known = update(LabelTotal).where(LabelTotal.label == label).values(images=LabelTotal.images + by)
        if not connection.execute(known).rowcount:
            connection.execute(insert(LabelTotal).values(label=label, images=by))
    if rows:
        connection.execute(delete(LabelChange).where(LabelChange.seq.in_([row.seq for row in rows])))
    return len(rows)


def counts_statement() -> Select[str, int]:
    """Return what selects every label in use with its count, most images first.

    It is one statement, since each statement sees one state of the database.
    """
    parts = union_all(select(LabelTotal.label, LabelTotal.images), select(LabelChange.label, LabelChange.images))
    part = parts.subquery()
    count = func.sum(part.c.images)
    return select(part.c.label, count).group_by(part.c.label).having(count != 0).order_by(count.desc(), part.c.label)
