"""Give an image one label: a convolutional network looks, OpenCV measures, a joint layer decides."""

__version__ = "0.1.0"
