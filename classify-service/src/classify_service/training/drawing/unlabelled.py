"""Which drawn things belong to no label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from classify_service.training.drawing.emblems import abstract, flag, goods, icon, icon_sheet, landscape, logo, pattern
from classify_service.training.drawing.maps import contour_map, country_map, street_map
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.print_matter import bare_paper, card, code, cover, puzzle, sheet_music, ticket

LAYOUTS: dict[str, Callable[[np.random.Generator], Markup]] = {
    "street-map": street_map,
    "country-map": country_map,
    "contour-map": contour_map,
    "icon": icon,
    "icon-sheet": icon_sheet,
    "logo": logo,
    "cover": cover,
    "card": card,
    "ticket": ticket,
    "sheet-music": sheet_music,
    "flag": flag,
    "puzzle": puzzle,
    "goods": goods,
    "landscape": landscape,
    "pattern": pattern,
    "abstract": abstract,
    "bare-paper": bare_paper,
    "code": code,
}
