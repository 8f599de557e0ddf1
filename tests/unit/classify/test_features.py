"""The OpenCV features, measured on drawn pictures whose values are known."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from classify_service.model.features import FEATURE_NAMES, FEATURES, measure, named_features

Picture = npt.NDArray[np.uint8]


def _plain(colour: tuple[int, int, int], width: int = 512, height: int = 512) -> Picture:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def _page() -> Picture:
    return _plain((255, 255, 255))


def _page_of_text(*, line_px: int = 24) -> Picture:
    page = _page()
    for y in range(60, 440, line_px):
        for x in range(50, 450, 14):
            cv2.rectangle(page, (x, y), (x + 6, y + 9), (0, 0, 0), -1)
    return page


def test_every_feature_has_a_name_a_unit_and_one_finite_number() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 300, 3), dtype=np.uint8)
    for picture in (_page(), _page_of_text(), noise, _plain((0, 0, 0), 1, 1), _plain((9, 9, 9), 2000, 3)):
        vector = measure(picture)
        assert vector.shape == (len(FEATURE_NAMES),)
        assert vector.dtype == np.float32
        assert np.isfinite(vector).all()
    assert set(named_features(noise)) == set(FEATURE_NAMES)
    assert all(FEATURES.values())


@pytest.mark.parametrize(("width", "height", "aspect"), [(400, 200, 1.0), (200, 400, -1.0), (300, 300, 0.0)])
def test_aspect_is_the_log_of_width_by_height(width: int, height: int, aspect: float) -> None:
    assert named_features(_plain((90, 90, 90), width, height))["aspect"] == pytest.approx(aspect)


def test_a_picture_of_half_the_size_measures_nearly_the_same() -> None:
    page = _page_of_text()
    half = cv2.resize(page, (256, 256), interpolation=cv2.INTER_AREA)
    large, small = named_features(page), named_features(np.asarray(half, dtype=np.uint8))
    for name in ("aspect", "row_period", "white_share", "letter_height_median", "margin_top"):
        assert small[name] == pytest.approx(large[name], rel=0.25, abs=0.03), name


def test_colours_are_counted_in_their_bins() -> None:
    picture = _plain((255, 0, 0))
    picture[:, :128] = (0, 0, 255)
    values = named_features(picture)
    assert values["colour_hist_h_00"] == pytest.approx(0.75)
    assert values["colour_hist_h_08"] == pytest.approx(0.25)
    assert values["colour_hist_s_03"] == pytest.approx(1)
    assert values["colourless_share"] == 0
    assert values["saturation_mean"] == pytest.approx(1)
    assert values["first_colour_share"] == pytest.approx(0.75)
    assert values["four_colours_share"] == pytest.approx(1)
    assert values["colours_in_use"] == pytest.approx(1)


def test_a_grey_picture_has_no_colour() -> None:
    values = named_features(_plain((128, 128, 128)))
    assert values["colourless_share"] == 1
    assert values["colourfulness"] == 0
    assert sum(values[f"colour_hist_h_{at:02}"] for at in range(12)) == 0
    assert values["colour_hist_grey_04"] == 1
    assert values["grey_mean"] == pytest.approx(128 / 255)


def test_white_and_black_are_shared_out_over_the_bands() -> None:
    picture = _page()
    picture[342:] = 0
    values = named_features(picture)
    assert values["white_share"] == pytest.approx(2 / 3, abs=0.01)
    assert values["black_share"] == pytest.approx(1 / 3, abs=0.01)
    assert (values["white_top"], values["black_bottom"]) == pytest.approx((1, 1), abs=0.01)
    assert (values["grey_top"], values["grey_bottom"]) == pytest.approx((1, 0), abs=0.01)


def test_an_empty_page_is_flat_and_without_ink() -> None:
    values = named_features(_page())
    for name in ("edge_density", "corner_density", "ink_density", "component_density", "row_period", "noise"):
        assert values[name] == 0, name
    for name in ("flat_block_share", "gradient_zero_share", "constant_row_share", "blank_row_share", "margin_top"):
        assert values[name] == 1, name


def test_noise_is_rough_everywhere() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    values = named_features(noise)
    assert values["flat_block_share"] == 0
    assert values["busy_block_share"] > 0.5
    assert values["noise"] > 0.2
    assert values["colours_in_use"] == 0


def test_a_vertical_border_is_an_edge_of_its_direction() -> None:
    picture = _page()
    picture[:, :256] = 0
    values = named_features(picture)
    assert values["edge_density"] == pytest.approx(1 / 512, rel=0.1)
    assert values["edge_orientation_00"] == pytest.approx(1)
    assert values["edge_density_cell_01"] == pytest.approx(1 / 3, abs=0.02)
    assert values["edge_density_cell_00"] == 0


def test_a_horizontal_border_is_an_edge_of_the_other_direction() -> None:
    picture = _page()
    picture[:256] = 0
    assert named_features(picture)["edge_orientation_04"] == pytest.approx(1)


@pytest.mark.parametrize("width_px", [3, 5, 9])
def test_stroke_width_is_that_of_the_drawn_lines(width_px: int) -> None:
    page = _page()
    for y in range(60, 460, 60):
        cv2.rectangle(page, (50, y), (450, y + width_px - 1), (0, 0, 0), -1)
    values = named_features(page)
    assert values["text_stroke_width_median"] == pytest.approx(width_px, abs=1)
    assert values["text_stroke_width_deviation"] < 0.3


def test_light_writing_on_dark_ground_is_ink_too() -> None:
    page = _page_of_text()
    dark, light = named_features(page), named_features(255 - page)
    for name in ("ink_density", "text_stroke_width_median", "letter_height_median", "row_period"):
        assert light[name] == pytest.approx(dark[name], rel=0.02), name


def test_lines_of_letters_are_measured_as_they_were_drawn() -> None:
    values = named_features(_page_of_text(line_px=24))
    assert values["row_period"] == 24
    assert values["row_period_strength"] > 0.8
    assert values["letter_height_median"] == pytest.approx(10, abs=1)
    assert values["letter_width_median"] == pytest.approx(7, abs=1)
    assert values["letter_height_spread"] == pytest.approx(0, abs=0.05)
    assert values["letter_share"] == 1
    assert values["letter_density"] == pytest.approx(np.log10(16 * 29 / (512 * 512 / 1e6)), abs=0.02)
    assert values["letter_fill_median"] == pytest.approx(1, abs=0.05)
    assert values["left_edge_alignment"] == 1


def test_margins_are_what_is_left_around_the_ink() -> None:
    page = _page()
    for offset in range(0, 200, 20):
        cv2.rectangle(page, (128, 102 + offset), (383, 102 + offset + 4), (0, 0, 0), -1)
    values = named_features(page)
    assert values["margin_top"] == pytest.approx(102 / 512, abs=0.01)
    assert values["margin_bottom"] == pytest.approx((511 - 286) / 512, abs=0.01)
    assert values["margin_left"] == pytest.approx(0.25, abs=0.01)
    assert values["margin_right"] == pytest.approx(0.25, abs=0.01)


def test_ruled_lines_are_counted_by_direction() -> None:
    page = _page()
    for y in (100, 200, 300, 400):
        cv2.rectangle(page, (0, y), (511, y + 2), (0, 0, 0), -1)
    values = named_features(page)
    assert values["line_density_horizontal"] == pytest.approx(4, abs=0.2)
    assert values["long_line_horizontal"] == pytest.approx(4, abs=0.2)
    assert values["line_density_vertical"] == 0
    turned = named_features(np.ascontiguousarray(page.transpose(1, 0, 2)))
    assert turned["line_density_vertical"] == pytest.approx(4, abs=0.2)
    assert turned["line_density_horizontal"] == 0


def test_diagonal_lines_are_found() -> None:
    page = _page()
    cv2.line(page, (50, 50), (450, 450), (0, 0, 0), 3)
    assert named_features(page)["line_density_diagonal"] > 0.5
    assert named_features(_page_of_text())["line_density_diagonal"] < 0.05


def test_one_filled_box_is_one_component() -> None:
    page = _page()
    cv2.rectangle(page, (200, 200), (219, 219), (0, 0, 0), -1)
    values = named_features(page)
    assert values["largest_component_share"] == pytest.approx(400 / 512**2)
    assert values["largest_component_ink"] == 1
    assert values["component_density"] == pytest.approx(np.log10(1 + 1 / (512 * 512 / 1e6)))
    assert values["ink_grey_contrast"] == pytest.approx(1)


def test_a_picture_is_as_symmetric_as_its_mirror_image_says() -> None:
    picture = _page()
    picture[:, :256] = 0
    assert named_features(picture)["mirror_symmetry"] == pytest.approx(-1, abs=0.01)
    assert named_features(np.ascontiguousarray(picture.transpose(1, 0, 2)))["mirror_symmetry"] == pytest.approx(1)
