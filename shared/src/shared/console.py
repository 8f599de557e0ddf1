"""Console commands that say in one sentence what is not installed, and do not show where it was looked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def command(module: str) -> Callable[[], Any]:
    """Return what imports a module and runs its `main`; it ends with 1 where a package is not installed."""

    def run() -> Any:
        try:
            return import_module(module).main()
        except ModuleNotFoundError as error:
            if module.startswith((error.name or "").partition(".")[0]):
                raise  # a module of our own: no installation mends that
            sys.exit(f"{error.name} is not installed; in Legenda's checkout `make setup` installs all that this needs")

    return run
