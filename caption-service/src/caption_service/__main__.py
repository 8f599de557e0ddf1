"""Start the service: `python -m caption_service`."""

from __future__ import annotations

from caption_service.app import NAME, create_app
from caption_service.settings import CaptionSettings
from shared.app import serve


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = CaptionSettings()
    serve(NAME, create_app(settings), settings)


if __name__ == "__main__":
    main()
