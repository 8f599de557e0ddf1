"""Draws pictures to learn from where too few can be had: pages, charts, memes, screenshots, and what has no label."""
