"""Keep files in an S3-compatible bucket, under the same paths as in a folder.

A bucket takes a file whole or not at all, so nothing is written beside first. It knows no rename: a second path is a
copy that the bucket makes by itself. Every request has a deadline, and what refuses is StorageUnavailable.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from storage_service.errors import ImageFileMissing, StorageUnavailable
from storage_service.stored_files import COPY_BYTES, INCOMING, ORPHANS, StoredFile, is_litter

if TYPE_CHECKING:  # obstore has it only there
    from obstore.store import ClientConfig

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
MOST_RETRIES = 3
PART_BYTES = 8 * 1024 * 1024
"""A larger file goes in parts, some at once, so that memory and the time of each request are bounded."""
PARTS_AT_ONCE = 2
KEPT_IN_MEMORY_BYTES = 1024 * 1024
LIST_PAGE_FILES = 1000
PROBE = f"{INCOMING}/probe"
TOLD_CHARACTERS = 400

_CODE = re.compile(r"<Code>(\w+)</Code>")


@dataclass(frozen=True)
class BucketAccess:
    """How to reach a bucket; what is empty, AWS' own variables and roles may say."""

    endpoint_url: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    timeout_s: float = 10.0


class BucketStore:
    """Files below one prefix of a bucket; what the methods promise stands in `ImageStore`."""

    def __init__(self, bucket: str, prefix: str, access: BucketAccess) -> None:
        self._bucket = bucket
        self._store = open_bucket(bucket, prefix, access)
        self._is_prepared = False

    def prepare(self) -> None:
        """Write a file and remove it."""
        probe = f"{PROBE}-{uuid4().hex}"
        self.write(probe, io.BytesIO(b"Legenda may write here."))
        self.remove(probe)
        self._is_prepared = True

    def check(self) -> None:
        """Raise StorageUnavailable unless the bucket is there and lets us in."""
        if not self._is_prepared:
            self.prepare()
            return
        self._ask()

    def write(self, path: str, content: BinaryIO) -> None:
        """Put a file, in parts if it is large; the bucket shows it when it has all of it."""
        with self._failures():
            obstore.put(self._store, path, content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

    def write_all(self, files: Iterable[tuple[str, BinaryIO]]) -> None:
        """Put files, one after the other; the bucket keeps each for good when it has taken it."""
        for path, content in files:
            self.write(path, content)

    def link(self, path: str, second: str) -> None:
        """Let the bucket copy a file."""
        with self._failures(path):
            obstore.copy(self._store, path, second)

    def remove(self, path: str) -> None:
        """Remove a file; a bucket has no folders that could be left."""
        with self._failures():
            try:
                obstore.delete(self._store, path)
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise

    def set_aside(self, path: str) -> str:
        """Move a file below `.orphans`, under another name where that one is taken."""
        aside = f"{ORPHANS}/{path}"
        if self.find(aside) is not None:
            aside = f"{ORPHANS}/{uuid4().hex[:8]}/{path}"
        self.link(path, aside)
        self.remove(path)
        return aside

    def open(self, path: str) -> BinaryIO:
        """Fetch a file into a temporary one: whoever reads slowly then holds no connection to the bucket."""
        file = tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES)  # noqa: SIM115  # who asked closes it
        try:
            with self._failures(path):
                for chunk in obstore.get(self._store, path).stream(COPY_BYTES):
                    file.write(chunk)
                file.seek(0)
        except BaseException:  # whatever it was: nobody else has the file yet who could close it
            file.close()
            raise
        return file  # type: ignore[return-value]  # it has all that a BinaryIO has

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        with self._failures(path):
            return bytes(obstore.get(self._store, path).bytes())

    def find(self, path: str) -> StoredFile | None:
        """Return what is known of a file."""
        with self._failures(), contextlib.suppress(FileNotFoundError):
            found = obstore.head(self._store, path)
            return StoredFile(path, found["size"], found["last_modified"].timestamp())
        self._ask()  # a bucket that is gone has lost no file; a HEAD does not tell which of the two is
        return None

    def files(self) -> Iterator[StoredFile]:
        """Yield every file, a thousand a request."""
        with self._failures():
            for page in obstore.list(self._store, chunk_size=LIST_PAGE_FILES):
                for found in page:
                    path = found["path"]
                    if not path.startswith(f"{ORPHANS}/") and not is_litter(path.rpartition("/")[2]):
                        yield StoredFile(path, found["size"], found["last_modified"].timestamp())

    def _ask(self) -> None:
        with self._failures():
            next(iter(obstore.list(self._store, prefix=PROBE, chunk_size=1)), None)

    @contextlib.contextmanager
    def _failures(self, path: str | None = None) -> Iterator[None]:
        """Say what a failing bucket means; `path` is the file that must exist, if one must."""
        try:
            yield
        except FileNotFoundError as error:
            if path is None or _code(error) == "NoSuchBucket":
                raise self._unavailable(error) from error
            log.error("image_file_missing", extra={"path": path})
            raise ImageFileMissing(f"the file {path} is not in the store any more") from error
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StorageUnavailable:
        reason = str(error).partition("\n\nDebug source")[0][:TOLD_CHARACTERS]
        log.error("store_failed", extra={"bucket": self._bucket, "reason": reason})
        said = _code(error)
        because = f": {said}" if said else ""
        return StorageUnavailable(f"the bucket {self._bucket} does not take or give files{because}")


def open_bucket(bucket: str, prefix: str, access: BucketAccess) -> S3Store:
    """Return what sends requests to a bucket; nothing is asked yet."""
    options: ClientConfig = {
        "timeout": timedelta(seconds=access.timeout_s),
        "connect_timeout": timedelta(seconds=min(CONNECT_TIMEOUT_S, access.timeout_s)),
        "allow_http": access.endpoint_url.startswith("http://"),
    }
    given = {
        "endpoint": access.endpoint_url,
        "access_key_id": access.access_key_id,
        "secret_access_key": access.secret_access_key,
    }
    return S3Store(
        bucket,
        prefix=prefix or None,
        client_options=options,
        # After this time nothing is tried again, so a request ends after twice the time at the latest.
        retry_config={"max_retries": MOST_RETRIES, "retry_timeout": timedelta(seconds=access.timeout_s)},
        region=access.region,
        disable_bulk_delete=True,  # not every S3-compatible store knows it, and we delete one by one
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
    )


def _code(error: Exception) -> str | None:
    """Return S3's own word for what is wrong, such as AccessDenied or NoSuchBucket."""
    found = _CODE.search(str(error))
    return found[1] if found else None
