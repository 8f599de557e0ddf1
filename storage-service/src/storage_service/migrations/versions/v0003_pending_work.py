"""Words that images still want from models, why work was given up, and whose words are whose.

Every image that is pending becomes work. Adding and dropping a column needs no copy of `images` on SQLite, so the
triggers of the full-text index stay.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
UUID_BYTES = sa.BINARY(16).with_variant(sa.LargeBinary(), "sqlite")
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

WHAT_IS_MISSING = """
    INSERT INTO pending_work (image_seq, kind, priority, due_at, attempts, refusals)
    SELECT seq, :kind, 0, created_at, 0, 0 FROM images
    WHERE status = 'pending'
    AND NOT EXISTS (SELECT 1 FROM analyses WHERE analyses.image_seq = images.seq AND analyses.kind = :kind)
"""


def upgrade() -> None:
    op.add_column("images", sa.Column("failure", sa.Text(), nullable=True))
    op.create_index("analyses_model", "analyses", ["model_name", "model_version", "image_seq"])
    op.create_table(
        "pending_work",
        sa.Column("image_seq", ROW_NUMBER, nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("lease_token", UUID_BYTES, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("image_seq", "kind", name="pending_work_pk"),
        sa.UniqueConstraint("lease_token", name="pending_work_lease_token_unique"),
        sa.ForeignKeyConstraint(["image_seq"], ["images.seq"], name="pending_work_image_seq_fk", ondelete="CASCADE"),
        **OPTIONS,
    )
    op.create_index("pending_work_next", "pending_work", ["kind", "priority", "due_at"])
    for kind in ("caption", "label"):
        op.execute(sa.text(WHAT_IS_MISSING).bindparams(kind=kind))


def downgrade() -> None:
    op.drop_table("pending_work")
    op.drop_index("analyses_model", "analyses")
    op.drop_column("images", "failure")
