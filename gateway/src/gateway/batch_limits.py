"""How much of a batch is taken, and what is said to whoever sends nothing, or too much."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.zip_reading import ZipLimits
from shared.errors import ServiceError


class NoFiles(ServiceError):
    """The body has no files."""

    code = "no_files"
    title = "No files"
    status = 422


class TooManyFiles(ServiceError):
    """A batch has more files than are accepted."""

    code = "too_many_files"
    title = "Too many files"
    status = 413


@dataclass(frozen=True)
class BatchLimits:
    """How much is taken at once."""

    batches_at_once: int
    files: int
    image_bytes: int
    zip_bytes: int
    unpacked_bytes: int
    zip_ratio: float
    file_timeout_s: float

    @property
    def of_zip(self) -> ZipLimits:
        """What a ZIP may hold."""
        return ZipLimits(
            entries=self.files, entry_bytes=self.image_bytes, total_bytes=self.unpacked_bytes, ratio=self.zip_ratio
        )
