"""Colour: what a picture is painted with. Screens and charts use few flat colours, photos thousands."""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.features.canvas import Canvas
from classify_service.model.features.shares import deviation_of, mean_of, share_of

HUE_BINS = 12
SATURATION_BINS = 4
GREY_BINS = 8
WHITE_GREY = 235
BLACK_GREY = 30
COLOURLESS_SATURATION = 25
MIN_COLOUR_SHARE = 0.0005

FEATURES = {
    **{
        f"colour_hist_h_{at:02}": f"share of pixels, coloured, hue {30 * at} to {30 * at + 30} degrees"
        for at in range(12)
    },
    **{f"colour_hist_s_{at:02}": f"share of pixels, saturation {25 * at} to {25 * at + 25} %" for at in range(4)},
    **{
        f"colour_hist_grey_{at:02}": f"share of pixels, grey level {32 * at} to {32 * at + 31} of 255"
        for at in range(8)
    },
    "white_share": "share of pixels, grey level above 235",
    "black_share": "share of pixels, grey level below 30",
    "colourless_share": "share of pixels, saturation below 10 %",
    "saturation_mean": "0 to 1",
    "grey_mean": "0 to 1",
    "grey_deviation": "standard deviation, 0 to 0.5",
    "colourfulness": "Hasler and Suesstrunk, 2003; 0 (grey) to about 1",
    "colours_in_use": "log2 of the number of colours (5 bits a channel) on at least 0.05 % of the pixels",
    "first_colour_share": "share of pixels of the most frequent colour (5 bits a channel)",
    "four_colours_share": "share of pixels of the four most frequent colours",
}


def measure(canvas: Canvas) -> dict[str, float]:
    """Return the colour features."""
    coloured = cv2.threshold(canvas.saturation, COLOURLESS_SATURATION - 1, 1, cv2.THRESH_BINARY)[1]
    hues = cv2.calcHist([canvas.hue], [0], coloured, [HUE_BINS], [0, 180]).ravel() / canvas.grey.size
    saturations = _histogram(canvas.saturation, SATURATION_BINS)
    levels = _histogram(canvas.grey, 256)
    greys = levels.reshape(GREY_BINS, -1).sum(axis=1)
    shares = _colour_shares(canvas)
    red, green, blue = (canvas.rgb[::2, ::2, at].astype(np.float32) for at in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(deviation_of(red_green), deviation_of(yellow_blue))
    strength = np.hypot(mean_of(red_green), mean_of(yellow_blue))
    return {
        **{f"colour_hist_h_{at:02}": float(share) for at, share in enumerate(hues)},
        **{f"colour_hist_s_{at:02}": float(share) for at, share in enumerate(saturations)},
        **{f"colour_hist_grey_{at:02}": float(share) for at, share in enumerate(greys)},
        "white_share": float(levels[WHITE_GREY + 1 :].sum()),
        "black_share": float(levels[:BLACK_GREY].sum()),
        "colourless_share": 1 - share_of(coloured),
        "saturation_mean": mean_of(canvas.saturation) / 255,
        "grey_mean": mean_of(canvas.grey) / 255,
        "grey_deviation": deviation_of(canvas.grey) / 255,
        "colourfulness": float((spread + 0.3 * strength) / 110),
        "colours_in_use": float(np.log2(max(1, int((shares >= MIN_COLOUR_SHARE).sum())))),
        "first_colour_share": float(shares[0]),
        "four_colours_share": float(shares[:4].sum()),
    }


def _histogram(values: np.ndarray, bins: int) -> np.ndarray:
    counts = cv2.calcHist([values], [0], None, [bins], [0, 256]).ravel()
    return np.asarray(counts / values.size)


def _colour_shares(canvas: Canvas) -> np.ndarray:
    """Return the share of each colour of 5 bits a channel, the most frequent first."""
    red, green, blue = (part[::2, ::2].astype(np.intp) >> 3 for part in cv2.split(canvas.rgb))
    codes = (red << 10) | (green << 5) | blue
    counts = np.bincount(codes.ravel())
    return np.sort(counts[counts > 0])[::-1] / codes.size
