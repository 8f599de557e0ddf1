"""The networks at toy size: real layers, random weights."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from caption_service.model.captioner import (
    Captioner,
    Decoding,
    Speaker,
    save_captioner,
)
from caption_service.model.decoder import AttentionDecoder, DecoderSizes, build_decoder
from caption_service.model.encoder import load_convolutions
from caption_service.model.preprocessing import (
    DamagedImage,
    TooManyPixels,
    UnreadableImage,
    preprocess,
    read_image,
)
from caption_service.model.vocabulary import END_ID, SPECIAL_TOKENS, START_ID, Vocabulary
from caption_service.settings import default_encoder
from shared.artifacts import ArtifactError, file_sha256
from tests.fakes import manifest
from tests.pictures import drawn_picture, encoded

VOCABULARY = Vocabulary((*SPECIAL_TOKENS, "a", "red", "square", "sky"))
SIZES = DecoderSizes(
    vocabulary_size=len(VOCABULARY),
    grid_side=7,
    feature_rms=2.0,
    embedding_size=6,
    lstm_size=8,
    attention_size=5,
)


@pytest.fixture
def decoder() -> AttentionDecoder:
    keras.utils.set_random_seed(3)
    return build_decoder(SIZES)


@pytest.fixture
def maps() -> np.ndarray:
    return np.abs(np.random.default_rng(1).normal(size=(2, 49, 512))).astype(np.float32)


def test_logits_and_attention_have_the_promised_shapes(decoder: AttentionDecoder, maps: np.ndarray) -> None:
    logits, weights = decoder((maps, np.array([[START_ID, 4, 5], [START_ID, 6, 7]])))
    assert logits.shape == (2, 3, len(VOCABULARY))
    assert weights.shape == (2, 3, 49)
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1.0, rtol=1e-5)


def test_a_word_depends_only_on_the_words_before_it(decoder: AttentionDecoder, maps: np.ndarray) -> None:
    one, _ = decoder((maps[:1], np.array([[START_ID, 4, 5, 6]])))
    other, _ = decoder((maps[:1], np.array([[START_ID, 4, 7, 7]])))
    np.testing.assert_allclose(one[:, :2], other[:, :2], rtol=1e-5)
    assert not np.allclose(one[:, 2:], other[:, 2:])


def test_what_is_said_depends_on_the_picture(decoder: AttentionDecoder, maps: np.ndarray) -> None:
    logits, _ = decoder((maps, np.array([[START_ID], [START_ID]])))
    assert not np.allclose(logits[0], logits[1])


def test_step_by_step_speaking_scores_words_as_teaching_does(decoder: AttentionDecoder, maps: np.ndarray) -> None:
    """Beam search and training must run the same network."""
    best = Speaker(decoder, VOCABULARY).describe(maps[:1], Decoding(beams=3, longest=4))[0][0]
    said = VOCABULARY.token_ids(best.sentence)
    logits, _ = decoder((maps[:1], np.array([[START_ID, *said]])))
    log_probabilities = np.asarray(keras.ops.log_softmax(logits))[0]
    ended = [*said, END_ID]
    mean = np.mean([log_probabilities[at, word] for at, word in enumerate(ended)])
    assert best.confidence == pytest.approx(float(np.exp(mean)), rel=1e-3)


def test_an_artifact_says_the_same_after_saving_and_loading(
    decoder: AttentionDecoder, maps: np.ndarray, tmp_path: Path
) -> None:
    captioner = _saved_captioner(tmp_path / "model", decoder)
    image = np.asarray(drawn_picture(224, 224))[None]
    described = captioner.describe(image)[0]
    assert described
    assert all(set(each.sentence.split()) <= set(VOCABULARY.tokens) for each in described)
    assert all(0 < each.confidence <= 1 for each in described)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "decoder.npz").unlink(), "decoder.npz is missing"),
        (lambda folder: (folder / "vocabulary.json").write_text("[]"), "SHA-256 differs"),
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest.json"),
        (lambda folder: _edit(folder, format=99), "update Legenda"),
        (lambda folder: _edit(folder, kind="classifier"), "of kind classifier"),
        (lambda folder: _drop_word(folder), "made for 8"),  # noqa: PLW0108  # defined below
        (lambda folder: _edit_sizes(folder, encoder_sha256="0" * 64), "another encoder"),
    ],
)
def test_a_broken_artifact_gives_one_clear_sentence(
    decoder: AttentionDecoder, tmp_path: Path, damage, words: str
) -> None:
    folder = tmp_path / "model"
    _saved_captioner(folder, decoder)
    damage(folder)
    with pytest.raises(ArtifactError, match=words) as caught:
        Captioner.load(folder, encoder_folder=default_encoder())
    assert "\n" not in str(caught.value)


def test_an_encoder_file_without_a_layer_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", **{"block1_conv1/kernel": np.zeros((3, 3, 3, 2), np.float16)})
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="block1_conv1")])
    with pytest.raises(ValueError, match="lacks block1_conv1/bias"):
        load_convolutions(network, tmp_path / "e.npz")


def test_vgg16s_input_is_bgr_without_the_channel_means() -> None:
    red = np.zeros((1, 224, 224, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_allclose(preprocess(red)[0, 0, 0], [-103.939, -116.779, 255 - 123.68], rtol=1e-5)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "RGBA", "LA"])
def test_every_colour_mode_becomes_an_rgb_square(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    image = read_image(encoded(drawn_picture(100, 40).convert(mode), kind))
    assert image.shape == (224, 224, 3)
    assert image.dtype == np.uint8


def test_transparency_lies_on_white() -> None:
    image = drawn_picture().convert("RGBA")
    image.putalpha(0)
    assert read_image(encoded(image, "PNG")).min() == 255


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    image = drawn_picture(80, 40)
    exif = image.getexif()
    exif[0x0112] = 6
    upright = read_image(encoded(image.rotate(90, expand=True), "JPEG", exif=exif, quality=95))
    straight = read_image(encoded(image, "JPEG", quality=95))
    assert np.abs(upright.astype(int) - straight).mean() < 4


def test_what_cannot_be_read_says_which_way() -> None:
    with pytest.raises(UnreadableImage):
        read_image(b"hello")
    with pytest.raises(DamagedImage):
        read_image(encoded(drawn_picture(300, 300))[:900])
    with pytest.raises(TooManyPixels):
        read_image(encoded(drawn_picture(8000, 8000), "PNG"))


def _saved_captioner(folder: Path, decoder: AttentionDecoder) -> Captioner:
    encoder_sha256 = file_sha256(default_encoder() / "encoder.npz")
    unsaved = manifest("captioner").model_copy(update={"sizes": {"encoder_sha256": encoder_sha256}})
    save_captioner(folder, unsaved, decoder=decoder, vocabulary=VOCABULARY, decoding=Decoding(beams=2, longest=4))
    return Captioner.load(folder, encoder_folder=default_encoder())


def _edit(folder: Path, **changes: object) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _edit_sizes(folder: Path, **changes: object) -> None:
    file = folder / "manifest.json"
    _edit(folder, sizes=json.loads(file.read_text())["sizes"] | changes)


def _drop_word(folder: Path) -> None:
    file = folder / "vocabulary.json"
    file.write_text(json.dumps(json.loads(file.read_text())[:-1]))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    _edit(folder, files=files | {"vocabulary.json": file_sha256(file)})
