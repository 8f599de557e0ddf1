"""Start the service: `python -m storage_service`."""

from shared.app import serve
from storage_service.app import SERVICE, create_app
from storage_service.settings import StorageSettings


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = StorageSettings()
    serve(SERVICE, create_app(settings), settings)


if __name__ == "__main__":
    main()
