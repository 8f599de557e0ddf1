"""Images, their analyses, and the full-text index.

SQLite keeps its index in a table of its own, which triggers hold in step. Altering `images` by Alembic's batch mode
would drop those triggers: a later step that does must make them again.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
UUID_BYTES = sa.BINARY(16).with_variant(sa.LargeBinary(), "sqlite")
OPTIONS: dict[str, Any] = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

FTS5 = (
    """
    CREATE VIRTUAL TABLE images_fts USING fts5(
        search_words, content='images', content_rowid='seq', tokenize="ascii tokenchars '_'"
    )
    """,
    """
    CREATE TRIGGER images_fts_insert AFTER INSERT ON images BEGIN
        INSERT INTO images_fts (rowid, search_words) VALUES (new.seq, new.search_words);
    END
    """,
    """
    CREATE TRIGGER images_fts_delete AFTER DELETE ON images BEGIN
        INSERT INTO images_fts (images_fts, rowid, search_words) VALUES ('delete', old.seq, old.search_words);
    END
    """,
    """
    CREATE TRIGGER images_fts_update AFTER UPDATE OF search_words ON images BEGIN
        INSERT INTO images_fts (images_fts, rowid, search_words) VALUES ('delete', old.seq, old.search_words);
        INSERT INTO images_fts (rowid, search_words) VALUES (new.seq, new.search_words);
    END
    """,
)
FULLTEXT = "CREATE FULLTEXT INDEX images_fulltext ON images (search_words)"


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("seq", ROW_NUMBER, nullable=False),
        sa.Column("id", UUID_BYTES, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("certainty", sa.Double(), nullable=False),
        sa.Column("search_words", sa.Text(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="images_pk"),
        sa.UniqueConstraint("id", name="images_id_unique"),
        sa.UniqueConstraint("sha256", name="images_sha256_unique"),
        **OPTIONS,
    )
    for column in ("label", "status", "certainty"):
        op.create_index(f"images_{column}", "images", [column])
    op.create_table(
        "analyses",
        sa.Column("seq", ROW_NUMBER, nullable=False),
        sa.Column("image_seq", ROW_NUMBER, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("model_name", sa.String(255), nullable=True),
        sa.Column("model_version", sa.String(255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="analyses_pk"),
        sa.ForeignKeyConstraint(["image_seq"], ["images.seq"], name="analyses_image_seq_fk", ondelete="CASCADE"),
        **OPTIONS,
    )
    op.create_index("analyses_image_seq", "analyses", ["image_seq"])
    for statement in FTS5 if _on_sqlite() else (FULLTEXT,):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("analyses")
    if _on_sqlite():
        op.execute("DROP TABLE images_fts")
    op.drop_table("images")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
