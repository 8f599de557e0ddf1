"""The decoder architectures by the name that a manifest gives them.

Another architecture is one more line here: a class of sizes and a way to build a decoder of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caption_service.model.decoder import build_decoder
from caption_service.model.decoder_sizes import ATTENTION, DecoderSizes
from caption_service.model.merge import MergeSizes, build_merge_decoder
from caption_service.model.speech import Decoder

MERGE = "merge"


class UnknownArchitecture(ValueError):
    """No architecture of that name; the artifact may be of a newer version."""


@dataclass(frozen=True)
class Architecture:
    """How one kind of decoder is described and built."""

    sizes: type
    build: Callable[[Any], Decoder]


ARCHITECTURES = {
    ATTENTION: Architecture(DecoderSizes, build_decoder),
    MERGE: Architecture(MergeSizes, build_merge_decoder),
}


def build_by_name(name: str, sizes: dict[str, Any]) -> Decoder:
    """Build the decoder that a manifest describes, with random weights.

    Raises:
        UnknownArchitecture: no architecture of that name.
        TypeError: the sizes are not those of that architecture.
    """
    if name not in ARCHITECTURES:
        raise UnknownArchitecture(f"architecture {name} is not one of {', '.join(ARCHITECTURES)}: update Legenda")
    architecture = ARCHITECTURES[name]
    return architecture.build(architecture.sizes(**sizes))


def build_like(decoder: Decoder) -> Decoder:
    """Build a decoder of the same architecture and sizes, with random weights."""
    return ARCHITECTURES[name_of(decoder)].build(decoder.sizes)


def name_of(decoder: Decoder) -> str:
    """Return the name of a decoder's architecture, as a manifest gives it."""
    return next(name for name, each in ARCHITECTURES.items() if isinstance(decoder.sizes, each.sizes))
