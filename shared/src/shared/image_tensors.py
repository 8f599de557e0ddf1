"""Images out of an inference request, and what a model said of them into tensors.

A tensor has one row an image. Rows of different lengths are filled up, with "" or 0, to the longest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shared.errors import BadRequest
from shared.inference_contracts import (
    INPUT,
    MOST_IMAGES,
    InferenceRequest,
    RequestInput,
    ResponseOutput,
    TensorDescription,
)

Row = Sequence[str] | Sequence[float]
"""What a model says of one image, for one output."""


def read_request(body: bytes) -> InferenceRequest:
    """Read the JSON of an inference request.

    Raises:
        BadRequest: it is none.
    """
    try:
        return InferenceRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{place or 'the body'}: {first['msg']}") from error


def read_images(request: InferenceRequest) -> list[bytes]:
    """Return the encoded images of a request, 1 to MOST_IMAGES.

    Raises:
        BadRequest: it has not the one input tensor, or that does not hold what it says.
    """
    if [each.name for each in request.inputs] != [INPUT]:
        raise BadRequest(f"there must be one input, {INPUT!r}, not {[each.name for each in request.inputs]}")
    tensor = request.inputs[0]
    if tensor.datatype != "BYTES":
        raise BadRequest(f"{INPUT} must be of datatype BYTES, not {tensor.datatype!r}")
    if (encoding := tensor.parameters.get("content_type", "base64")) != "base64":
        raise BadRequest(f"the content_type of {INPUT} must be base64, not {encoding!r}")
    elements = list(_elements(tensor.data))
    if not 1 <= len(elements) <= MOST_IMAGES:
        raise BadRequest(f"{INPUT} must hold 1 to {MOST_IMAGES} images, not {len(elements)}")
    if not _is_shape_of(tensor, len(elements)):
        raise BadRequest(f"{INPUT} has {len(elements)} elements, but shape {tensor.shape}; it must be [images]")
    return [_decoded(element, number) for number, element in enumerate(elements, start=1)]


def wanted_outputs(request: InferenceRequest, outputs: Sequence[TensorDescription]) -> list[TensorDescription]:
    """Return the outputs that a request asks for; all where it names none.

    Raises:
        BadRequest: it names one that there is not.
    """
    there = {each.name: each for each in outputs}
    names = [each.name for each in request.outputs] or list(there)
    if unknown := [name for name in names if name not in there]:
        raise BadRequest(f"there is no output {unknown[0]!r}; there are {', '.join(there)}")
    return [there[name] for name in dict.fromkeys(names)]


def stacked(described: TensorDescription, said: Sequence[Mapping[str, Row]]) -> ResponseOutput:
    """Return one output tensor of what was said of each image, (images, longest row)."""
    rows = [said_of_one[described.name] for said_of_one in said]
    longest = max(len(row) for row in rows)
    filler: Any = "" if described.datatype == "BYTES" else 0.0
    data: list[Any] = [element for row in rows for element in [*row, *[filler] * (longest - len(row))]]
    return ResponseOutput(name=described.name, datatype=described.datatype, shape=[len(rows), longest], data=data)


def _elements(data: Sequence[Any]) -> Iterator[Any]:
    """Yield a tensor's elements, whether they come flat or as rows of one."""
    for element in data:
        if isinstance(element, list):
            yield from element
        else:
            yield element


def _is_shape_of(tensor: RequestInput, images: int) -> bool:
    return tensor.shape in ([images], [images, 1])


def _decoded(element: object, number: int) -> bytes:
    if not isinstance(element, str):
        raise BadRequest(f"image {number} must be a string, its file in base64")
    try:
        return base64.b64decode(element, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"image {number} is not base64: {error}") from error
