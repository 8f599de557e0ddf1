"""Several views of each training image, computed once and kept on disk.

A decoder that sees each picture from one side learns it by heart. Here each picture has the whole view, and a larger
one, also mirrored, from which a window is cut anew each time. What is kept is VGG16's map after block 4, in half
precision: the last part that no training changes, so that models with another block 5 share the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from caption_service.model.encoder import load_convolutions
from caption_service.model.preprocessing import INPUT_SIDE_PX, MAX_PIXELS, UnreadableImage, preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE
from caption_service.training.cache import Network, kept_on_disk
from caption_service.training.features import fingerprint
from shared.decoding import decode_image

LARGE_SIDE_PX = 256
CELL_PX = 16
"""Pixels of the picture for one cell of block 4's pooled map."""

WHOLE, LARGE, MIRRORED = "whole", "large", "mirrored"
SIDES_PX = {WHOLE: INPUT_SIDE_PX, LARGE: LARGE_SIDE_PX, MIRRORED: LARGE_SIDE_PX}

ALL_VIEWS = {WHOLE: 0.3, LARGE: 0.35, MIRRORED: 0.35}
"""How often each view is drawn."""
UNMIRRORED = {WHOLE: 0.35, LARGE: 0.65}
"""The same for pictures with writing, which a mirror makes into something else."""
ONLY_WHOLE = {WHOLE: 1.0}
"""What serving sees; for measuring."""

IMAGES_PER_STEP = 8

Maps = npt.NDArray[np.float16]
"""Maps after block 4's pooling, (images, 14, 14, 512), or (14, 14, 512) of one image."""


class Views:
    """The views of a list of images, memory-mapped: 0.2 MB an image for the whole one, 0.26 MB for each other."""

    def __init__(self, maps: Mapping[str, Maps], shares: Mapping[str, float]) -> None:
        self._maps = maps
        self._names = list(shares)
        self._shares = list(shares.values())

    @classmethod
    def compute(
        cls, image_names: Sequence[str], *, images: Path, encoder_file: Path, cache: Path, shares: Mapping[str, float]
    ) -> Views:
        """Return the views, from the cache where they are already there; a stopped run goes on.

        Args:
            image_names: Paths below `images`.
            images: The folder of the images.
            encoder_file: The encoder's weights; another block 5 gives the same cache.
            cache: Folder of the cache, made when it is not there.
            shares: ALL_VIEWS, UNMIRRORED or ONLY_WHOLE; only these views are computed.

        Raises:
            UnreadableImage: an image cannot be decoded; the message names it.
        """
        name = fingerprint(image_names, images, _front_weights(encoder_file))
        maps = {}
        for view in shares:
            side = SIDES_PX[view] // CELL_PX
            maps[view] = kept_on_disk(
                cache / f"vgg16-block4-{view}-{name}.float16",
                [images / image for image in image_names],
                shape=(side, side, FEATURE_SIZE),
                images_per_step=IMAGES_PER_STEP,
                build=partial(_front, encoder_file, SIDES_PX[view], mirrored=view == MIRRORED),
                told=f"{view} views",
            )
        return cls(maps, shares)

    def whole(self) -> Maps:
        """Return the view that serving has of the images, (images, 14, 14, 512)."""
        return self._maps[WHOLE]

    def draw(self, row: int, random: np.random.Generator) -> Maps:
        """Return one random view of one of the images, (14, 14, 512)."""
        map_ = self._maps[self._names[int(random.choice(len(self._names), p=self._shares))]][row]
        top, left = random.integers(0, len(map_) - MAP_SIDE + 1, size=2)
        window: Maps = map_[top : top + MAP_SIDE, left : left + MAP_SIDE]
        return window


def _front(encoder_file: Path, side_px: int, *, mirrored: bool) -> Network:
    """Build VGG16's blocks 1 to 4; they multiply in bfloat16, as block 5 does in a training."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        vgg16 = keras.applications.VGG16(include_top=False, weights=None, input_shape=(side_px, side_px, 3))
    finally:
        keras.config.set_dtype_policy(usual)
    load_convolutions(vgg16, encoder_file)
    network = tf.function(keras.Model(vgg16.input, vgg16.get_layer("block4_pool").output))

    def maps(files: Sequence[Path]) -> npt.NDArray[np.float32]:
        pixels = np.stack([_square(file, side_px) for file in files])
        turned = pixels[:, :, ::-1] if mirrored else pixels
        found: npt.NDArray[np.float32] = tf.cast(network(tf.constant(preprocess(turned))), tf.float32).numpy()
        return found

    return maps


def _square(file: Path, side_px: int) -> npt.NDArray[np.uint8]:
    """Decode and squash an image as `read_image` does, to a square of another side."""
    try:
        decoded = decode_image(file, pixel_limit=MAX_PIXELS, side_px=2 * side_px)
    except UnreadableImage as error:
        raise UnreadableImage(f"{file}: {error}") from error
    return np.asarray(decoded.picture.resize((side_px, side_px), Image.Resampling.BILINEAR), dtype=np.uint8)


def _front_weights(encoder_file: Path) -> bytes:
    """Return the weights of all blocks but the last."""
    with np.load(encoder_file, allow_pickle=False) as stored:
        return b"".join(stored[name].tobytes() for name in sorted(stored) if not name.startswith("block5"))
