"""Whatever bytes come in, what reads them answers in its own words. Hypothesis draws the same examples each time."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from shared.body import read_form, shown_filename
from shared.deadline import Deadline
from shared.decoding import UnreadableImage, decode_image
from shared.disposition import EXTENSIONS, content_disposition
from shared.errors import BadRequest, ImageTooLarge
from shared.image_formats import format_of
from tests.hostile_files import whole_files

WHOLE = [whole for _, whole in whole_files().values()]
PIXELS = 1_000_000


def _seen(content: bytes) -> Image.Image | None:
    try:
        return decode_image(content, pixel_limit=PIXELS, side_px=64).picture
    except UnreadableImage:
        return None


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::Warning")
@settings(max_examples=150)
@given(whole=st.sampled_from(WHOLE), start=st.integers(0, 5_000), patch=st.binary(max_size=12), cut=st.integers(0, 9))
def test_a_patched_image_is_a_picture_or_refused(whole: bytes, start: int, patch: bytes, cut: int) -> None:
    start %= len(whole)
    picture = _seen(whole[:start] + patch + whole[start + cut :])
    assert picture is None or (picture.mode == "RGB" and not picture.info)


@settings(max_examples=200)
@given(st.binary(max_size=600))
def test_any_bytes_are_a_picture_or_refused(content: bytes) -> None:
    if format_of(content[:512]) is None:
        with pytest.raises(UnreadableImage, match="not an image we read"):
            decode_image(content, pixel_limit=PIXELS, side_px=64)
    else:
        _seen(content)


@given(st.text(max_size=60) | st.integers().map(str) | st.just("9" * 5_000))
def test_any_deadline_is_understood_or_refused(header: str) -> None:
    try:
        deadline = Deadline.from_header(header, longest_s=30)
    except BadRequest:
        assert not (header.isascii() and header.isdigit() and len(header) < 19 and int(header))
    else:
        assert int(header) > 0
        assert deadline.at_s <= Deadline.after(30).at_s


@given(st.text(max_size=300), st.sampled_from([*EXTENSIONS, "image/svg+xml", "text/html"]))
def test_any_name_is_saved_as_a_harmless_one_with_the_ending_of_its_type(name: str, media_type: str) -> None:
    header = content_disposition(name, media_type)
    header.encode("ascii")
    found = re.fullmatch(r"(inline|attachment); filename=\"([^\"\\/\r\n]*)\"; filename\*=UTF-8''([\w.~%-]+)", header)
    assert found
    kind, _, encoded = found.groups()
    saved = unquote(encoded, errors="strict")
    assert saved.rpartition(".")[2].lower() in EXTENSIONS.get(media_type, ("bin",))
    assert not set(saved) & set('/\\<>:"|?*\0\u202e')
    assert (kind == "inline") == (media_type in EXTENSIONS)


@settings(max_examples=100)
@given(
    kind=st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"])
    | st.text(st.characters(max_codepoint=255), max_size=40),
    head=st.binary(max_size=80),
    body=st.binary(max_size=200),
)
async def test_any_form_is_read_or_refused(kind: str, head: bytes, body: bytes) -> None:
    content = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
        + head
        + b'"\r\n\r\n'
        + body
        + b"\r\n--x--\r\n"
    )

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    raw = Headers({"content-type": kind}).raw
    request = Request({"type": "http", "method": "POST", "headers": raw, "app": None}, receive)
    try:
        form = await read_form(request, limit_bytes=10_000, max_files=1, max_fields=2)
    except (ImageTooLarge, BadRequest, HTTPException):
        return
    for part in form.values():
        if isinstance(part, UploadFile):
            shown_filename(part).encode()
    await form.close()


def test_a_picture_that_only_shares_its_container_with_heic_is_told_from_it() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "AVIF")
    assert format_of(stream.getvalue()[:512]) == "AVIF"
    assert format_of(b"\0\0\0\x14ftypmif1\0\0\0\0heic") == "HEIF"
    assert format_of(b"\0\0\0\x14ftypmif1\0\0\0\0avif") == "AVIF"
    assert format_of(b"\0\0\0\x10ftypmif1\0\0\0\0avif") is None
