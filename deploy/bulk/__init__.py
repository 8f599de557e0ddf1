"""Millions of images on many machines: Ray Data spreads the work, a manifest remembers what is done."""
