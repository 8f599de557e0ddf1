"""Icons, logos, flags, goods, landscapes and patterns: drawn things that belong to no label."""

from __future__ import annotations

import numpy as np

from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.shapes import any_font, any_size, blob, path_of, svg
from classify_service.training.drawing.words import Words

EMOJI = "😀🐶🌵🍕🚗🎈🏠📷🔒💡🎵🛒🦊🌍🚀🎁🐙🍉⚽🎸🧩🔥🌙⭐🍀🐝🦉🥑🏆📦🔔🧭🐳🍄🦋"
SYMBOLS = "⚙⚑☂☀☎♫⚓✈✂✎✓✖♥♠♣♦☯⚡★☁⌂⚐☺♻☘⌘⌛"


def icon(rng: np.random.Generator) -> Markup:
    """One emoji or symbol, on white or on a coloured tile."""
    side = int(rng.integers(128, 512))
    glyph = rng.choice(list(EMOJI)) if rng.random() < 0.5 else rng.choice(list(SYMBOLS))
    ink, back = marks.colour(rng), rng.choice(["#fff", "#fff", "#000", marks.colour(rng)])
    tile = (
        f'<rect x="5%" y="5%" width="90%" height="90%" rx="{rng.integers(0, side // 2)}" fill="{marks.colour(rng)}"/>'
        if rng.random() < 0.5
        else ""
    )
    return svg(
        f'{tile}<text x="50%" y="50%" font-size="{side * rng.uniform(0.35, 0.75):.0f}" text-anchor="middle" dominant-baseline="central" '
        f'fill="{ink}" font-family="Noto Color Emoji, DejaVu Sans">{glyph}</text>', side, side, back=str(back),
    )  # fmt: skip


def icon_sheet(rng: np.random.Generator) -> Markup:
    """A set of icons in rows, without words."""
    columns, rows, cell = int(rng.integers(3, 8)), int(rng.integers(2, 7)), int(rng.integers(50, 90))
    glyphs = list(EMOJI if rng.random() < 0.6 else SYMBOLS)
    ink = marks.colour(rng, dark=True)
    inside = "".join(
        f'<text x="{(i % columns + 0.5) * cell:.0f}" y="{(i // columns + 0.5) * cell:.0f}" font-size="{cell * 0.6:.0f}" text-anchor="middle" '
        f'dominant-baseline="central" fill="{ink}" font-family="Noto Color Emoji, DejaVu Sans">{rng.choice(glyphs)}</text>'
        for i in range(columns * rows)
    )
    return svg(inside, columns * cell, rows * cell, back=str(rng.choice(["#fff", "#f4f4f4", "#222", "#def"])))


def logo(rng: np.random.Generator) -> Markup:
    """A mark and a name, as a company or club has it."""
    words = Words(rng)
    width, height = int(rng.integers(260, 600)), int(rng.integers(120, 400))
    side = int(min(width, height) * 0.5)
    beside = rng.random() < 0.4
    html = (
        f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{rng.choice(['#fff', '#fff', '#111', marks.colour(rng)])}'><div style='width:{width}px;"
        f"height:{height}px;display:flex;flex-direction:{'row' if beside else 'column'};align-items:center;justify-content:center;gap:12px'>"
        f"{marks.crest(rng, side_px=side)}<b style='font:{rng.choice([400, 700, 900])} {rng.integers(22, 54)}px {any_font(rng)};color:{marks.colour(rng)}'>"
        f"{words.place() if rng.random() < 0.8 else ''}</b></div>"
    )
    return Markup(html=html, width_px=width, height_px=height)


def flag(rng: np.random.Generator) -> Markup:
    """A flag or a pennant."""
    width, height = 480, int(rng.integers(240, 400))
    count = int(rng.integers(2, 8))
    down = rng.random() < 0.5
    tints = [marks.colour(rng) if rng.random() < 0.7 else "#fff" for _ in range(count)]
    bands = "".join(
        f'<rect x="{0 if down else i * width / count:.0f}" y="{i * height / count if down else 0:.0f}" width="{width if down else width / count + 1:.0f}" '
        f'height="{height / count + 1 if down else height:.0f}" fill="{tint}"/>'
        for i, tint in enumerate(tints)
    )
    sign = f'<text x="{rng.choice([25, 50])}%" y="50%" font-size="{height * 0.5:.0f}" dominant-baseline="central" text-anchor="middle" fill="{marks.colour(rng)}" font-family="DejaVu Sans">{rng.choice(list("★☀☾✚●"))}</text>'
    return svg(bands + (sign if rng.random() < 0.7 else ""), width, height)


def goods(rng: np.random.Generator) -> Markup:
    """A bottle, box, cup or shirt on white, as a shop shows it."""
    words, ink, other = Words(rng), marks.colour(rng), marks.colour(rng)
    shade = f"<defs><linearGradient id=g><stop offset=0 stop-color='{ink}'/><stop offset=.3 stop-color='#fff' stop-opacity='.85'/><stop offset=1 stop-color='{ink}'/></linearGradient></defs>"
    label = f'<rect x="165" y="220" width="70" height="80" fill="{other}"/><text x="200" y="265" font-size="14" text-anchor="middle" fill="#fff" font-family="{any_font(rng)}">{words.place()[:8]}</text>'
    shape = (
        "M180 60h40v60q30 20 30 60v180h-100V180q0 -40 30 -60Z",
        "M110 120L200 80L290 120V300L200 350L110 300ZM110 120L200 160L290 120M200 160V350",
        "M120 120h140v180q0 40 -40 40h-60q-40 0 -40 -40ZM260 160q60 0 60 50q0 50 -60 50",
        "M130 90L170 70Q200 100 230 70L270 90L320 150L280 180L265 160V340H135V160L120 180L80 150Z",
        "M200 90a110 110 0 1 0 .1 0M200 120a80 80 0 1 1 -.1 0",
    )[int(rng.integers(5))]
    return svg(
        f'{shade}<ellipse cx="200" cy="365" rx="110" ry="14" fill="#0002"/><path d="{shape}" fill="url(#g)" stroke="{ink}" stroke-width="3"/>{label if rng.random() < 0.6 else ""}',
        400,
        400,
        back=str(rng.choice(["#fff", "#fff", "#f3f3f3", "#e8eef4"])),
    )


def landscape(rng: np.random.Generator) -> Markup:
    """A flat drawing of hills, sun and trees."""
    width, height = any_size(rng, 300, 600)
    sky, parts = (
        marks.colour(rng),
        f'<circle cx="{rng.uniform(0, width):.0f}" cy="{rng.uniform(0, height / 2):.0f}" r="{rng.integers(15, 60)}" fill="{marks.colour(rng)}"/>',
    )
    for layer in range(int(rng.integers(2, 7))):
        x = np.linspace(0, width, 14)
        y = height * (0.35 + layer * 0.12) + rng.normal(0, 26, 14)
        parts += (
            f'<path d="{path_of(np.stack([x, y], axis=1))}L{width} {height}L0 {height}Z" fill="{marks.colour(rng)}"/>'
        )
    for _ in range(int(rng.integers(0, 9))):
        left, foot = rng.uniform(0, width), rng.uniform(0.6, 0.95) * height
        parts += f'<path d="M{left:.0f} {foot:.0f}l-18 0l18 -60l18 60Z" fill="{marks.colour(rng, dark=True)}"/>'
    return svg(parts, width, height, back=sky)


def pattern(rng: np.random.Generator) -> Markup:
    """A wallpaper: one motif again and again."""
    width, height = any_size(rng)
    step = int(rng.integers(18, 90))
    ink, other = marks.colour(rng), marks.colour(rng)
    motif = (
        f'<circle cx="{step / 2}" cy="{step / 2}" r="{step * 0.3:.0f}" fill="{ink}"/>',
        f'<path d="M0 {step / 2}Q{step / 4} 0 {step / 2} {step / 2}T{step} {step / 2}" fill="none" stroke="{ink}" stroke-width="{rng.integers(1, 8)}"/>',
        f'<path d="M0 0L{step} {step}M{step} 0L0 {step}" stroke="{ink}" stroke-width="{rng.integers(1, 9)}"/>',
        f'<rect width="{step / 2}" height="{step}" fill="{ink}"/>',
        f'<text y="{step * 0.75:.0f}" font-size="{step * 0.7:.0f}" fill="{ink}" font-family="DejaVu Sans">{rng.choice(list(SYMBOLS))}</text>',
        f'<path d="M{step / 2} 0L{step} {step / 2}L{step / 2} {step}L0 {step / 2}Z" fill="{ink}"/>',
    )[int(rng.integers(6))]
    return svg(
        f'<defs><pattern id=p width="{step}" height="{step}" patternUnits="userSpaceOnUse" patternTransform="rotate({rng.choice([0, 0, 30, 45])})">{motif}</pattern></defs><rect width="100%" height="100%" fill="url(#p)"/>',
        width,
        height,
        back=other,
    )


def abstract(rng: np.random.Generator) -> Markup:
    """Shapes and gradients without sense."""
    width, height = any_size(rng)
    parts = f"<defs><linearGradient id=a gradientTransform='rotate({rng.integers(90)})'><stop stop-color='{marks.colour(rng)}'/><stop offset=1 stop-color='{marks.colour(rng)}'/></linearGradient></defs><rect width='100%' height='100%' fill='url(#a)'/>"
    for _ in range(int(rng.integers(3, 40))):
        shape = blob(
            rng, rng.uniform(0, width), rng.uniform(0, height), rng.uniform(10, 160), corners=int(rng.integers(3, 9))
        )
        parts += f'<path d="{shape}" fill="{marks.colour(rng) if rng.random() < 0.7 else "none"}" stroke="{marks.colour(rng)}" opacity="{rng.uniform(0.2, 1):.1f}"/>'
    return svg(parts, width, height)
