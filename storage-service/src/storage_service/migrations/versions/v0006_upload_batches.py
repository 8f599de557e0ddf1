"""Batches of uploads, and what became of each of their files."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
UUID_BYTES = sa.BINARY(16).with_variant(sa.LargeBinary(), "sqlite")
COUNTS = ("received", "known", "pending", "complete", "failed", "deleted", "refused")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def upgrade() -> None:
    op.create_table(
        "upload_batches",
        sa.Column("seq", ROW_NUMBER, nullable=False),
        sa.Column("id", UUID_BYTES, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("receiving_until", MOMENT, nullable=False),
        sa.Column("ending", sa.String(16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("seq", name="upload_batches_pk"),
        sa.UniqueConstraint("id", name="upload_batches_id_unique"),
        sqlite_autoincrement=True,
        **OPTIONS,
    )
    op.create_table(
        "upload_batch_files",
        sa.Column("batch_seq", ROW_NUMBER, nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("image_seq", sa.BigInteger(), nullable=True),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("archive", sa.String(255), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("batch_seq", "position", name="upload_batch_files_pk"),
        sa.ForeignKeyConstraint(
            ["batch_seq"], ["upload_batches.seq"], name="upload_batch_files_batch_seq_fk", ondelete="CASCADE"
        ),
        **OPTIONS,
    )
    for columns in (["image_seq"], ["batch_seq", "status", "position"], ["batch_seq", "done_at"]):
        op.create_index(f"upload_batch_files_{'_'.join(columns)}", "upload_batch_files", columns)


def downgrade() -> None:
    op.drop_table("upload_batch_files")
    op.drop_table("upload_batches")
