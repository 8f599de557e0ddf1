"""Show a person why a picture got its label."""
