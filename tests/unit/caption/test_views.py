"""What a training on views sees: block 4's maps on disk, windows of them, and block 5 after them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageOps

from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import UnreadableImage, read_image
from caption_service.model.sight import halve
from caption_service.model.vocabulary import END_ID, START_ID, Vocabulary
from caption_service.settings import default_encoder
from caption_service.training.tail import Tail
from caption_service.training.view_batches import ViewBatches
from caption_service.training.view_sets import TrainingSet
from caption_service.training.views import (
    ALL_VIEWS,
    LARGE,
    MIRRORED,
    ONLY_WHOLE,
    UNMIRRORED,
    WHOLE,
    Views,
)
from tests.pictures import drawn_picture

ENCODER_FILE = default_encoder() / "encoder.npz"
NAMES = ["0.png", "1.png"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(NAMES):
        drawn_picture(300, 200, seed=number).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def views(pictures: Path, cache: Path) -> Views:
    return _views(pictures, cache, ALL_VIEWS)


def _views(pictures: Path, cache: Path, shares: dict[str, float]) -> Views:
    return Views.compute(NAMES, images=pictures, encoder_file=ENCODER_FILE, cache=cache, shares=shares)


def _numbered(side: int) -> np.ndarray:
    """Return the maps of one picture whose first channel tells each cell's row and column."""
    maps = np.zeros((1, side, side, 512), np.float16)
    maps[0, :, :, 0] = 100 * np.arange(side)[:, None] + np.arange(side)
    return maps


def test_block_5_after_the_whole_view_gives_what_the_encoder_gives(views: Views, pictures: Path) -> None:
    pixels = np.stack([read_image(pictures / name) for name in NAMES])
    served = halve(Encoder(ENCODER_FILE).encode(pixels))
    looked_at = Tail(ENCODER_FILE).look(views.whole()).astype(np.float32)
    assert looked_at.shape == served.shape == (2, 49, 512)
    assert np.abs(looked_at - served).mean() < 0.02 * served.mean()  # bfloat16 has 8 bits
    assert np.corrcoef(looked_at.ravel(), served.ravel())[0, 1] > 0.999


def test_a_written_encoder_differs_in_block_5_only(tmp_path: Path) -> None:
    tail = Tail(ENCODER_FILE)
    tail.convolutions[1].bias.assign_add(np.ones(512, np.float32))
    tail.write_encoder(ENCODER_FILE, tmp_path / "encoder.npz")
    with np.load(ENCODER_FILE) as before, np.load(tmp_path / "encoder.npz") as after:
        assert set(before) == set(after)
        assert {after[name].dtype for name in after} == {np.dtype(np.float16)}
        assert [name for name in before if not np.array_equal(before[name], after[name])] == ["block5_conv2/bias"]


def test_views_are_taken_from_the_cache_and_the_missing_ones_added(views: Views, pictures: Path, cache: Path) -> None:
    files = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert len(files) == 3
    whole = next(file for file in files if WHOLE in file.name)
    kept = np.array(views.whole())
    with whole.open("r+b") as stored:
        stored.truncate(kept.nbytes // 2 + 7)  # as a kill leaves it

    again = _views(pictures, cache, ALL_VIEWS)

    np.testing.assert_allclose(again.whole().astype(np.float32), kept.astype(np.float32), rtol=0.02, atol=0.5)
    np.testing.assert_array_equal(again.whole()[0], kept[0])
    assert {file for file in cache.iterdir() if files[file] != file.stat().st_mtime_ns} == {whole}


def test_another_block_5_shares_the_cache(pictures: Path, cache: Path, views: Views, tmp_path: Path) -> None:
    tail = Tail(ENCODER_FILE)
    tail.convolutions[0].bias.assign_add(np.ones(512, np.float32))
    tail.write_encoder(ENCODER_FILE, tmp_path / "encoder.npz")
    before = set(cache.iterdir())
    Views.compute(NAMES, images=pictures, encoder_file=tmp_path / "encoder.npz", cache=cache, shares=ONLY_WHOLE)
    assert set(cache.iterdir()) == before


def test_the_mirrored_view_is_the_view_of_the_mirrored_picture(
    views: Views, pictures: Path, cache: Path, tmp_path: Path
) -> None:
    for name in NAMES:
        ImageOps.mirror(drawn_picture(300, 200, seed=NAMES.index(name))).save(tmp_path / name)
    turned = _views(tmp_path, tmp_path / "cache", {LARGE: 1.0})
    mirrored = _views(pictures, cache, {MIRRORED: 1.0})
    one, other = (each.draw(0, np.random.default_rng(4)).astype(np.float32) for each in (turned, mirrored))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.999


def test_pictures_with_writing_are_never_seen_mirrored() -> None:
    views = Views({WHOLE: _numbered(14), LARGE: _numbered(16)}, UNMIRRORED)
    random = np.random.default_rng(0)
    assert len({int(views.draw(0, random)[0, 0, 0]) for _ in range(200)}) == 9
    assert sum(UNMIRRORED.values()) == pytest.approx(sum(ALL_VIEWS.values())) == 1.0


def test_a_view_is_the_whole_map_or_any_window_of_a_larger_one() -> None:
    maps = {WHOLE: -1 - _numbered(14), LARGE: _numbered(16), MIRRORED: 1000 + _numbered(16)}
    views, random = Views(maps, ALL_VIEWS), np.random.default_rng(0)
    drawn = [views.draw(0, random) for _ in range(300)]
    assert {each.shape for each in drawn} == {(14, 14, 512)}
    corners = [int(each[0, 0, 0]) for each in drawn]
    windows = {100 * top + left for top in range(3) for left in range(3)}
    assert set(corners) == {-1} | windows | {1000 + corner for corner in windows}
    assert 60 < corners.count(-1) < 120


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"hello")
    with pytest.raises(UnreadableImage, match=r"0\.png"):
        Views.compute(["0.png"], images=tmp_path, encoder_file=ENCODER_FILE, cache=tmp_path, shares=ONLY_WHOLE)


def test_an_epoch_shows_each_picture_as_often_as_its_set_says() -> None:
    vocabulary = Vocabulary.from_captions(["a dog", "a red cat"], min_count=1)
    views = Views({WHOLE: np.repeat(_numbered(14), 3, axis=0)}, ONLY_WHOLE)
    often = TrainingSet({"1": ["a dog", "a red cat"], "2": ["a red dog"]}, views, repeats=2)
    once = TrainingSet({"3": ["a cat", "a dog", "a red cat"]}, views, repeats=1)
    batches = ViewBatches([often, once], vocabulary, images=2, captions=2, tokens=4)
    epoch = list(batches.epoch(np.random.default_rng(1)))

    assert len(epoch) == len(batches) == 3
    shown = np.concatenate([batch.pictures for batch in epoch])
    assert sorted(shown[:5]) == [0, 0, 1, 1, 2]
    assert shown[5] == shown[0]  # fills the last batch
    for batch in epoch:
        assert batch.maps.shape == (2, 14, 14, 512)
        assert batch.said.shape == batch.next_said.shape == (4, 4)
        for row, (said, after) in enumerate(zip(batch.said, batch.next_said, strict=True)):
            sentence = after[: list(after).index(END_ID)].tolist()
            assert sentence in batches.sentences[batch.pictures[row // 2]]
            assert said[: len(sentence) + 1].tolist() == [START_ID, *sentence]
    several = next(batch for batch in epoch if 2 in batch.pictures)
    row = 2 * list(several.pictures).index(2)
    assert several.said[row].tolist() != several.said[row + 1].tolist()
