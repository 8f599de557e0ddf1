"""Without TensorFlow the same words are found as with it, and the decoder looks at the same places."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

from caption_service.model.backends import Computing
from caption_service.model.captioner import Captioner
from caption_service.model.decoder import build_decoder
from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.decoding import Decoding
from caption_service.model.graph_voice import GraphVoice
from caption_service.model.numpy_voice import NumpyVoice
from caption_service.model.preprocessing import read_image
from caption_service.model.saving import stored_weights
from caption_service.model.vocabulary import START_ID
from caption_service.settings import default_encoder, default_model
from tests.pictures import photo_bytes

SAMPLES = sorted((Path(__file__).resolve().parents[3] / "web" / "samples").glob("*.jpg"))
SIZES = DecoderSizes(
    vocabulary_size=12, grid_side=7, feature_rms=1.5, feature_size=5, embedding_size=6, lstm_size=8, attention_size=4
)
HOW = Decoding(beams=3, longest=6, other_groups=2, other_beams=2, diversity=1.5)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Of a toy decoder, large and random, so that its words are not all alike."""
    keras.utils.set_random_seed(7)
    decoder = build_decoder(SIZES)
    rng = np.random.default_rng(3)
    decoder.set_weights([rng.normal(0, 0.9, each.shape).astype(np.float16) for each in decoder.get_weights()])
    return stored_weights(decoder)


@pytest.fixture(scope="module")
def voices(weights: dict[str, np.ndarray]) -> tuple[NumpyVoice, GraphVoice]:
    decoder = build_decoder(SIZES)
    for variable in decoder.weights:
        variable.assign(weights[variable.path.partition("/")[2]].astype(np.float32))
    return NumpyVoice(weights, SIZES), GraphVoice(decoder)


@pytest.fixture(scope="module")
def seen() -> np.ndarray:
    return np.random.default_rng(5).normal(0, 1.5, (6, *SIZES.seen_shape)).astype(np.float32)


@pytest.mark.parametrize("how", [HOW, HOW.alone, Decoding(beams=1, longest=3, other_groups=0)])
def test_the_same_sentences_are_found(voices: tuple[NumpyVoice, GraphVoice], seen: np.ndarray, how: Decoding) -> None:
    ours, others = (voice.find(seen, how) for voice in voices)
    for of_image, of_other in zip(ours, others, strict=True):
        for group, other in zip(of_image, of_other, strict=True):
            assert [each.token_ids for each in group] == [each.token_ids for each in other]
            expected = [each.log_probability for each in other]
            assert [each.log_probability for each in group] == pytest.approx(expected, abs=1e-4)


def test_the_decoder_looks_at_the_same_places(voices: tuple[NumpyVoice, GraphVoice], seen: np.ndarray) -> None:
    ours, others = (voice.attend(seen[0], [START_ID, 7, 5, 9]) for voice in voices)
    np.testing.assert_allclose(ours, others, atol=1e-5)
    np.testing.assert_allclose(ours.sum(axis=1), np.ones(4), atol=1e-5)


def test_what_is_found_depends_neither_on_other_images_nor_on_other_threads(
    voices: tuple[NumpyVoice, GraphVoice], seen: np.ndarray
) -> None:
    ours, _ = voices
    together = ours.find(seen, HOW)
    with ThreadPoolExecutor(4) as threads:
        alone = list(threads.map(lambda one: ours.find(one[None], HOW)[0], seen))
    for of_image, of_other in zip(alone, together, strict=True):
        assert [[each.token_ids for each in group] for group in of_image] == [
            [each.token_ids for each in group] for group in of_other
        ]


@pytest.mark.parametrize("name", ["lstm/kernel", "look/gate/bias", "embedding/embeddings"])
def test_weights_that_do_not_fit_are_refused(weights: dict[str, np.ndarray], name: str) -> None:
    for changed in ({key: value for key, value in weights.items() if key != name}, weights | {name: np.zeros((1, 1))}):
        with pytest.raises(ValueError, match=f"it has no {name} of the shape that its manifest tells"):
            NumpyVoice(changed, SIZES)


def test_the_shipped_model_says_the_same_without_tensorflow() -> None:
    pixels = np.stack([read_image(file) for file in SAMPLES[:4]])
    asked = {"embedding": [True] * len(pixels), "attention": [True] * len(pixels)}
    ours, others = (
        Captioner.load(default_model(), encoder_folder=default_encoder(), computing=computing)
        for computing in (Computing("ncnn"), Computing("tensorflow"))
    )
    for one, other in zip(ours.describe_fully(pixels, **asked), others.describe_fully(pixels, **asked), strict=True):
        assert [each.sentence for each in one.captions] == [each.sentence for each in other.captions]
        expected = [each.confidence for each in other.captions]
        assert [each.confidence for each in one.captions] == pytest.approx(expected, abs=1e-3)
        np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-4)
        for look, same in zip(one.looks, other.looks, strict=True):
            assert look.word == same.word
            np.testing.assert_allclose(look.weights, same.weights, atol=1e-3)


def test_serving_on_a_processor_does_without_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(photo_bytes())
    script = f"""
import sys
import numpy as np
from pathlib import Path
from caption_service.app import captioner_loader
from caption_service.model.preprocessing import read_image
from caption_service.settings import CaptionSettings
captioner = captioner_loader(CaptionSettings(backend="ncnn", precision="float32"))()
pixels = read_image(Path({str(tmp_path / "photo.jpg")!r}))[None]
print(len(captioner.describe_fully(pixels, embedding=[True], attention=[True])[0].captions[0].sentence.split()) > 2)
print(sorted({{"tensorflow", "keras"}} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["True", "[]"]


def test_another_architecture_is_left_to_tensorflow() -> None:
    pixels, merge = read_image(SAMPLES[0])[None], default_model().parent / "merge"
    ours, others = (
        Captioner.load(merge, encoder_folder=default_encoder(), computing=computing)
        for computing in (Computing("ncnn"), Computing("tensorflow"))
    )
    assert ours.describe(pixels)[0][0].sentence == others.describe(pixels)[0][0].sentence
