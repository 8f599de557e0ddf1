"""Feature maps, computed once and kept on disk.

The encoder does not change while the decoder learns, and it costs a hundred times more than the decoder: so each
image passes through it once. The cache holds the 14 x 14 map in half precision and grows in steps, so that a killed
run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from caption_service.model.encoder import FEATURE_SIZE, Encoder
from caption_service.model.preprocessing import read_image

CACHED_GRID_SIDE = 14
IMAGES_PER_STEP = 16


def feature_maps(
    image_names: Sequence[str], *, images: Path, encoder_file: Path, cache: Path, grid_side: int
) -> npt.NDArray[np.float16]:
    """Return the feature map of each image, from the cache where it is already there.

    Args:
        image_names: Paths below `images`.
        images: The folder of the images.
        encoder_file: The encoder's weights; another file gives another cache.
        cache: Folder of the cache, made when it is not there; about 200 kB an image.
        grid_side: 14, or 7 for the map max-pooled in 2 x 2 cells.

    Returns:
        float16, (images, grid_side ** 2, 512), in the order of `image_names`.

    Raises:
        UnreadableImage: an image cannot be decoded.
    """
    cells = CACHED_GRID_SIDE**2
    file = cache / f"vgg16-{_fingerprint(image_names, images, encoder_file)}.float16"
    cache.mkdir(parents=True, exist_ok=True)
    done = file.stat().st_size // (cells * FEATURE_SIZE * 2) if file.exists() else 0
    if done < len(image_names):
        encoder = Encoder(encoder_file, grid_side=CACHED_GRID_SIDE)
        with file.open("r+b" if file.exists() else "wb") as stored:
            stored.truncate(done * cells * FEATURE_SIZE * 2)
            stored.seek(0, 2)
            with tqdm(total=len(image_names), initial=done, desc="feature maps", unit="image") as progress:
                for start in range(done, len(image_names), IMAGES_PER_STEP):
                    names = image_names[start : start + IMAGES_PER_STEP]
                    batch = np.stack([read_image(images / name) for name in names])
                    stored.write(encoder.encode(batch).astype(np.float16).tobytes())
                    progress.update(len(names))
    maps = np.memmap(file, np.float16, mode="r", shape=(len(image_names), cells, FEATURE_SIZE))
    if grid_side == CACHED_GRID_SIDE:
        return maps
    return np.concatenate([_max_pool(maps[at : at + 256]) for at in range(0, len(maps), 256)])


def _max_pool(maps: npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
    """Halve the map's sides as VGG16's last pooling does."""
    half = CACHED_GRID_SIDE // 2
    blocks = np.asarray(maps).reshape(len(maps), half, 2, half, 2, FEATURE_SIZE)
    pooled: npt.NDArray[np.float16] = blocks.max(axis=(2, 4)).reshape(len(maps), half * half, FEATURE_SIZE)
    return pooled


def _fingerprint(image_names: Sequence[str], images: Path, encoder_file: Path) -> str:
    """Name what the maps depend on: which files, of which size, through which weights."""
    digest = hashlib.sha256(encoder_file.read_bytes())
    for name in image_names:
        digest.update(f"{name}\0{(images / name).stat().st_size}\0".encode())
    return digest.hexdigest()[:16]
