"""A model that cannot be used says so in one sentence, to whoever loads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from caption_service.model.architectures import build_by_name
from caption_service.model.artifact import load_dense_layers
from caption_service.model.captioner import Captioner
from caption_service.model.decoding import Decoding
from caption_service.model.saving import load_decoder, save_captioner
from caption_service.model.vocabulary import SPECIAL_TOKENS, Vocabulary
from caption_service.settings import default_encoder, default_model
from shared.artifacts import ArtifactError, file_sha256, read_manifest
from tests.fakes import manifest

VOCABULARY = Vocabulary((*SPECIAL_TOKENS, "a", "red", "square", "sky"))
SIZES = {
    "vocabulary_size": len(VOCABULARY),
    "sight": "regions",
    "feature_rms": 2.0,
    "embedding_size": 6,
    "lstm_size": 8,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _saved(tmp_path / "model")


def _saved(folder: Path, *, sight: str = "regions") -> Path:
    sizes = {"encoder_sha256": file_sha256(default_encoder() / "encoder.npz"), "vgg16_weights_sha256": "0" * 64}
    save_captioner(
        folder,
        manifest("captioner").model_copy(update={"sizes": sizes}),
        decoder=build_by_name("merge", SIZES | {"sight": sight}),
        vocabulary=VOCABULARY,
        decoding=Decoding(),
    )
    return folder


def _edit(folder: Path, **changes: object) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _edit_sizes(folder: Path, **changes: object) -> None:
    _edit(folder, sizes=json.loads((folder / "manifest.json").read_text())["sizes"] | changes)


def _rehash(folder: Path, name: str) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    _edit(folder, files=files | {name: file_sha256(folder / name)})


def _drop_word(folder: Path) -> None:
    file = folder / "vocabulary.json"
    file.write_text(json.dumps(json.loads(file.read_text())[:-1]))
    _rehash(folder, file.name)


def _no_zip(folder: Path) -> None:
    (folder / "decoder.npz").write_bytes(b"hello")
    _rehash(folder, "decoder.npz")


def _other_weights(folder: Path) -> None:
    np.savez(folder / "decoder.npz", **{"embedding/embeddings": np.zeros((3, 3), np.float16)})
    _rehash(folder, "decoder.npz")


def _unlisted(folder: Path) -> None:
    (folder / "decoder.npz").unlink()
    _edit(folder, files={})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (shutil.rmtree, "has no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "decoder.npz").unlink(), "decoder.npz is missing"),
        (lambda folder: (folder / "vocabulary.json").write_text("[]"), "SHA-256 differs"),
        (lambda folder: _edit(folder, format=99), "update Legenda"),
        (lambda folder: _edit(folder, kind="classifier"), "of kind classifier"),
        (_drop_word, "has 7 words, but its decoder was made for 8"),
        (_no_zip, "decoder.npz cannot be read"),
        (_other_weights, "of the shape that its manifest tells"),
        (_unlisted, "decoder.npz cannot be read"),
        (lambda folder: _edit_sizes(folder, encoder_sha256="0" * 64), "another encoder"),
        (lambda folder: _edit_sizes(folder, architecture="transformer"), "attention, merge: update Legenda"),
        (lambda folder: _edit_sizes(folder, decoder={"vocabulary_size": 8, "layers": 2}), "cannot be read"),
        (lambda folder: _edit(folder, sizes={}), "does not tell|another encoder"),
    ],
)
def test_a_broken_model_gives_one_clear_sentence(folder: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(folder)
    with pytest.raises(ArtifactError, match=words) as caught:
        Captioner.load(folder, encoder_folder=default_encoder())
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_broken_encoder_gives_one_clear_sentence(folder: Path, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    np.savez(encoder / "encoder.npz", **{"block1_conv1/kernel": np.zeros((3, 3, 3, 64), np.float16)})
    shutil.copy(default_encoder() / "manifest.json", encoder)
    _edit(encoder, files={"encoder.npz": file_sha256(encoder / "encoder.npz")})
    _edit_sizes(folder, encoder_sha256=file_sha256(encoder / "encoder.npz"))
    with pytest.raises(ArtifactError, match=r"encoder\.npz cannot be read: encoder\.npz lacks block1_conv1/bias"):
        Captioner.load(folder, encoder_folder=encoder)


def test_a_model_that_takes_fc2_says_which_file_it_needs(tmp_path: Path) -> None:
    folder = _saved(tmp_path / "model", sight="fc2")
    told = read_manifest(folder, kind="captioner")
    assert (told.sizes["architecture"], told.sizes["sight"]) == ("merge", "fc2")
    with pytest.raises(ArtifactError, match=r"set CAPTION_VGG16_WEIGHTS or --vgg16-weights .*not at .*none\.h5"):
        Captioner.load(folder, encoder_folder=default_encoder(), vgg16_weights=tmp_path / "none.h5")
    (tmp_path / "other.h5").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="another weights file of the full VGG16"):
        load_dense_layers(folder, told, tmp_path / "other.h5")


def test_a_manifest_without_an_architecture_is_of_the_attention_model() -> None:
    told = read_manifest(default_model(), kind="captioner")
    without = {name: value for name, value in told.sizes.items() if name != "architecture"}
    decoder, vocabulary, _ = load_decoder(default_model(), told.model_copy(update={"sizes": without}))
    assert type(decoder).__name__ == "AttentionDecoder"
    assert len(vocabulary) == decoder.sizes.vocabulary_size
