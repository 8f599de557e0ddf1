from pathlib import Path

import pytest
from PIL import Image

from shared.training_curve import draw_training_curve

PANELS = {"loss": ["train_loss"], "dev": ["dev_cider", "dev_bleu_4"]}


def test_a_log_becomes_a_picture_that_is_not_blank(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,train_loss,dev_cider\n1,4.5,0.1\n2,3.5,\n3,3.0,0.4\n", encoding="utf-8")

    draw_training_curve(log, tmp_path / "curve.png", PANELS)

    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.width > picture.height
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 50
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["curve.png", "log.csv"]


def test_an_empty_log_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,train_loss\n", encoding="utf-8")

    with pytest.raises(ValueError, match="no epochs"):
        draw_training_curve(log, tmp_path / "curve.png", PANELS)
