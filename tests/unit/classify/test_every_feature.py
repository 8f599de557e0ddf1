"""Each OpenCV feature, measured on a drawn picture of which its value is known."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from classify_service.model.features import FEATURE_NAMES, named_features

Picture = npt.NDArray[np.uint8]

SIDE = 512
WHITE, GREY, BLACK, RED = (255, 255, 255), (128, 128, 128), (0, 0, 0), (255, 0, 0)


def _plain(colour: tuple[int, int, int], width: int = SIDE, height: int = SIDE) -> Picture:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def _stripes(colours: list[tuple[int, int, int]]) -> Picture:
    picture = _plain(WHITE)
    for at, columns in enumerate(np.array_split(np.arange(SIDE), len(colours))):
        picture[:, columns] = colours[at]
    return picture


def _bands(colours: list[tuple[int, int, int]]) -> Picture:
    return np.ascontiguousarray(_stripes(colours).transpose(1, 0, 2))


def _of_hue(degrees: float, saturation: float) -> tuple[int, int, int]:
    hsv = np.array([[[degrees / 2, round(255 * saturation), 255]]], dtype=np.uint8)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue


def _boxes(*boxes: tuple[int, int, int, int], colour: tuple[int, int, int] = BLACK) -> Picture:
    """Draw filled boxes of (left, top, width, height) on white."""
    page = _plain(WHITE)
    for left, top, width, height in boxes:
        page[top : top + height, left : left + width] = colour
    return page


def _columns_of(period_px: int, dark_px: int) -> Picture:
    page = _plain(WHITE)
    page[:, np.arange(SIDE) % period_px < dark_px] = 0
    return page


def _turned(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture.transpose(1, 0, 2))


def _grating(degrees: float) -> Picture:
    """Draw waves that run at an angle, so that every gradient points along it."""
    y, x = np.mgrid[:SIDE, :SIDE]
    turned = np.deg2rad(degrees)
    wave = 128 + 100 * np.sin(2 * np.pi * (x * np.cos(turned) + y * np.sin(turned)) / 32)
    return np.repeat(wave.astype(np.uint8)[..., None], 3, axis=2)


def _letters(widths: tuple[int, ...] = (6,), *, period_px: int = 24) -> Picture:
    """Draw lines of letters 10 pixels high and of these widths in turn, from column 50 on."""
    boxes = [(50 + 20 * at, top, widths[at % len(widths)], 10) for top in range(60, 440, period_px) for at in range(20)]
    return _boxes(*boxes)


def _slanting_line() -> Picture:
    page = _plain(WHITE)
    cv2.line(page, (60, 60), (450, 450), BLACK, 3)
    return page


def _middle_of(colour: tuple[int, int, int], around: tuple[int, int, int]) -> Picture:
    picture = _plain(around)
    picture[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] = colour
    return picture


LINES = [(0, 40 * at + 20, SIDE, 5) for at in range(12)]
"""Twelve lines across the page, five pixels high: four in each third."""

DOTS = [(50 * x + 20, 50 * y + 20, 1, 1) for x in range(9) for y in range(9)]

LETTER_COUNT = 16 * 20

KNOWN: list[tuple[Callable[[], Picture], dict[str, float]]] = [
    (
        lambda: _stripes([_of_hue(30 * at + 15, 1) for at in range(12)]),
        {f"colour_hist_h_{at:02}": 1 / 12 for at in range(12)} | {"colourless_share": 0, "saturation_mean": 1},
    ),
    (
        lambda: _stripes([_of_hue(15, share) for share in (0.12, 0.37, 0.62, 0.87)]),
        {f"colour_hist_s_{at:02}": 1 / 4 for at in range(4)} | {"saturation_mean": 0.495},
    ),
    (
        lambda: _stripes([(16 + 32 * at,) * 3 for at in range(8)]),  # type: ignore[misc]
        {f"colour_hist_grey_{at:02}": 1 / 8 for at in range(8)}
        | {
            "grey_mean": 128 / 255,
            "grey_deviation": 32 * np.sqrt(63 / 12) / 255,
            "colours_in_use": 3,
            "first_colour_share": 1 / 8,
            "four_colours_share": 1 / 2,
            "colourfulness": 0,
            "constant_column_share": 1,
            "constant_row_share": 0,
        },
    ),
    (
        lambda: _stripes([RED, GREY]),
        # Red less green is 255 or 0, yellow less blue 127.5 or 0; Hasler and Suesstrunk's sum, by 110.
        {"colourfulness": (np.hypot(127.5, 63.75) + 0.3 * np.hypot(127.5, 63.75)) / 110},
    ),
    (
        lambda: _bands([WHITE, GREY, BLACK]),
        {"white_top": 1, "white_middle": 0, "white_bottom": 0, "black_top": 0, "black_middle": 0, "black_bottom": 1}
        | {"grey_top": 1, "grey_middle": 128 / 255, "grey_bottom": 0, "white_share": 1 / 3, "black_share": 1 / 3},
    ),
    *[
        (
            lambda y=y, x=x: _boxes((171 * x + 60, 171 * y + 60, 50, 50)),
            {
                f"edge_density_cell_{row}{column}": float((row, column) == (y, x))
                for row in range(3)
                for column in range(3)
            },
        )
        for y in range(3)
        for x in range(3)
    ],
    *[(lambda at=at: _grating(22.5 * at), {f"edge_orientation_{at:02}": 1}) for at in range(8)],
    (
        lambda: _stripes([(at // 2,) * 3 for at in range(SIDE)]),  # type: ignore[misc]
        {"gradient_mean": 0.5 / 255, "gradient_strong_share": 0, "gradient_zero_share": 0},
    ),
    (
        lambda: _stripes([BLACK, WHITE]),
        {"gradient_strong_share": 2 / SIDE, "gradient_zero_share": 1 - 2 / SIDE, "gradient_mean": 1 / SIDE}
        | {"edge_density": 1 / SIDE, "border_deviation": 0.5, "mirror_symmetry": -1},
    ),
    (lambda: _columns_of(2, 1), {"sharpness": np.log10(1 + 510**2), "noise": 2, "flat_block_share": 0}),
    (lambda: _columns_of(8, 4), {"block_deviation_median": 0.5, "busy_block_share": 1}),
    (lambda: _columns_of(16, 8), {"block_deviation_median": 0, "flat_block_share": 1, "busy_block_share": 0}),
    (
        lambda: _boxes(*DOTS),
        {"corner_density": 1000 * len(DOTS) / SIDE**2},
    ),
    (lambda: _boxes(*LINES, colour=RED), {"ink_saturation": 1, "ink_grey_contrast": (255 - 76) / 255}),
    (
        lambda: _boxes(*LINES),
        {"ink_density": 60 / SIDE, "ink_top": 20 / 171, "ink_middle": 20 / 171, "ink_bottom": 20 / 170}
        | {"line_density_horizontal": 20, "long_line_horizontal": 20, "line_density_vertical": 0}
        | {"row_ink_deviation": np.sqrt((SIDE - 60) / 60), "column_ink_deviation": 0, "blank_row_share": 1 - 60 / SIDE}
        | {"row_period": 40, "text_stroke_width_median": 5, "text_stroke_width_mean": 5, "stroke_thin_share": 0}
        | {"text_stroke_width_deviation": 0, "stroke_thick_share": 0, "component_density": np.log10(1 + 12e6 / SIDE**2)}
        | {"largest_component_share": 5 / SIDE, "largest_component_ink": 1 / 12, "box_component_share": 60 / SIDE},
    ),
    (
        lambda: _turned(_boxes(*LINES)),
        {"line_density_vertical": 20, "long_line_vertical": 20, "line_density_horizontal": 0, "long_line_horizontal": 0}
        | {
            "column_ink_deviation": np.sqrt((SIDE - 60) / 60),
            "row_ink_deviation": 0,
            "blank_column_share": 1 - 60 / SIDE,
        },
    ),
    (lambda: _boxes((0, 200, SIDE, 1)), {"stroke_thin_share": 1, "stroke_thick_share": 0}),
    (lambda: _boxes((0, 200, SIDE, 12)), {"stroke_thin_share": 0, "stroke_thick_share": 1}),
    (
        _letters,
        {"letter_height_median": 10, "letter_width_median": 6, "letter_height_spread": 0, "letter_width_spread": 0}
        | {"letter_share": 1, "letter_fill_median": 1, "letter_ink_share": 1, "row_period": 24}
        | {"letter_density": np.log10(1 + LETTER_COUNT * 1e6 / SIDE**2), "left_edge_alignment": 1}
        | {"margin_top": 60 / SIDE, "margin_bottom": 82 / SIDE, "margin_left": 50 / SIDE, "margin_right": 76 / SIDE}
        | {"blank_column_share": 1 - 120 / SIDE, "blank_row_share": 1 - 160 / SIDE},
    ),
    (lambda: _letters((4, 12)), {"letter_width_spread": 1, "letter_width_median": 8}),
    (
        lambda: _boxes((50, 50, 20, 20), (50, 100, 100, 4), (50, 200, 100, 4)),
        {"letter_ink_share": 1 / 3, "letter_share": 1 / 3, "largest_component_ink": 1 / 3},
    ),
    (lambda: _middle_of(RED, WHITE), {"saturation_centre": 1}),
    (lambda: _middle_of(WHITE, BLACK), {"grey_centre": 1, "border_deviation": 0, "mirror_symmetry": 1}),
    (lambda: _plain(GREY, 400, 100), {"aspect": 2}),
]

NEAR: dict[str, tuple[Callable[[], Picture], float, float]] = {
    "row_period_strength": (_letters, 0.8, 1),
    "column_period_strength": (lambda: _turned(_letters()), 0.8, 1),
    "line_density_diagonal": (_slanting_line, 0.5, 4),
    "corner_per_edge": (lambda: _boxes(*DOTS), 1 / 9, 1 / 4),
}
"""Features that a drawing fixes only within bounds."""


@pytest.mark.parametrize("at", range(len(KNOWN)))
def test_a_feature_has_the_value_that_was_drawn(at: int) -> None:
    draw, known = KNOWN[at]
    measured = named_features(draw())
    wrong = {
        name: (measured[name], value)
        for name, value in known.items()
        if measured[name] != pytest.approx(value, rel=0.06, abs=0.012)
    }
    assert wrong == {}


@pytest.mark.parametrize("name", NEAR)
def test_a_feature_lies_where_the_drawing_puts_it(name: str) -> None:
    draw, low, high = NEAR[name]
    assert low <= named_features(draw())[name] <= high


def test_no_feature_is_left_out() -> None:
    tested = {name for _, known in KNOWN for name in known} | set(NEAR)
    assert tested == set(FEATURE_NAMES)
