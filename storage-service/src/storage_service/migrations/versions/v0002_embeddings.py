"""What images look like, and which of them are almost the same."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VECTOR = sa.LargeBinary(256).with_variant(mysql.VARBINARY(256), "mysql")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    op.create_table(
        "embeddings",
        sa.Column("seq", ROW_NUMBER, nullable=False),
        sa.Column("image_seq", ROW_NUMBER, nullable=False),
        sa.Column("encoder", sa.String(190), nullable=False),
        sa.Column("vector", VECTOR, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="embeddings_pk"),
        sa.UniqueConstraint("image_seq", name="embeddings_image_seq_unique"),
        sa.ForeignKeyConstraint(["image_seq"], ["images.seq"], name="embeddings_image_seq_fk", ondelete="CASCADE"),
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    op.create_index("embeddings_encoder", "embeddings", ["encoder"])
    op.create_table(
        "near_duplicates",
        sa.Column("image_seq", ROW_NUMBER, nullable=False, autoincrement=False),
        sa.Column("of_seq", ROW_NUMBER, nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("image_seq", name="near_duplicates_pk"),
        sa.ForeignKeyConstraint(["image_seq"], ["images.seq"], name="near_duplicates_image_seq_fk", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["of_seq"], ["images.seq"], name="near_duplicates_of_seq_fk", ondelete="CASCADE"),
        **OPTIONS,
    )
    op.create_index("near_duplicates_of_seq", "near_duplicates", ["of_seq"])


def downgrade() -> None:
    op.drop_table("near_duplicates")
    op.drop_table("embeddings")
