"""Look at a stranger's bytes once, carefully, and say in the API's words what is wrong with them.

What comes out is an upright RGB JPEG without metadata; nothing behind the gateway decodes anything else.
"""

from __future__ import annotations

from shared.decoding import TooManyPixels, UnknownFormat, UnreadableImage
from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from shared.previews import PREVIEW_SIDE_PX, Inspection, fingerprint, inspect_image

__all__ = ["PREVIEW_SIDE_PX", "Inspection", "fingerprint", "inspect"]


def inspect(image: bytes, *, pixel_limit: int) -> Inspection:
    """Check an encoded image and make its preview; the first frame stands for an animation.

    Raises:
        UnsupportedImage: not an image of a format that we read.
        ImageTooLarge: more pixels than the limit; nothing was decoded.
        BrokenImage: it cannot be decoded.
    """
    try:
        return inspect_image(image, pixel_limit=pixel_limit)
    except UnknownFormat as error:
        raise UnsupportedImage(str(error)) from error
    except TooManyPixels as error:
        raise ImageTooLarge(str(error)) from error
    except UnreadableImage as error:
        raise BrokenImage(str(error)) from error
