"""What all tables have in common: how they are made on MySQL, and how their constraints are called."""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

# Words are compared after we have normalised them ourselves, so MySQL compares bytes as SQLite does.
ON_MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


class Table(DeclarativeBase):
    """What the tables have in common: names of constraints that are the same on both databases."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pk",
            "uq": "%(table_name)s_%(column_0_name)s_unique",
            "fk": "%(table_name)s_%(column_0_name)s_fk",
            "ix": "%(table_name)s_%(column_0_N_name)s",
        }
    )
