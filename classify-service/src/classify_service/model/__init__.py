"""The classifier as a plain library: no web server, no settings, no environment."""
