"""Change training pictures the way other people's pictures differ: crop, scale, angle, light, blur, JPEG quality.

Nothing here depends on the label. Pictures are not mirrored: mirrored writing exists in no one's folder.
"""

from __future__ import annotations

import cv2
import numpy as np

from classify_service.model.preprocessing import PICTURE_SIDE_PX, Picture, resize

MIN_SIDE_PX = 72


def augment(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return a changed copy; the same generator state gives the same picture."""
    changed = picture
    if rng.random() < 0.8:
        changed = _crop(changed, rng)
    if rng.random() < 0.4:
        changed = _tilt(changed, rng)
    if rng.random() < 0.7:
        changed = _rescale(changed, rng)
    if rng.random() < 0.12:
        changed = _frame(changed, rng)
    if rng.random() < 0.8:
        changed = _relight(changed, rng)
    if rng.random() < 0.2:
        changed = _blur(changed, rng)
    if rng.random() < 0.7:
        changed = _recompress(changed, rng)
    return changed


def unsquash(picture: Picture, rng: np.random.Generator) -> Picture:
    """Give a photo that was squashed to a square a camera's aspect and a preview's size again, both at random.

    Half of them are also brought closer: large photos of one thing are rarer among squashed ones than in life.
    """
    if rng.random() < 0.5:
        picture = _close_up(picture, rng)
    aspect = float(rng.choice([4 / 3, 4 / 3, 3 / 2, 3 / 4, 2 / 3, 16 / 9, 1]))
    long_side = int(rng.integers(224, PICTURE_SIDE_PX + 1))
    width, height = (long_side, long_side / aspect) if aspect >= 1 else (long_side * aspect, long_side)
    larger = cv2.resize(picture, (round(width), round(height)), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(larger, (0, 0), 1.2)
        larger = cv2.addWeighted(larger, 1.8, soft, -0.8, 0)
    return np.asarray(larger, dtype=np.uint8)


def _close_up(picture: Picture, rng: np.random.Generator) -> Picture:
    side = picture.shape[0]
    new_side = max(MIN_SIDE_PX, int(side * rng.uniform(0.35, 0.8)))
    top, left = rng.integers(0, side - new_side + 1, 2)
    return picture[top : top + new_side, left : left + new_side]


def _crop(picture: Picture, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    share_y, share_x = rng.uniform(0.75, 1, 2)
    if rng.random() < 0.15:
        share_y *= rng.uniform(0.5, 1)
    new_height, new_width = max(MIN_SIDE_PX, int(height * share_y)), max(MIN_SIDE_PX, int(width * share_x))
    top, left = rng.integers(0, max(1, height - new_height + 1)), rng.integers(0, max(1, width - new_width + 1))
    return picture[top : top + new_height, left : left + new_width]


def _tilt(picture: Picture, rng: np.random.Generator) -> Picture:
    """Move the corners a little: a rotation and a perspective in one."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    angle = np.deg2rad(rng.normal(0, 2.5))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = corners.mean(axis=0)
    moved = (corners - centre) @ rotation.T + centre + rng.normal(0, 0.015, (4, 2)) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    border = cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_CONSTANT
    tilted = cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(tilted, dtype=np.uint8)


def _rescale(picture: Picture, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    scale = (
        rng.uniform(0.45, 1) if rng.random() < 0.6 else rng.uniform(1, PICTURE_SIDE_PX / min(512, max(width, height)))
    )
    stretch = np.exp(rng.normal(0, 0.1))
    new_width = min(PICTURE_SIDE_PX, max(MIN_SIDE_PX, round(width * scale * stretch)))
    new_height = min(PICTURE_SIDE_PX, max(MIN_SIDE_PX, round(height * scale / stretch)))
    return resize(picture, width_px=new_width, height_px=new_height)


def _frame(picture: Picture, rng: np.random.Generator) -> Picture:
    """Add bars of one colour, as shared and scanned pictures have."""
    height, width = picture.shape[:2]
    top, bottom = (int(height * share) for share in rng.uniform(0, 0.12, 2))
    left, right = (int(width * share) for share in rng.uniform(0, 0.12, 2))
    colour = [255] * 3 if rng.random() < 0.5 else [0] * 3 if rng.random() < 0.5 else rng.integers(0, 256, 3).tolist()
    framed = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(framed, dtype=np.uint8)


def _relight(picture: Picture, rng: np.random.Generator) -> Picture:
    light = (picture.astype(np.float32) / 255) ** float(np.exp(rng.normal(0, 0.2)))
    grey = light.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.6, 1.4)
    light = grey + (light - grey) * saturation
    light = light * rng.uniform(0.8, 1.15) * (1 + rng.normal(0, 0.04, 3)) + rng.uniform(-0.04, 0.06)
    if rng.random() < 0.2:
        light = light + rng.normal(0, rng.uniform(0.005, 0.04), light.shape)
    relit: Picture = np.clip(light * 255, 0, 255).astype(np.uint8)
    return relit


def _blur(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.4)), dtype=np.uint8)


def _recompress(picture: Picture, rng: np.random.Generator) -> Picture:
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), dtype=np.uint8)
