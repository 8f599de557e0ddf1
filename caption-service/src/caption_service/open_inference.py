"""What the captioner says, as tensors of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from caption_service.captioning import Captioning
from shared.contracts import Health
from shared.deadline import Deadline
from shared.image_tensors import Row
from shared.inference_contracts import TensorDescription
from shared.inference_routes import ServedModel

OUTPUTS = (
    TensorDescription(name="captions", datatype="BYTES", shape=[-1, -1]),
    TensorDescription(name="confidences", datatype="FP32", shape=[-1, -1]),
)


def served_captioner(
    captioning: Callable[[], Captioning], readiness: Callable[[], Health], *, images_at_once: int
) -> ServedModel:
    """Return what answers with each image's captions, best first, and their confidences."""

    async def infer(image: bytes, deadline: Deadline) -> Mapping[str, Row]:
        answer = await captioning().describe(image, deadline=deadline)
        return {
            "captions": [each.value for each in answer.captions],
            "confidences": [each.confidence for each in answer.captions],
        }

    return ServedModel(readiness=readiness, outputs=OUTPUTS, infer=infer, images_at_once=images_at_once)
