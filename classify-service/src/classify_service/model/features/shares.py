"""Shares and deviations of whole pictures by OpenCV, which takes a fraction of NumPy's time for them."""

from __future__ import annotations

import cv2
import numpy as np


def share_of(mask: np.ndarray) -> float:
    """Return the share of pixels that are not 0, 0 to 1; (height, width), not empty."""
    return cv2.countNonZero(mask) / mask.size


def mean_of(values: np.ndarray) -> float:
    """Return the mean of a picture of one channel."""
    return float(cv2.mean(values)[0])


def deviation_of(values: np.ndarray) -> float:
    """Return the standard deviation of a picture of one channel."""
    return float(cv2.meanStdDev(values)[1][0, 0])
