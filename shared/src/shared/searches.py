"""Which images a search finds, as query parameters that several endpoints share; without order and page.

Annotations are evaluated here, not postponed: FastAPI reads them off the dataclass.
"""

from dataclasses import dataclass

from shared.contracts import Label, Status
from shared.search_questions import (
    LabelledBy,
    LeastConfidence,
    MostConfidence,
    SearchText,
    StoredBefore,
    StoredSince,
)


@dataclass(frozen=True)
class Search:
    """Images that fit all that is said; with nothing said, all images."""

    q: SearchText = ""
    label: Label | None = None
    status: Status | None = None
    source: LabelledBy = None
    created_after: StoredSince = None
    created_before: StoredBefore = None
    min_confidence: LeastConfidence = None
    max_confidence: MostConfidence = None

    def parameters(self) -> dict[str, str | int | float]:
        """Return what is said as query parameters, to ask the same of another service."""
        asked: dict[str, str | int | float | None] = {
            "q": self.q or None,
            "label": self.label,
            "status": self.status,
            "source": self.source,
            "created_after": None if self.created_after is None else self.created_after.isoformat(),
            "created_before": None if self.created_before is None else self.created_before.isoformat(),
            "min_confidence": self.min_confidence,
            "max_confidence": self.max_confidence,
        }
        return {name: value for name, value in asked.items() if value is not None}
