"""Make the bucket that STORAGE_STORE_URL names, before the service starts: by command, as its tables are.

The service itself makes none: a bucket that is not there is more likely a wrong name than a new installation.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import httpx
import obstore
from obstore.exceptions import BaseError

from shared.app import StartupError
from storage_service.bucket_store import TOLD_CHARACTERS, BucketAccess, BucketStore, open_bucket
from storage_service.errors import StorageUnavailable
from storage_service.settings import StorageSettings

SIGNED_FOR = timedelta(minutes=1)
Done = TypeVar("Done")
PAUSES_S = (1, 2, 3, 4, 5)
"""Between tries: a server that has just started may refuse at first."""
AMAZONS_FIRST_REGION = "us-east-1"
"""The only one that a request to it must not name."""


def make_bucket(bucket: str, access: BucketAccess) -> bool:
    """Make a bucket unless it is there, and see whether files can be written to it.

    Returns:
        Whether it was made.

    Raises:
        StorageUnavailable: there is no such bucket now, or it takes no files; the message says what the server said.

    Source: Amazon S3 API reference, CreateBucket.
    """
    try:
        # obstore makes no buckets; what it signs for the bucket's own path is the request that does.
        url = obstore.sign(open_bucket(bucket, "", access), "PUT", "", SIGNED_FOR)
    except BaseError as error:
        raise StorageUnavailable(f"the bucket {bucket} cannot be made: {error}") from error
    answer = _try(partial(_put, url, _place(access.region), timeout_s=access.timeout_s))
    if answer.status_code not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
        raise StorageUnavailable(
            f"the bucket {bucket} was not made: {answer.status_code} {answer.text[:TOLD_CHARACTERS]}"
        )
    _try(BucketStore(bucket, "", access).prepare)
    return answer.status_code == HTTPStatus.OK


def main() -> None:
    """Run `storage-bucket`."""
    argparse.ArgumentParser(
        prog="storage-bucket",
        description="Make the bucket that STORAGE_STORE_URL names, unless it is there.",
        epilog="Example: STORAGE_STORE_URL=s3://legenda/images storage-bucket",
    ).parse_args()
    settings = StorageSettings()
    try:
        bucket = _bucket_in(settings.store_url)
        made = make_bucket(bucket, settings.bucket_access)
    except (StartupError, StorageUnavailable) as error:
        sys.exit(f"storage-bucket cannot run: {error}")
    sys.stdout.write(f"The bucket {bucket} {'was made' if made else 'is there'}.\n")


def _bucket_in(store_url: str) -> str:
    scheme, _, place = store_url.partition("://")
    bucket = place.partition("/")[0]
    if scheme != "s3" or not bucket:
        raise StartupError(f"images are to lie in a bucket, s3://legenda/images for example, but not in {store_url}")
    return bucket


def _place(region: str) -> str:
    if region == AMAZONS_FIRST_REGION:
        return ""
    return f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"


def _put(url: str, body: str, *, timeout_s: float) -> httpx.Response:
    try:
        answer = httpx.put(url, content=body, timeout=timeout_s)
    except httpx.TransportError as error:
        raise StorageUnavailable(f"the bucket's server does not answer: {error}") from error
    if answer.is_server_error:
        raise StorageUnavailable(
            f"the bucket's server does not do it: {answer.status_code} {answer.text[:TOLD_CHARACTERS]}"
        )
    return answer


def _try(work: Callable[[], Done]) -> Done:
    for pause_s in PAUSES_S:
        try:
            return work()
        except StorageUnavailable:
            time.sleep(pause_s)
    return work()
