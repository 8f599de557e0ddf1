"""Start the service: `python -m gateway`."""

from __future__ import annotations

from gateway.app import NAME, create_app
from gateway.settings import GatewaySettings
from shared.app import serve


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = GatewaySettings()
    serve(NAME, create_app(settings), settings)


if __name__ == "__main__":
    main()
