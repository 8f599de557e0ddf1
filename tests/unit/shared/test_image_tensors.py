"""Images out of an inference request, and answers into tensors."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared.errors import BadRequest
from shared.image_tensors import read_images, read_request, stacked, wanted_outputs
from shared.inference_contracts import MOST_IMAGES, TensorDescription

TEXTS = TensorDescription(name="captions", datatype="BYTES", shape=[-1, -1])
NUMBERS = TensorDescription(name="confidences", datatype="FP32", shape=[-1, -1])


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _body(*, data: Any = None, outputs: Any = None, **changes: Any) -> bytes:
    data = [_base64(b"one"), _base64(b"two")] if data is None else data
    tensor = {"name": "image", "shape": [len(data)], "datatype": "BYTES", "data": data} | changes
    return json.dumps({"inputs": [tensor]} | ({} if outputs is None else {"outputs": outputs})).encode()


@pytest.mark.parametrize(
    "body",
    [
        _body(),
        _body(data=[[_base64(b"one")], [_base64(b"two")]], shape=[2, 1]),
        _body(shape=[2, 1], parameters={"content_type": "base64"}),
    ],
)
def test_images_come_flat_or_in_rows_of_one(body: bytes) -> None:
    assert read_images(read_request(body)) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "JSON"),
        (b'{"inputs": "image"}', "inputs"),
        (b'{"inputs": []}', "one input"),
        (_body(name="picture"), "one input"),
        (_body(datatype="UINT8"), "BYTES"),
        (_body(parameters={"content_type": "str"}), "base64"),
        (_body(shape=[3]), "shape"),
        (_body(shape=[1, 2]), "shape"),
        (_body(data=[]), "1 to 32"),
        (_body(data=[_base64(b"x")] * (MOST_IMAGES + 1)), "1 to 32"),
        (_body(data=[_base64(b"x"), "not base64!"]), "image 2"),
        (_body(data=[7]), "image 1"),
    ],
)
def test_what_is_no_tensor_of_images_is_refused_with_its_reason(body: bytes, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        read_images(read_request(body))


def test_outputs_are_those_asked_for_or_all() -> None:
    assert wanted_outputs(read_request(_body()), [TEXTS, NUMBERS]) == [TEXTS, NUMBERS]
    asked = read_request(_body(outputs=[{"name": "confidences"}, {"name": "confidences"}]))
    assert wanted_outputs(asked, [TEXTS, NUMBERS]) == [NUMBERS]
    with pytest.raises(BadRequest, match="there is no output 'boxes'; there are captions, confidences"):
        wanted_outputs(read_request(_body(outputs=[{"name": "boxes"}])), [TEXTS, NUMBERS])


def test_shorter_rows_are_filled_up() -> None:
    said = [{"captions": ["a", "b"], "confidences": [0.9, 0.5]}, {"captions": ["c"], "confidences": [0.7]}]
    texts, numbers = stacked(TEXTS, said), stacked(NUMBERS, said)
    assert (texts.shape, texts.data) == ([2, 2], ["a", "b", "c", ""])
    assert (numbers.shape, numbers.data) == ([2, 2], [0.9, 0.5, 0.7, 0.0])
