"""What can go wrong with stored images, beyond what every service knows.

ServiceError
├── LeaseLost                 409
├── BatchIdTaken              409
├── KeyExists                 409
├── CannotEmbed               415
├── HashMismatch              422
├── ImageFileMissing          500
└── Overloaded
    └── StorageUnavailable    503, Retry-After
        ├── TransactionUndone
        └── OutcomeUnknown
"""

from shared.errors import Overloaded, ServiceError


class HashMismatch(ServiceError):
    """The bytes received are not the ones that the record names."""

    code = "hash_mismatch"
    title = "Hash mismatch"
    status = 422


class LeaseLost(ServiceError):
    """The work was not done in time, was done by another, or its image is gone; its result is not taken."""

    code = "lease_lost"
    title = "Lease lost"
    status = 409


class BatchIdTaken(ServiceError):
    """The id that a client chose for its batch is another batch's."""

    code = "batch_id_taken"
    title = "Batch id taken"
    status = 409


class KeyExists(ServiceError):
    """Another key has this id."""

    code = "key_exists"
    title = "Key exists"
    status = 409


class CannotEmbed(ServiceError):
    """The original's format has no place for words."""

    code = "cannot_embed"
    title = "Words cannot be embedded"
    status = 415


class ImageFileMissing(ServiceError):
    """A row names a file that is not in the store; someone else removed it."""

    code = "image_file_missing"
    title = "Image file missing"
    status = 500


class StorageUnavailable(Overloaded):
    """The database or the folder does not do its work now; the caller may come back."""

    code = "storage_unavailable"
    title = "Storage unavailable"


class TransactionUndone(StorageUnavailable):
    """The database has kept nothing of a transaction; it may be done again."""


class OutcomeUnknown(StorageUnavailable):
    """Whether the database has kept a transaction is not known; doing it again could do it twice."""
