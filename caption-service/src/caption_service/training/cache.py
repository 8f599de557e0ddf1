"""Keep on disk what a network makes of images, so that no image passes through it twice.

A file grows in steps and holds half precision; what a killed run left of it is used, and the rest is added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

Network = Callable[[Sequence[Path]], npt.NDArray[np.floating[Any]]]
"""Makes numbers of image files, (images, *shape)."""


def kept_on_disk(
    file: Path,
    images: Sequence[Path],
    *,
    shape: tuple[int, ...],
    images_per_step: int,
    build: Callable[[], Network],
    told: str,
) -> npt.NDArray[np.float16]:
    """Return the numbers of each image, computed where the file does not hold them yet.

    Args:
        file: The cache; its name must tell all that the numbers depend on. Its folder is made when it is not there.
        images: The image files.
        shape: Shape of one image's numbers.
        images_per_step: Images computed at once.
        build: Builds the network; called only when something is missing.
        told: What the progress bar calls it.

    Returns:
        float16, (images, *shape), memory-mapped.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    image_bytes = 2 * int(np.prod(shape))
    done = file.stat().st_size // image_bytes if file.exists() else 0
    if done < len(images):
        network = build()
        with file.open("r+b" if file.exists() else "wb") as stored:
            stored.truncate(done * image_bytes)
            stored.seek(0, 2)
            with tqdm(total=len(images), initial=done, desc=told, unit="image") as progress:
                for start in range(done, len(images), images_per_step):
                    chosen = images[start : start + images_per_step]
                    stored.write(network(chosen).astype(np.float16).tobytes())
                    progress.update(len(chosen))
    return np.memmap(file, np.float16, mode="r", shape=(len(images), *shape))
