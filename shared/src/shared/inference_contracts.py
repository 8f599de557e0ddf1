"""What travels when a model is asked by the Open Inference Protocol, version 2, over HTTP and JSON.

The protocol is what KServe, Triton and others speak, so that their clients, gateways and probes can use our models. An
image is one element of a BYTES tensor, written in base64, because JSON cannot carry bytes.
Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

INPUT = "image"
"""Name of the one input tensor."""

MOST_IMAGES = 32
"""Images in one request; they are looked at within one deadline."""

DataType = Literal["BYTES", "FP32"]
Parameters = dict[str, str | float | bool]


class Told(BaseModel):
    """What a caller sends; fields that we do not know are passed over, as extensions of the protocol may bring some."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class RequestInput(Told):
    """An input tensor."""

    name: str
    shape: list[int] = Field(min_length=1, max_length=2)
    datatype: str
    parameters: Parameters = {}
    data: list[Any]


class RequestOutput(Told):
    """An output tensor that is wished for."""

    name: str


class InferenceRequest(Told):
    """Body of `POST /v2/models/{name}/infer`."""

    id: str | None = Field(default=None, max_length=256)
    inputs: list[RequestInput]
    outputs: list[RequestOutput] = []


class TensorDescription(BaseModel):
    """Name, type and shape of a tensor; -1 is a side that differs from request to request."""

    name: str
    datatype: DataType
    shape: list[int]


class ResponseOutput(TensorDescription):
    """An output tensor, its elements in row-major order."""

    data: list[str] | list[float]


class InferenceResponse(BaseModel):
    """Answer of `POST /v2/models/{name}/infer`."""

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="The request's, where it had one.")
    outputs: list[ResponseOutput]


class ServerMetadata(BaseModel):
    """Answer of `GET /v2`."""

    name: str
    version: str
    extensions: list[str] = []


class ModelMetadata(BaseModel):
    """Answer of `GET /v2/models/{name}`."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorDescription]
    outputs: list[TensorDescription]


class ServerLive(BaseModel):
    """Answer of `GET /v2/health/live`."""

    live: bool = True


class ServerReady(BaseModel):
    """Answer of `GET /v2/health/ready`; the protocol names the field `live`, its servers `ready`."""

    live: bool = True
    ready: bool


class ModelReady(BaseModel):
    """Answer of `GET /v2/models/{name}/ready`."""

    name: str
    ready: bool
