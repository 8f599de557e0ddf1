"""Layout: where things stand. Pages have margins and lines of text, screens have bars, memes have bands of letters."""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.features.canvas import Canvas
from classify_service.model.features.colour import BLACK_GREY, WHITE_GREY
from classify_service.model.features.runs import Runs, find_runs
from classify_service.model.features.shares import deviation_of, mean_of, share_of

CONSTANT_RANGE_GREY = 16
SHORT_RULE_SHARE = 0.06
LONG_RULE_SHARE = 0.3
LINE_PERIODS_PX = (6, 48)
DIAGONAL_RULE_PX = 17
LETTER_GAP_PX = 14
SHORTEST_LINE_PX = 24
FEWEST_LINE_ROWS = 12
BANDS = ("top", "middle", "bottom")
SYMMETRY_SIDE_PX = 32
GREY_LEVELS = np.arange(256)

FEATURES = {
    "aspect": "log2 of width by height",
    "margin_top": "share of the height before the first row with ink",
    "margin_bottom": "share of the height after the last row with ink",
    "margin_left": "share of the width before the first column with ink",
    "margin_right": "share of the width after the last column with ink",
    "constant_row_share": "share of rows whose grey levels span less than 16",
    "constant_column_share": "share of columns whose grey levels span less than 16",
    "line_density_horizontal": "straight horizontal lines of 6 % of the width or more, length by width",
    "line_density_vertical": "straight vertical lines of 6 % of the height or more, length by height",
    "line_density_diagonal": "straight lines at 45 degrees of 17 pixels or more, pixels by width",
    "long_line_horizontal": "straight horizontal lines of 30 % of the width or more, length by width",
    "long_line_vertical": "straight vertical lines of 30 % of the height or more, length by height",
    "row_period": "pixels from one line of text to the next, 0 where there is none",
    "row_period_strength": "correlation of the rows' ink one period apart, -1 to 1",
    "column_period_strength": "the same for columns",
    "row_ink_deviation": "standard deviation of the rows' ink by its mean",
    "column_ink_deviation": "standard deviation of the columns' ink by its mean",
    "blank_row_share": "share of rows without ink",
    "blank_column_share": "share of columns without ink",
    "left_edge_alignment": "largest share of text lines, by height, that start in the same 2 % of the width",
    **{f"ink_{band}": f"share of pixels with ink in the {band} third" for band in BANDS},
    **{f"white_{band}": f"share of pixels above grey level 235 in the {band} third" for band in BANDS},
    **{f"black_{band}": f"share of pixels below grey level 30 in the {band} third" for band in BANDS},
    **{f"grey_{band}": f"mean grey level of the {band} third, 0 to 1" for band in BANDS},
    "saturation_centre": "mean saturation of the middle half less that of the rest, -1 to 1",
    "grey_centre": "mean grey level of the middle half less that of the rest, -1 to 1",
    "border_deviation": "standard deviation of the outermost 2 % of the pixels, grey levels by 255",
    "mirror_symmetry": "correlation of the picture with its mirror image, -1 to 1",
}


def measure(canvas: Canvas) -> dict[str, float]:
    """Return the layout features."""
    height, width = canvas.grey.shape
    rows = cv2.reduce(canvas.ink, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / width
    columns = cv2.reduce(canvas.ink, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / height
    level, upright = find_runs(canvas.ink), find_runs(np.ascontiguousarray(canvas.ink.T))
    margin_top, margin_bottom = _margins(rows)
    margin_left, margin_right = _margins(columns)
    row_period, row_strength = _period(rows)
    _, column_strength = _period(columns)
    return {
        "aspect": float(np.log2(canvas.aspect)),
        "margin_top": margin_top,
        "margin_bottom": margin_bottom,
        "margin_left": margin_left,
        "margin_right": margin_right,
        "constant_row_share": _constant_share(canvas.grey, axis=1),
        "constant_column_share": _constant_share(canvas.grey, axis=0),
        "line_density_horizontal": _rules(level, int(SHORT_RULE_SHARE * width)) / width,
        "line_density_vertical": _rules(upright, int(SHORT_RULE_SHARE * height)) / height,
        "line_density_diagonal": _diagonals(canvas.edges) / width,
        "long_line_horizontal": _rules(level, int(LONG_RULE_SHARE * width)) / width,
        "long_line_vertical": _rules(upright, int(LONG_RULE_SHARE * height)) / height,
        "row_period": row_period,
        "row_period_strength": row_strength,
        "column_period_strength": column_strength,
        "row_ink_deviation": float(rows.std() / max(rows.mean(), 1e-6)),
        "column_ink_deviation": float(columns.std() / max(columns.mean(), 1e-6)),
        "blank_row_share": float(np.mean(rows == 0)),
        "blank_column_share": float(np.mean(columns == 0)),
        "left_edge_alignment": _left_alignment(level, width),
        **_bands(canvas),
        **_centre(canvas),
        "mirror_symmetry": _mirror_symmetry(canvas.grey),
    }


def _margins(profile: np.ndarray) -> tuple[float, float]:
    inked = np.flatnonzero(profile > 0.004)
    if inked.size == 0:
        return 1.0, 1.0
    return float(inked[0] / profile.size), float((profile.size - 1 - inked[-1]) / profile.size)


def _constant_share(grey: np.ndarray, *, axis: int) -> float:
    return float(np.mean(grey.max(axis=axis) - grey.min(axis=axis) < CONSTANT_RANGE_GREY))


def _rules(runs: Runs, shortest_px: int) -> float:
    """Return the length in pixels of straight lines along the runs; thick ones count once for each 3 pixels."""
    lengths = runs.lengths
    return float(lengths[lengths >= shortest_px].sum()) / 3


def _diagonals(edges: np.ndarray) -> float:
    thick = cv2.dilate(edges, np.ones((2, 2), np.uint8))
    falling = np.eye(DIAGONAL_RULE_PX, dtype=np.uint8)
    both = cv2.morphologyEx(thick, cv2.MORPH_OPEN, falling).sum(dtype=np.int64)
    both += cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ascontiguousarray(falling[::-1])).sum(dtype=np.int64)
    return float(both) / 2


def _period(profile: np.ndarray) -> tuple[float, float]:
    """Return the distance in pixels at which a profile repeats, and how well it does."""
    smooth = profile - cv2.blur(profile.reshape(1, -1), (61, 1)).ravel()
    power = float(np.dot(smooth, smooth))
    shortest, longest = LINE_PERIODS_PX
    longest = min(longest, len(profile) - 2)
    if power < 1e-6 or longest <= shortest:
        return 0.0, 0.0
    together = np.correlate(smooth, smooth, mode="full")[len(profile) - 1 :] / power
    window = together[shortest : longest + 1]
    best = int(window.argmax())
    return float(best + shortest) if window[best] > 0.1 else 0.0, float(window[best])


def _left_alignment(runs: Runs, width: int) -> float:
    """Join letters into lines and compare where the lines start, weighted by their height."""
    lines = runs.joined(LETTER_GAP_PX)
    starts = lines.starts[lines.lengths >= SHORTEST_LINE_PX]
    if len(starts) < FEWEST_LINE_ROWS:
        return 0.0
    counts = np.bincount(starts * 50 // width, minlength=50)
    return float(counts.max() / len(starts))


def _bands(canvas: Canvas) -> dict[str, float]:
    values = {}
    for band, grey, ink in zip(BANDS, np.array_split(canvas.grey, 3), np.array_split(canvas.ink, 3), strict=True):
        levels = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel() / grey.size
        values[f"ink_{band}"] = share_of(ink)
        values[f"white_{band}"] = float(levels[WHITE_GREY + 1 :].sum())
        values[f"black_{band}"] = float(levels[:BLACK_GREY].sum())
        values[f"grey_{band}"] = float(levels @ GREY_LEVELS) / 255
    return values


def _centre(canvas: Canvas) -> dict[str, float]:
    height, width = canvas.grey.shape
    rim = max(2, round(0.02 * max(height, width)))
    grey = canvas.grey
    border = np.concatenate([part.ravel() for part in (grey[:rim], grey[-rim:], grey[:, :rim], grey[:, -rim:])])
    return {
        "saturation_centre": _centre_less_rest(canvas.saturation) / 255,
        "grey_centre": _centre_less_rest(grey) / 255,
        "border_deviation": deviation_of(border) / 255,
    }


def _centre_less_rest(values: np.ndarray) -> float:
    height, width = values.shape
    middle = values[height // 4 : height - height // 4, width // 4 : width - width // 4]
    inside, everywhere = mean_of(middle), mean_of(values)
    rest = (everywhere * values.size - inside * middle.size) / (values.size - middle.size)
    return inside - rest


def _mirror_symmetry(grey: np.ndarray) -> float:
    small = cv2.resize(grey, (SYMMETRY_SIDE_PX, SYMMETRY_SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    power = float((small * small).sum())
    return float((small * small[:, ::-1]).sum() / power) if power > SYMMETRY_SIDE_PX else 1.0
