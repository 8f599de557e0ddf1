"""Which screens there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from classify_service.training.drawing.desktop_screens import console, dialog, editor, spreadsheet, terminal, web_page
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.phone_screens import chat, feed, gallery, list_screen, player, settings
from classify_service.training.drawing.screen import Theme

SCREENS = (
    chat,
    list_screen,
    settings,
    feed,
    gallery,
    player,
    terminal,
    editor,
    web_page,
    console,
    spreadsheet,
    dialog,
    chat,
    web_page,
)


def layouts(photos: list[Path]) -> dict[str, Callable[[np.random.Generator], Markup]]:
    """Return a layout for each kind of screen; `photos` fill their pictures."""

    def shown(screen: Callable[[Theme], Markup]) -> Callable[[np.random.Generator], Markup]:
        return lambda rng: screen(Theme.at_random(rng, photos))

    return {f"{screen.__name__.replace('_', '-')}-{at}": shown(screen) for at, screen in enumerate(SCREENS)}
