"""What the classifier says, as tensors of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from classify_service.classification import Classification
from shared.contracts import Health
from shared.deadline import Deadline
from shared.image_tensors import Row
from shared.inference_contracts import TensorDescription
from shared.inference_routes import ServedModel

OUTPUTS = (
    TensorDescription(name="label", datatype="BYTES", shape=[-1, 1]),
    TensorDescription(name="labels", datatype="BYTES", shape=[-1, -1]),
    TensorDescription(name="confidences", datatype="FP32", shape=[-1, -1]),
)


def served_classifier(
    classification: Classification, readiness: Callable[[], Health], *, images_at_once: int
) -> ServedModel:
    """Return what answers with each image's label, all labels, best first, and their confidences."""

    async def infer(image: bytes, deadline: Deadline) -> Mapping[str, Row]:
        answer = await classification.classify(image, deadline=deadline)
        return {
            "label": [answer.label],
            "labels": [each.value for each in answer.labels],
            "confidences": [each.confidence for each in answer.labels],
        }

    return ServedModel(readiness=readiness, outputs=OUTPUTS, infer=infer, images_at_once=images_at_once)
