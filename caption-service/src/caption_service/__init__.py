"""Describe an image in one sentence: VGG16 looks, an LSTM speaks."""

__version__ = "0.1.0"
