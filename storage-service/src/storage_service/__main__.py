"""Start the service: `python -m storage_service`."""

import gc

from shared.app import serve
from storage_service.app import SERVICE, create_app
from storage_service.settings import StorageSettings

OBJECTS_BEFORE_COLLECTING = 20_000
"""A batch of 100 images makes some 100,000, most of which go by themselves; Python would look after each 700."""
YOUNGER_COLLECTIONS = 20


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = StorageSettings()
    app = create_app(settings)
    gc.freeze()  # what has been loaded stays, so nobody need look at it again
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, YOUNGER_COLLECTIONS, YOUNGER_COLLECTIONS)
    serve(SERVICE, app, settings)


if __name__ == "__main__":
    main()
