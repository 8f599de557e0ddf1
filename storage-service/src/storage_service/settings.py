"""What storage-service reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt

from shared.settings import ServiceSettings, service_config


class StorageSettings(ServiceSettings):
    """Read from STORAGE_* variables."""

    model_config = service_config("STORAGE_")

    port: PositiveInt = Field(default=8003, description="Port to listen on.")
    store_url: str = Field(
        default="file://.data/store",
        description="Where the image files lie: file:// and a folder, absolute or below the current one.",
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///.data/legenda.sqlite3",
        description="sqlite+aiosqlite:///FILE or mysql+asyncmy://USER:PASSWORD@HOST/DATABASE.",
    )
    index_dir: Path = Field(
        default=Path(".data/index"),
        description="Folder of the index of similar images; it can be built anew at any time.",
    )
    index_after_rows: PositiveInt = Field(
        default=10_000,
        description="So many images outside the index are compared one by one before it is written anew.",
    )
    search_jobs_waiting: PositiveInt = Field(
        default=64, description="Searches for similar images that may wait; more are refused with 503."
    )
    body_limit_bytes: PositiveInt = Field(
        default=64 * 1024 * 1024, description="Longest request body: an original, its preview and their record."
    )
    request_timeout_s: PositiveFloat = Field(
        default=30.0, description="Longest time for one request; callers may ask for less with X-Deadline-Ms."
    )
    statement_timeout_s: PositiveFloat = Field(
        default=15.0, description="Longest time for one statement of the database."
    )
    pixel_limit: PositiveInt = Field(
        default=64_000_000, description="Most pixels of an image that storage-import decodes."
    )
    file_threads: PositiveInt = Field(default=4, description="Threads that read and write image files.")
    file_jobs_waiting: PositiveInt = Field(
        default=64, description="File jobs that may wait for a thread; more are refused with 503."
    )
    exports_at_once: PositiveInt = Field(default=4, description="Exports under way; one more is refused with 503.")
    stall_timeout_s: PositiveFloat = Field(
        default=90.0, description="Seconds that the reader of an export may read nothing before it is broken off."
    )
