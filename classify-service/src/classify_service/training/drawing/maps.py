"""Maps of streets, countries and heights: they belong to no label."""

from __future__ import annotations

import numpy as np

from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.shapes import any_font, any_size, blob, path_of, svg
from classify_service.training.drawing.words import Words


def street_map(rng: np.random.Generator) -> Markup:
    """Streets, blocks, parks, a river and names."""
    words, (width, height) = Words(rng), any_size(rng, 360)
    ground, street, water, park = (
        ("#f2efe9", "#fff", "#aad3df", "#c8facc"),
        ("#e8e8e8", "#fdfdfd", "#9cc0f9", "#cde8b5"),
        ("#242f3e", "#38414e", "#17263c", "#263c3f"),
        ("#f5f1e6", "#d9b38c", "#bcd", "#dfd2ae"),
    )[int(rng.integers(4))]
    parts = [
        f'<path d="{blob(rng, rng.uniform(0, width), rng.uniform(0, height), width / 4)}" fill="{park}"/>'
        for _ in range(3)
    ]
    river = np.stack([np.linspace(-10, width + 10, 9), np.cumsum(rng.normal(0, height / 14, 9)) + height / 2], axis=1)
    parts.append(f'<path d="{path_of(river)}" fill="none" stroke="{water}" stroke-width="{rng.integers(8, 40)}"/>')
    turn = rng.uniform(-40, 40)
    step = rng.uniform(25, 70)
    grid = "".join(
        f'<path d="M{at:.0f} -900V1500M-900 {at + rng.uniform(-8, 8):.0f}H1500" stroke-width="{rng.choice([3, 3, 5, 9])}"/>'
        for at in np.arange(-300, 900, step)
    )
    parts.append(f'<g stroke="{street}" transform="rotate({turn:.0f} {width / 2} {height / 2})">{grid}</g>')
    for _ in range(int(rng.integers(1, 4))):
        way = np.cumsum(rng.normal(0, 60, (9, 2)), axis=0) + np.array([width / 2, height / 2])
        parts.append(
            f'<path d="{path_of(way)}" fill="none" stroke="{rng.choice(["#f9b29c", "#fcd6a4", "#f6e27a", "#e892a2"])}" stroke-width="8"/>'
        )
    names = "".join(
        f'<text x="{rng.uniform(0, width):.0f}" y="{rng.uniform(0, height):.0f}" font-size="{rng.integers(8, 18)}" fill="#667" '
        f'transform="rotate({rng.choice([0, 0, turn]):.0f} {width / 2} {height / 2})">{words.place()}</text>'
        for _ in range(int(rng.integers(4, 18)))
    )
    pin = f'<path d="M{width / 2} {height / 2}q-14 -22 0 -34q14 12 0 34" fill="#d33"/>' if rng.random() < 0.4 else ""
    return svg("".join(parts) + f"<g font-family='Liberation Sans'>{names}</g>" + pin, width, height, back=ground)


def country_map(rng: np.random.Generator) -> Markup:
    """Land in a sea, borders, towns, a compass."""
    words, (width, height) = Words(rng), any_size(rng, 360)
    tints = [f"hsl({rng.integers(360)} {rng.integers(30, 70)}% {rng.integers(70, 88)}%)" for _ in range(6)]
    lands = "".join(
        f'<path d="{blob(rng, rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height, rng.uniform(50, 190), corners=40)}" '
        f'fill="{tints[i % 6]}" stroke="#765" stroke-width="1.5"/>'
        for i in range(int(rng.integers(3, 9)))
    )
    towns = ""
    for _ in range(int(rng.integers(6, 26))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        towns += f'<circle cx="{x:.0f}" cy="{y:.0f}" r="2.5"/><text x="{x + 5:.0f}" y="{y:.0f}" font-size="{rng.integers(8, 15)}">{words.place()}</text>'
    grid = "".join(
        f'<path d="M{at} 0V2000M0 {at}H2000" stroke="#0003" fill="none"/>'
        for at in range(0, 700, int(rng.integers(60, 140)))
    )
    return svg(
        lands + grid + f"<g font-family='{any_font(rng)}'>{towns}</g>",
        width,
        height,
        back=f"hsl({rng.integers(185, 215)} 50% {rng.integers(75, 92)}%)",
    )


def contour_map(rng: np.random.Generator) -> Markup:
    """Height lines around some hills."""
    width, height = any_size(rng, 300)
    lines = ""
    for _ in range(int(rng.integers(2, 6))):
        x, y, far = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.6, 1.1, 18)
        turns = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        for reach in range(15, int(rng.integers(90, 260)), int(rng.integers(7, 15))):
            ring = np.stack([x + reach * far * np.cos(turns), y + reach * far * np.sin(turns)], axis=1)
            lines += f'<path d="{path_of(ring)}Z" stroke-width="{2 if reach % 4 == 0 else 0.8}"/>'
    ink, back = (("#b07b46", "#f4f0dc"), ("#666", "#fff"), ("#7fb07f", "#eef5e6"))[int(rng.integers(3))]
    return svg(f'<g fill="none" stroke="{ink}">{lines}</g>', width, height, back=back)
