"""The only public door: the page, the REST API, upload hygiene, and the fan-out to the other services."""

__version__ = "0.1.0"
