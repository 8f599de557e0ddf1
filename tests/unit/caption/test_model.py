"""The networks at toy size: real layers, random weights."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from caption_service.model.architectures import ARCHITECTURES, build_by_name, build_like, name_of
from caption_service.model.beam import Sentence
from caption_service.model.captioner import Captioner
from caption_service.model.confidence import Calibration
from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.decoding import Decoding, unlike
from caption_service.model.encoder import load_convolutions
from caption_service.model.graph_voice import GraphVoice
from caption_service.model.merge import MergeSizes
from caption_service.model.preprocessing import (
    DamagedImage,
    TooManyPixels,
    UnreadableImage,
    preprocess,
    read_image,
)
from caption_service.model.saving import save_captioner
from caption_service.model.speaker import Speaker
from caption_service.model.speech import Decoder
from caption_service.model.vocabulary import END_ID, SPECIAL_TOKENS, START_ID, Vocabulary
from caption_service.settings import default_encoder
from shared.artifacts import file_sha256, read_manifest, write_manifest
from tests.fakes import manifest
from tests.pictures import drawn_picture, encoded

VOCABULARY = Vocabulary((*SPECIAL_TOKENS, "a", "red", "square", "sky"))
SIZES = {
    "attention": DecoderSizes(
        vocabulary_size=len(VOCABULARY),
        grid_side=7,
        feature_rms=2.0,
        embedding_size=6,
        lstm_size=8,
        attention_size=5,
    ),
    "merge": MergeSizes(
        vocabulary_size=len(VOCABULARY), sight="regions", feature_rms=2.0, embedding_size=6, lstm_size=8
    ),
}
SHIPPED_ENCODER_SHA256 = file_sha256(default_encoder() / "encoder.npz")


@pytest.fixture(params=sorted(ARCHITECTURES))
def decoder(request: pytest.FixtureRequest) -> Decoder:
    keras.utils.set_random_seed(3)
    return ARCHITECTURES[request.param].build(SIZES[request.param])


@pytest.fixture
def merge_decoder() -> Decoder:
    return ARCHITECTURES["merge"].build(SIZES["merge"])


@pytest.fixture
def seen(decoder: Decoder) -> np.ndarray:
    return np.abs(np.random.default_rng(1).normal(size=(2, *decoder.sizes.seen_shape))).astype(np.float32)


def test_logits_and_attention_have_the_promised_shapes(decoder: Decoder, seen: np.ndarray) -> None:
    logits, weights = decoder((seen, np.array([[START_ID, 4, 5], [START_ID, 6, 7]])))
    assert logits.shape == (2, 3, len(VOCABULARY))
    if name_of(decoder) == "attention":
        assert weights.shape == (2, 3, 49)
        np.testing.assert_allclose(np.sum(weights, axis=-1), 1.0, rtol=1e-5)
    else:
        assert weights is None


def test_the_merge_decoders_lstm_never_sees_the_picture(merge_decoder: Decoder) -> None:
    pictures = np.abs(np.random.default_rng(1).normal(size=(2, 4096))).astype(np.float32)
    memory, state = merge_decoder.begin(pictures)
    thought, (hidden, _), _ = merge_decoder.step(np.array([START_ID, START_ID]), state, memory)
    np.testing.assert_array_equal(hidden[0], hidden[1])
    np.testing.assert_allclose(thought - hidden, memory[0], atol=1e-6)
    assert not np.allclose(thought[0], thought[1])


def test_a_decoder_can_be_built_again_from_its_name_and_sizes(decoder: Decoder) -> None:
    for again in (build_by_name(name_of(decoder), vars(decoder.sizes)), build_like(decoder)):
        assert [tuple(each.shape) for each in again.weights] == [tuple(each.shape) for each in decoder.weights]


def test_a_word_depends_only_on_the_words_before_it(decoder: Decoder, seen: np.ndarray) -> None:
    one, _ = decoder((seen[:1], np.array([[START_ID, 4, 5, 6]])))
    other, _ = decoder((seen[:1], np.array([[START_ID, 4, 7, 7]])))
    np.testing.assert_allclose(one[:, :2], other[:, :2], rtol=1e-5)
    assert not np.allclose(one[:, 2:], other[:, 2:])


def test_what_is_said_depends_on_the_picture(decoder: Decoder, seen: np.ndarray) -> None:
    logits, _ = decoder((seen, np.array([[START_ID], [START_ID]])))
    assert not np.allclose(logits[0], logits[1])


def test_step_by_step_speaking_scores_words_as_teaching_does(decoder: Decoder, seen: np.ndarray) -> None:
    """Beam search and training must run the same network."""
    best = Speaker(GraphVoice(decoder), VOCABULARY).describe(seen[:1], Decoding(beams=3, longest=4))[0][0]
    said = VOCABULARY.token_ids(best.sentence)
    logits, _ = decoder((seen[:1], np.array([[START_ID, *said]])))
    log_probabilities = np.asarray(keras.ops.log_softmax(logits))[0]
    ended = [*said, END_ID]
    mean = np.mean([log_probabilities[at, word] for at, word in enumerate(ended)])
    assert best.word_log_probability == pytest.approx(mean, rel=1e-3)
    assert best.confidence == pytest.approx(float(np.exp(mean)), rel=1e-3)


def test_an_artifact_says_the_same_after_saving_and_loading(decoder: Decoder, tmp_path: Path) -> None:
    captioner = _saved_captioner(tmp_path / "model", decoder)
    image = np.asarray(drawn_picture(224, 224))[None]
    described = captioner.describe(image)[0]
    assert described
    assert all(set(each.sentence.split()) <= set(VOCABULARY.tokens) for each in described)
    assert all(0 < each.confidence <= 1 for each in described)


def test_where_it_looks_is_told_for_each_word_of_the_best_caption(decoder: Decoder, tmp_path: Path) -> None:
    captioner = _saved_captioner(tmp_path / "model", decoder)
    image = np.asarray(drawn_picture(224, 224))
    assert captioner.attends == (name_of(decoder) == "attention")
    if not captioner.attends:
        with pytest.raises(ValueError, match="does not attend"):
            captioner.describe_fully(image[None], embedding=[False], attention=[True])
        return
    other, full = captioner.describe_fully(
        np.stack([image[::-1], image]), embedding=[False, False], attention=[False, True]
    )
    assert other.looks is None
    assert full.looks is not None
    assert " ".join(look.word for look in full.looks) == full.captions[0].sentence
    for look in full.looks:
        assert look.weights.shape == (14, 14)
        assert float(look.weights.sum()) == pytest.approx(1.0, rel=1e-4)
        np.testing.assert_array_equal(look.weights[0::2, 0::2], look.weights[1::2, 1::2])
    alone = captioner.describe(image[None])[0]
    assert [each.sentence for each in full.captions] == [each.sentence for each in alone]
    # Two pictures may be added up in another order than one.
    assert [each.confidence for each in full.captions] == pytest.approx([each.confidence for each in alone], abs=1e-5)
    assert full.embedding is None


def test_a_calibrated_model_tells_the_curves_confidence(tmp_path: Path) -> None:
    decoder = ARCHITECTURES["attention"].build(SIZES["attention"])
    _saved_captioner(tmp_path / "model", decoder)
    plain = read_manifest(tmp_path / "model", kind="captioner")
    curve = Calibration(intercept=1.0, slope=0.5, cider_d=0.4)
    write_manifest(tmp_path / "model", plain.model_copy(update={"sizes": {**plain.sizes, "calibration": vars(curve)}}))
    captioner = Captioner.load(tmp_path / "model", encoder_folder=default_encoder())
    for caption in captioner.describe(np.asarray(drawn_picture(224, 224))[None])[0]:
        assert caption.confidence == pytest.approx(curve.confidence(caption.word_log_probability))


def test_alternatives_differ_in_more_than_a_word_where_they_can() -> None:
    best, twin, other = Sentence((4, 5, 6), -1.0), Sentence((4, 5, 7), -1.1), Sentence((7, 7, 4), -3.0)
    better = Sentence((8, 9), -2.0)
    assert unlike([[best, twin], [twin, best, other], [better]], Decoding(length_power=0.0)) == [best, better, other]
    assert unlike([[best], [twin]], Decoding()) == [best, twin]


def test_no_sentence_is_told_twice() -> None:
    best, again = Sentence((4, 5, 6), -1.0), Sentence((4, 5, 6), -1.0001)  # another row may round otherwise
    assert unlike([[best], [again], [again]], Decoding()) == [best]


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


def _saved_captioner(folder: Path, decoder: Decoder) -> Captioner:
    unsaved = manifest("captioner").model_copy(update={"sizes": {"encoder_sha256": SHIPPED_ENCODER_SHA256}})
    save_captioner(folder, unsaved, decoder=decoder, vocabulary=VOCABULARY, decoding=Decoding(beams=2, longest=4))
    return Captioner.load(folder, encoder_folder=default_encoder())
