"""The encoder computes in what the processor is fastest in, and sees the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from caption_service.app import captioner_loader
from caption_service.model.encoder import Encoder
from caption_service.model.processor import fast_dtype
from caption_service.settings import CaptionSettings, default_encoder
from tests.pictures import drawn_picture


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [("fpu avx2 avx512f avx512_bf16 sse", "bfloat16"), ("amx_tile amx_bf16", "bfloat16"), ("fpu avx2", "float32")],
)
def test_bfloat16_is_taken_where_the_processor_multiplies_it_natively(flags: str, dtype: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name: a processor\nflags\t\t: {flags}\n")
    assert fast_dtype(tmp_path / "cpuinfo") == dtype


def test_where_no_processor_is_described_float32_is_taken(tmp_path: Path) -> None:
    assert fast_dtype(tmp_path / "cpuinfo") == "float32"


def test_in_bfloat16_the_encoder_sees_the_same() -> None:
    pixels, weights = np.asarray(drawn_picture(224, 224))[None], default_encoder() / "encoder.npz"
    exact, fast = Encoder(weights).encode(pixels), Encoder(weights, dtype="bfloat16").encode(pixels)
    assert fast.dtype == np.float32
    assert np.corrcoef(exact.ravel(), fast.ravel())[0, 1] > 0.9995
    assert not np.array_equal(exact, fast)
    assert np.linalg.norm(fast - exact) / np.linalg.norm(exact) < 0.006  # rounded pixels alone would add so much


def test_the_service_computes_in_the_precision_that_is_set() -> None:
    captioner = captioner_loader(CaptionSettings(backend="tensorflow", precision="bfloat16"))()
    assert (captioner.backend, captioner.dtype) == ("tensorflow", "bfloat16")
