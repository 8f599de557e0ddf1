"""What one actor does: look at a chunk's images with both models, and write what they said.

Images pass the same hygiene as at the gateway's door, and the models see the same previews. A file that cannot be read
is a row with its reason; it stops nothing.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from deploy.bulk.manifest import keys_of, pass_step, results_path
from deploy.bulk.places import open_place
from shared.contracts import UNCLASSIFIED, Alternative, CaptionAnswer, ClassificationAnswer, ModelName
from shared.decoding import UnreadableImage
from shared.previews import fingerprint, inspect_image

PIXEL_LIMIT = 64_000_000
EMBEDDING_DECIMALS = 6
SCHEMA = pa.schema(
    [
        ("key", pa.string()), ("sha256", pa.string()), ("media_type", pa.string()), ("width", pa.int32()),
        ("height", pa.int32()), ("size_bytes", pa.int64()), ("label", pa.string()), ("label_confidence", pa.float32()),
        ("caption", pa.string()), ("caption_confidence", pa.float32()),
        ("caption_answer", pa.string()),  # the answers of both services as JSON; `load` hands them to storage
        ("classification_answer", pa.string()),
        ("refused", pa.string()),
    ]
)  # fmt: skip


class Looker:
    """A Ray actor: both models in memory, one chunk after the other."""

    def __init__(self, *, source: str, out: str, caption_model: str, encoder: str, classifier: str) -> None:
        from caption_service.model.captioner import Captioner  # noqa: PLC0415 - brings in TensorFlow
        from classify_service.model.artifact import load  # noqa: PLC0415 - slow

        self._source, self._out = open_place(source), open_place(out)
        self._captioner = Captioner.load(Path(caption_model), encoder_folder=Path(encoder))
        self._classifier, manifest = load(Path(classifier))
        spoken = self._captioner.manifest
        self._caption_model = ModelName(name=spoken.name, version=spoken.version)
        self._label_model = ModelName(name=manifest.name, version=manifest.version)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Look at one chunk; return its account."""
        chunk = str(row["chunk"])
        started = time.monotonic()
        rows = [self._look(key) for key in keys_of(self._out, chunk)]
        written = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), written, compression="zstd")
        self._out.put(results_path(chunk), written.getvalue())
        account = {
            "chunk": chunk,
            "images": len(rows),
            "refused": sum(row["refused"] is not None for row in rows),
            "seconds": round(time.monotonic() - started, 1),
        }
        pass_step(self._out, chunk, account)
        return account

    def _look(self, key: str) -> dict[str, Any]:
        content = bytes(self._source.get(key).bytes())
        row = {"key": key, "sha256": fingerprint(content), "size_bytes": len(content)}
        try:
            seen = inspect_image(content, pixel_limit=PIXEL_LIMIT)
        except UnreadableImage as error:
            return row | {"refused": str(error)}
        caption, classification = self._caption(seen.preview), self._classification(seen.preview)
        return row | {
            "media_type": seen.media_type,
            "width": seen.width,
            "height": seen.height,
            "label": classification.label,
            "label_confidence": classification.labels[0].confidence,
            "caption": caption.captions[0].value,
            "caption_confidence": caption.captions[0].confidence,
            "caption_answer": caption.model_dump_json(exclude_none=True),
            "classification_answer": classification.model_dump_json(exclude_none=True),
            "refused": None,
        }

    def _caption(self, preview: bytes) -> CaptionAnswer:
        from caption_service.model.preprocessing import read_image  # noqa: PLC0415 - with the models

        has_embedding = self._captioner.has_embedding
        pixels = read_image(preview)[None]
        told = self._captioner.describe_fully(pixels, embedding=[has_embedding], attention=[False])[0]
        embedding = (
            None if told.embedding is None else [round(float(each), EMBEDDING_DECIMALS) for each in told.embedding]
        )
        return CaptionAnswer(
            captions=[Alternative(value=each.sentence, confidence=each.confidence) for each in told.captions],
            model=self._caption_model,
            embedding=embedding,
            encoder=self._captioner.embedding_encoder if has_embedding else None,
        )

    def _classification(self, preview: bytes) -> ClassificationAnswer:
        scores = self._classifier.scores_of_file(preview)
        best = scores[0]
        return ClassificationAnswer(
            label=best.label if self._classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED,
            labels=[Alternative(value=each.label, confidence=each.confidence) for each in scores],
            model=self._label_model,
        )
