"""What a feature is called when a person asks why: one phrase where it is low, one where it is high.

Low and high are meant against the training pictures' average. Features that say the same share their phrases, so that
a list of reasons says it once.
"""

from __future__ import annotations

from classify_service.model.features.colour import HUE_BINS
from classify_service.model.features.layout import BANDS

Phrases = tuple[str, str]
"""For a low and for a high value."""

_HUES = (
    "red",
    "orange",
    "yellow",
    "yellow-green",
    "green",
    "sea-green",
    "turquoise",
    "sky-blue",
    "blue",
    "violet",
    "purple",
    "pink",
)
_GREYS = ("black", "very dark", "dark", "medium-dark", "medium-light", "light", "very light", "white")
_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
_SLANTS = (
    "upright edges",
    "steeply rising edges",
    "rising edges",
    "gently rising edges",
    "level edges",
    "gently falling edges",
    "falling edges",
    "steeply falling edges",
)

_COLOURED = ("almost no colour", "strong colours")
_FEW_COLOURS = ("many different colours", "a few flat colours")
_WHITE = ("little white", "a mostly white picture")
_BLACK = ("little black", "much black")
_BRIGHT = ("a dark picture", "a bright picture")
_CONTRAST = ("little contrast", "strong contrast")
_EDGES = ("few edges", "many edges")
_SMOOTH = ("the fine grain of a camera", "smooth areas without grain")
_SHARP = ("soft outlines", "sharp outlines")
_STROKE = ("thin strokes", "thick strokes")
_EVEN_STROKE = ("strokes of even width", "strokes of uneven width")
_LETTERS = ("few shapes of a letter's size", "many shapes of a letter's size")
_LETTER_SIZE = ("small letters", "large letters")
_EVEN_LETTERS = ("letters of one size", "letters of many sizes")
_LARGE_SHAPES = ("no large connected shapes", "large connected shapes")
_LEVEL_LINES = ("few straight horizontal lines", "many straight horizontal lines")
_UPRIGHT_LINES = ("few straight vertical lines", "many straight vertical lines")
_TEXT_LINES = ("no regular lines of text", "lines of text at even distances")
_MARGINS = ("content up to the rim", "wide margins")
_EMPTY_ROWS = ("few empty rows", "many empty rows")
_INK = ("little ink", "much ink")

WORDS: dict[str, Phrases] = {
    **{f"colour_hist_h_{at:02}": (f"little {_HUES[at]}", f"much {_HUES[at]}") for at in range(HUE_BINS)},
    "colour_hist_s_00": (_COLOURED[1], _COLOURED[0]),
    "colour_hist_s_01": ("few pale colours", "pale colours"),
    "colour_hist_s_02": ("few medium-strong colours", "medium-strong colours"),
    "colour_hist_s_03": ("no glaring colours", "glaring colours"),
    "colour_hist_grey_00": _BLACK,
    **{f"colour_hist_grey_{at:02}": (f"few {_GREYS[at]} areas", f"{_GREYS[at]} areas") for at in range(1, 7)},
    "colour_hist_grey_07": _WHITE,
    "white_share": _WHITE,
    "black_share": _BLACK,
    "colourless_share": (_COLOURED[1], _COLOURED[0]),
    "saturation_mean": _COLOURED,
    "grey_mean": _BRIGHT,
    "grey_deviation": _CONTRAST,
    "colourfulness": _COLOURED,
    "colours_in_use": (_FEW_COLOURS[1], _FEW_COLOURS[0]),
    "first_colour_share": _FEW_COLOURS,
    "four_colours_share": _FEW_COLOURS,
    "edge_density": _EDGES,
    **{
        f"edge_density_cell_{y}{x}": (
            f"little detail at the {_ROWS[y]} {_COLUMNS[x]}",
            f"much detail at the {_ROWS[y]} {_COLUMNS[x]}",
        )
        for y in range(3)
        for x in range(3)
    },
    **{f"edge_orientation_{at:02}": (f"few {slant}", f"many {slant}") for at, slant in enumerate(_SLANTS)},
    "gradient_mean": _EDGES,
    "gradient_strong_share": ("few hard edges", "many hard edges"),
    "gradient_zero_share": _SMOOTH,
    "sharpness": _SHARP,
    "noise": (_SMOOTH[1], _SMOOTH[0]),
    "flat_block_share": _SMOOTH,
    "busy_block_share": ("few busy areas", "many busy areas"),
    "block_deviation_median": ("plain areas", "texture everywhere"),
    "corner_density": ("few corners", "many corners"),
    "corner_per_edge": ("long outlines with few corners", "outlines full of corners"),
    "ink_density": _INK,
    "ink_grey_contrast": ("strokes no darker than their ground", "dark strokes on a light ground"),
    "ink_saturation": ("colourless strokes", "coloured strokes"),
    "text_stroke_width_median": _STROKE,
    "text_stroke_width_mean": _STROKE,
    "text_stroke_width_deviation": _EVEN_STROKE,
    "stroke_thin_share": (_STROKE[1], _STROKE[0]),
    "stroke_thick_share": _STROKE,
    "component_density": ("few separate marks", "many separate marks"),
    "letter_density": _LETTERS,
    "letter_share": _LETTERS,
    "letter_height_median": _LETTER_SIZE,
    "letter_height_spread": _EVEN_LETTERS,
    "letter_width_median": ("narrow letters", "wide letters"),
    "letter_width_spread": ("letters of one width", "letters of many widths"),
    "letter_fill_median": ("open letter shapes", "compact letter shapes"),
    "letter_ink_share": ("little of the ink in letters", "most of the ink in letters"),
    "largest_component_share": _LARGE_SHAPES,
    "largest_component_ink": ("ink spread over many shapes", "much of the ink in one shape"),
    "box_component_share": _LARGE_SHAPES,
    "aspect": ("a tall picture", "a wide picture"),
    "margin_top": ("content up to the upper rim", "a wide upper margin"),
    "margin_bottom": ("content down to the lower rim", "a wide lower margin"),
    "margin_left": _MARGINS,
    "margin_right": _MARGINS,
    "constant_row_share": ("no plain rows", "rows of one plain tone"),
    "constant_column_share": ("no plain columns", "columns of one plain tone"),
    "line_density_horizontal": _LEVEL_LINES,
    "line_density_vertical": _UPRIGHT_LINES,
    "line_density_diagonal": ("few straight slanting lines", "many straight slanting lines"),
    "long_line_horizontal": ("no long horizontal lines", "long horizontal lines"),
    "long_line_vertical": ("no long vertical lines", "long vertical lines"),
    "row_period": ("lines of text close together", "lines of text far apart"),
    "row_period_strength": _TEXT_LINES,
    "column_period_strength": ("no regular columns", "columns at even distances"),
    "row_ink_deviation": ("ink in every row alike", "rows with much ink and rows with little"),
    "column_ink_deviation": ("ink in every column alike", "columns with much ink and columns with little"),
    "blank_row_share": _EMPTY_ROWS,
    "blank_column_share": ("few empty columns", "many empty columns"),
    "left_edge_alignment": ("lines that start anywhere", "lines that start at one left edge"),
    **{f"ink_{band}": (f"little ink in the {band} third", f"much ink in the {band} third") for band in BANDS},
    **{f"white_{band}": (f"little white in the {band} third", f"a white {band} third") for band in BANDS},
    **{f"black_{band}": (f"little black in the {band} third", f"black in the {band} third") for band in BANDS},
    **{f"grey_{band}": (f"a dark {band} third", f"a bright {band} third") for band in BANDS},
    "saturation_centre": ("more colour around than in the middle", "more colour in the middle than around"),
    "grey_centre": ("a middle darker than its surroundings", "a middle brighter than its surroundings"),
    "border_deviation": ("a plain rim", "a varied rim"),
    "mirror_symmetry": ("left and right unlike", "left and right alike"),
}
"""For each feature of `FEATURES` what is said of it."""
