"""What finds images, in tables of our own on both databases; counts of labels; who gave the current label.

They take the place of FTS5 and FULLTEXT: neither finds the newest of a million images with a common word without
reading all that have it. What is stored already is indexed here, some images at a time.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from storage_service.migrations.versions.v0001_images_and_analyses import FTS5, FULLTEXT
from storage_service.postings import Indexed
from storage_service.search import distinct_words, search_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PAGE_ROWS = 500
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TERM = sa.String(80).with_variant(mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

IMAGES = sa.table(
    "images",
    *map(sa.column, ("seq", "filename", "label", "label_source", "status", "search_words", "word_count")),
)
ANALYSES = sa.table("analyses", *map(sa.column, ("seq", "image_seq", "kind", "value", "source")))
POSTINGS = sa.table("postings", *map(sa.column, ("word", "seq", "relevance")))


def upgrade() -> None:
    op.add_column("images", sa.Column("label_source", sa.String(16), server_default="model", nullable=False))
    op.create_index("images_created_at", "images", ["created_at"])
    op.create_index("images_label_certainty", "images", ["label", "certainty"])
    op.create_table(
        "postings",
        sa.Column("word", TERM, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("relevance", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("word", "seq", name="postings_pk"),
        sqlite_with_rowid=False,
        **OPTIONS,
    )
    op.create_index("postings_word_relevance", "postings", ["word", "relevance"])
    op.create_table(
        "vocabulary",
        sa.Column("word", TERM, nullable=False),
        sa.PrimaryKeyConstraint("word", name="vocabulary_pk"),
        sqlite_with_rowid=False,
        **OPTIONS,
    )
    op.create_table(
        "label_totals",
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("label", name="label_totals_pk"),
        **OPTIONS,
    )
    op.create_table(
        "label_changes",
        sa.Column("seq", ROW_NUMBER, nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="label_changes_pk"),
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    if _on_sqlite():
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER images_fts_{event}")
        op.execute("DROP TABLE images_fts")
    else:
        op.execute("DROP INDEX images_fulltext ON images")
        # So the column that only a FULLTEXT index needs goes, too.
        op.execute("ALTER TABLE images ENGINE=InnoDB")
    op.execute("INSERT INTO label_totals (label, images) VALUES ('', 0)")
    op.execute("INSERT INTO label_totals (label, images) SELECT label, COUNT(*) FROM images GROUP BY label")
    for page in _pages():
        _index(page)
    # A filter's term begins with a colon, which sorts before every letter but behind every digit.
    op.execute("INSERT INTO vocabulary (word) SELECT DISTINCT word FROM postings WHERE SUBSTR(word, 1, 1) <> ':'")


def downgrade() -> None:
    for page in _pages():
        for image in page:
            words = [f"w_{word}" for word in distinct_words(image.search_words)]
            _change(image.seq, search_words=" ".join(words), word_count=len(words))
    for statement in FTS5 if _on_sqlite() else (FULLTEXT,):
        op.execute(statement)
    if _on_sqlite():
        op.execute("INSERT INTO images_fts (images_fts) VALUES ('rebuild')")
    for table in ("label_changes", "label_totals", "vocabulary", "postings"):
        op.drop_table(table)
    for index in ("images_label_certainty", "images_created_at"):
        op.drop_index(index, "images")
    op.drop_column("images", "label_source")


def _index(images: list[Any]) -> None:
    current = _current_words([image.seq for image in images])
    rows: list[dict[str, Any]] = []
    for image in images:
        caption, _ = current.get((image.seq, "caption"), ("", "model"))
        _, label_source = current.get((image.seq, "label"), ("", "model"))
        text, word_count = search_text(caption, image.label, image.filename)
        _change(image.seq, search_words=text, word_count=word_count, label_source=label_source)
        indexed = Indexed(image.seq, image.label, image.status, label_source, text, word_count)
        postings = indexed.postings().items()
        rows += [{"word": word, "seq": image.seq, "relevance": relevance} for word, relevance in postings]
    op.get_bind().execute(sa.insert(POSTINGS), rows)


def _current_words(seqs: list[int]) -> dict[tuple[int, str], tuple[str, str]]:
    """Return each image's caption and label with who gave it: a person's latest, else a model's latest."""
    analyses = ANALYSES.c
    statement = sa.select(analyses.image_seq, analyses.kind, analyses.value, analyses.source)
    # `model` sorts before `person`: what comes last counts.
    ordered = statement.where(analyses.image_seq.in_(seqs)).order_by(analyses.source, analyses.seq)
    return {(row.image_seq, row.kind): (row.value, row.source) for row in op.get_bind().execute(ordered)}


def _pages() -> Iterator[list[Any]]:
    after = 0
    while True:
        statement = sa.select(IMAGES).where(IMAGES.c.seq > after).order_by(IMAGES.c.seq).limit(PAGE_ROWS)
        page = list(op.get_bind().execute(statement))
        if not page:
            return
        yield page
        after = page[-1].seq


def _change(seq: int, **values: object) -> None:
    op.get_bind().execute(sa.update(IMAGES).where(IMAGES.c.seq == seq).values(**values))


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
