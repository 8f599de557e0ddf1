"""Training and evaluation of classifiers; the running service never imports this package."""
