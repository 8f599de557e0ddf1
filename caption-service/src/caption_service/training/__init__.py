"""Training and evaluation of caption models; the running service never imports this package."""
