"""`storage-bucket` makes the bucket that the store's URL names, and says in a sentence why it cannot."""

from __future__ import annotations

import io
import time
from pathlib import Path
from uuid import uuid4

import pytest

from storage_service import bucket_making
from storage_service.bucket_making import make_bucket
from storage_service.bucket_store import BucketAccess, BucketStore
from storage_service.errors import StorageUnavailable
from storage_service.settings import StorageSettings
from tests.live_platform import free_ports
from tests.unit.storage.buckets import S3Server


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_bucket_is_made_once_and_keeps_its_files(s3_server: S3Server, region: str) -> None:
    bucket = f"legenda-{uuid4().hex}"
    access = BucketAccess(
        endpoint_url=s3_server.url, region=region, access_key_id="legenda", secret_access_key="s3cret-key", timeout_s=5
    )
    assert make_bucket(bucket, access)
    store = BucketStore(bucket, "images", access)
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    make_bucket(bucket, access)

    assert [file.path for file in store.files()] == ["photo/dog.jpg"]
    assert store.read("photo/dog.jpg") == b"woof"


def test_a_server_that_refuses_is_quoted(s3_server: S3Server) -> None:
    with pytest.raises(StorageUnavailable, match=r"(?s)was not made: 400 .*InvalidBucketName"):
        make_bucket("no", s3_server.access)


def test_the_command_makes_the_bucket_with_the_key_of_a_file(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = f"legenda-{uuid4().hex}"
    secret = tmp_path / "s3_secret_access_key"
    secret.write_text("s3cret-key\n")
    monkeypatch.setenv("STORAGE_S3_SECRET_ACCESS_KEY_FILE", str(secret))
    monkeypatch.setenv("STORAGE_S3_ACCESS_KEY_ID", "legenda")
    monkeypatch.setenv("STORAGE_S3_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("STORAGE_STORE_URL", f"s3://{bucket}/images")
    monkeypatch.setattr("sys.argv", ["storage-bucket"])

    bucket_making.main()

    assert capsys.readouterr().out == f"The bucket {bucket} was made.\n"
    settings = StorageSettings()
    assert settings.bucket_access.secret_access_key == "s3cret-key"
    assert "s3cret-key" not in repr(settings)
    BucketStore(bucket, "images", settings.bucket_access).check()


@pytest.mark.parametrize(
    ("store_url", "told"),
    [("file:///data/store", "but not in file:///data/store"), ("s3://legenda/images", "does not answer")],
)
def test_what_cannot_be_is_one_sentence(store_url: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("STORAGE_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("STORAGE_S3_ACCESS_KEY_ID", "legenda")
    monkeypatch.setenv("STORAGE_S3_SECRET_ACCESS_KEY", "s3cret-key")
    monkeypatch.setenv("STORAGE_STORE_URL", store_url)
    monkeypatch.setattr("sys.argv", ["storage-bucket"])
    with pytest.raises(SystemExit, match=f"storage-bucket cannot run: .*{told}"):
        bucket_making.main()
