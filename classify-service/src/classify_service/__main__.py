"""Start classify-service: `python -m classify_service`."""

from __future__ import annotations

from classify_service.app import NAME, create_app
from classify_service.settings import ClassifySettings
from shared.app import serve


def main() -> None:
    """Read the settings from the environment and listen."""
    settings = ClassifySettings()
    serve(NAME, create_app(settings), settings)


if __name__ == "__main__":
    main()
