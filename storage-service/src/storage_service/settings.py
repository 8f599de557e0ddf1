"""What storage-service reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from shared.settings import ServiceSettings, service_config
from storage_service.bucket_store import BucketAccess


def _secret_file(file: str) -> str:
    if file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ValueError("a file that this user can read") from error
        if not text or "\n" in text:
            raise ValueError("a file with one line, the secret")
    return file


def _line_of(file: str) -> str:
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


class StorageSettings(ServiceSettings):
    """Read from STORAGE_* variables."""

    model_config = service_config("STORAGE_")

    port: PositiveInt = Field(default=8003, description="Port to listen on.")
    store_url: str = Field(
        default="file://.data/store",
        description="Where the image files lie: file:// and a folder, absolute or below the current one; "
        "or s3://BUCKET/PREFIX.",
    )
    s3_endpoint_url: str = Field(
        default="", description="Where an S3-compatible bucket answers, http:// or https://; empty: AWS."
    )
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_access_key_id: str = Field(
        default="", description="Name of the bucket's key; empty: what AWS_* variables or the machine's role say."
    )
    s3_secret_access_key: SecretStr = Field(default=SecretStr(""), description="The bucket's secret key.")
    s3_secret_access_key_file: Annotated[str, AfterValidator(_secret_file)] = Field(
        default="", description="File that holds STORAGE_S3_SECRET_ACCESS_KEY instead."
    )
    s3_timeout_s: PositiveFloat = Field(
        default=10.0, description="Longest time for one request to the bucket; nothing is tried again after it."
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///.data/legenda.sqlite3",
        description="sqlite+aiosqlite:///FILE or mysql+asyncmy://USER:PASSWORD@HOST/DATABASE.",
    )
    database_password_file: Annotated[str, AfterValidator(_secret_file)] = Field(
        default="", description="File that holds the password for STORAGE_DATABASE_URL, which then needs none."
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

    @model_validator(mode="after")
    def _take_the_password(self) -> Self:
        """Put the file's password into the URL, so that whoever opens the database needs only that."""
        if self.database_password_file:
            try:
                url = make_url(self.database_url)
            except ArgumentError:
                return self  # `connections` says what is wrong with it
            password = _line_of(self.database_password_file)
            self.database_url = url.set(password=password).render_as_string(hide_password=False)
        return self

    @property
    def bucket_access(self) -> BucketAccess:
        """How to reach the bucket, if the store is one."""
        return BucketAccess(
            endpoint_url=self.s3_endpoint_url,
            region=self.s3_region,
            access_key_id=self.s3_access_key_id,
            secret_access_key=self.s3_secret_access_key.get_secret_value() or _line_of(self.s3_secret_access_key_file),
            timeout_s=self.s3_timeout_s,
        )
