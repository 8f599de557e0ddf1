"""Memes: photos with captions in the styles that people pass on."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

from classify_service.training.drawing import marks, vocabulary
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.words import Words

OPENINGS = (
    "When you", "Me:", "Nobody:", "POV:", "One does not simply", "That moment when", "My boss:", "Me after", "Teacher:",
    "What if I told you", "Not sure if", "I don't always", "Mom:", "How I see", "Developers be like", "Brace yourselves",
    "Everyone:", "My brain at 3 am:", "Exam in 5 minutes", "Y U NO", "Expectation", "Reality", "जब आप", "Cuando",
)  # fmt: skip
ENDINGS = (
    "finally works", "on a Monday", "in production", "and it's due tomorrow", "for the exam", "without coffee",
    "said no one ever", "is coming", "all the things", "but why", "and I took that personally", "LOL", "again", "at work",
)  # fmt: skip
FRAMES = (
    "impact",
    "impact",
    "bar-above",
    "bar-above",
    "tweet",
    "two-panel",
    "four-panel",
    "labels",
    "poster",
    "burst",
    "strip",
    "text-card",
)
SANS = ("Liberation Sans", "Open Sans", "Comic Neue", "Lato", "DejaVu Sans", "Noto Sans")
STRONG = (
    "League Spartan",
    "Liberation Sans Narrow",
    "DejaVu Sans Condensed",
    "Lato",
    "TeX Gyre Heros Cn",
    "Liberation Sans",
)


def line(rng: np.random.Generator) -> str:
    """Return what a meme says: short, and half in earnest."""
    words = Words(rng)
    middle = words.phrase(1, 5) if rng.random() < 0.6 else words.one(vocabulary.TOPICS)
    return escape(f"{words.one(OPENINGS)} {middle} {words.one(ENDINGS) if rng.random() < 0.5 else ''}".strip())


def _photo(rng: np.random.Generator, photos: list[Path]) -> str:
    """Return a picture's URL; without photos, a drawn creature on a burst of colours."""
    if photos and rng.random() < 0.88:
        return (
            "data:image/jpeg;base64," + base64.b64encode(photos[int(rng.integers(len(photos)))].read_bytes()).decode()
        )
    return "data:image/svg+xml;base64," + base64.b64encode(_creature(rng).encode()).decode()


def _creature(rng: np.random.Generator) -> str:
    """Draw a face with few lines, as rage comics and stick figures have them."""
    burst = "".join(
        f'<path d="M100 100L{100 + 200 * np.cos(a):.0f} {100 + 200 * np.sin(a):.0f}L{100 + 200 * np.cos(a + 0.5):.0f} {100 + 200 * np.sin(a + 0.5):.0f}Z" '
        f'fill="{marks.colour(rng)}"/>'
        for a in np.arange(0, 6.3, 0.52)
    )
    back = (
        burst
        if rng.random() < 0.4
        else f'<rect width="200" height="200" fill="{rng.choice(["#fff", "#fff", marks.colour(rng)])}"/>'
    )
    skin = rng.choice(["#fff", "#fff", "#fd8", "#8c6", "#c96"])
    mouth = f"M65 {rng.integers(125, 145)}Q100 {rng.integers(95, 190)} 135 {rng.integers(125, 145)}"
    eye = int(rng.integers(4, 18))
    body = '<path d="M100 160V200M100 175L50 190M100 175L150 190"/>' if rng.random() < 0.5 else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400">{back}<g stroke="#000" stroke-width="{rng.integers(2, 6)}" '
        f'fill="none"><ellipse cx="100" cy="100" rx="{rng.integers(45, 70)}" ry="{rng.integers(48, 66)}" fill="{skin}"/><circle cx="78" cy="85" r="{eye}" '
        f'fill="#fff"/><circle cx="124" cy="85" r="{eye}" fill="#fff"/><circle cx="80" cy="87" r="3" fill="#000"/><circle cx="122" cy="87" r="3" fill="#000"/>'
        f'<path d="{mouth}"/>{body}</g></svg>'
    )


def _picture(rng: np.random.Generator, photos: list[Path], width: int, height: int) -> str:
    flaw = rng.choice(
        ["none", "none", "none", "saturate(1.8) contrast(1.3)", "grayscale(1)", "brightness(.8)", "sepia(.4)"]
    )
    return f"<img src='{_photo(rng, photos)}' style='width:{width}px;height:{height}px;object-fit:cover;display:block;filter:{flaw}'>"


def _outlined(rng: np.random.Generator, text: str, side: str, width: int) -> str:
    size = round(width * rng.uniform(0.07, 0.13))
    case = "uppercase" if rng.random() < 0.8 else "none"
    return (
        f"<div style='position:absolute;{side}:2%;left:3%;width:94%;text-align:center;font:900 {size}px/1.05 {rng.choice(STRONG)};color:#fff;"
        f"text-transform:{case};-webkit-text-stroke:{max(1, size // 12)}px #000;paint-order:stroke fill;text-shadow:0 0 4px #000'>{text}</div>"
    )


def meme(rng: np.random.Generator, photos: list[Path], frame: str) -> Markup:
    """Return one meme in the named frame (one of FRAMES)."""
    width = int(rng.integers(320, 640))
    height = round(width * rng.uniform(0.6, 1.25))
    font = f"{rng.choice(SANS)}"
    size = round(width * rng.uniform(0.045, 0.08))
    ink, back = (("#000", "#fff"), ("#000", "#fff"), ("#fff", "#000"), ("#fff", "#1b2028"))[int(rng.integers(4))]
    text = f"font:{rng.choice([400, 600, 700])} {size}px/1.2 {font};color:{ink};padding:{size // 2}px"
    whole = ""
    if frame == "impact":
        whole = f"{_picture(rng, photos, width, height)}{_outlined(rng, line(rng), 'top', width) if rng.random() < 0.85 else ''}{_outlined(rng, line(rng), 'bottom', width)}"
    elif frame == "bar-above":
        bar = round(size * 1.2 * rng.integers(2, 5) + size)
        whole = f"<div style='{text};height:{bar}px;overflow:hidden'>{line(rng)}<br>{line(rng)}</div>{_picture(rng, photos, width, height)}"
        height += bar
    elif frame == "tweet":
        words = Words(rng)
        head = f"<div style='display:flex;gap:10px'><div style='width:44px;height:44px;border-radius:50%;background:{marks.colour(rng)}'></div><div><b>{words.person()}</b><br><span style='color:#888'>@{words.place().lower()}</span></div></div>"
        whole = f"<div style='{text};height:{6 * size + 80}px;overflow:hidden'>{head}<p style='margin:.5em 0'>{line(rng)} {words.sentence(5, 14)}</p></div><div style='padding:0 14px'>{_picture(rng, photos, width - 28, height)}</div>"
        height += 6 * size + 94
    elif frame == "two-panel":
        rows = int(rng.integers(2, 5))
        side = min(width // 2, 260)
        flip = "row-reverse" if rng.random() < 0.3 else "row"
        whole = "".join(
            f"<div style='display:flex;flex-direction:{flip};border-bottom:2px solid #000'>{_picture(rng, photos, width - side, side)}<div style='width:{side}px;height:{side}px;"
            f"box-sizing:border-box;display:grid;place-items:center;text-align:center;{text}'>{line(rng)}</div></div>"
            for _ in range(rows)
        )
        height = rows * (side + 2)
    elif frame == "four-panel":
        side = width // 2
        whole = "<div style='display:grid;grid-template-columns:1fr 1fr'>" + "".join(
            f"<div style='position:relative;border:2px solid {ink};box-sizing:border-box;width:{side}px;height:{side}px;overflow:hidden'>{_picture(rng, photos, side, side)}{_outlined(rng, line(rng), 'bottom', side)}</div>"
            for _ in range(4)
        ) + "</div>"  # fmt: skip
        width, height = side * 2, side * 2
    elif frame == "labels":
        tags = "".join(
            f"<div style='position:absolute;left:{rng.integers(5, 60)}%;top:{rng.integers(10, 80)}%;font:700 {size}px {font};color:#fff;text-shadow:0 0 3px #000,0 0 5px #000'>{Words(rng).phrase(1, 2)}</div>"
            for _ in range(int(rng.integers(2, 5)))
        )
        whole = _picture(rng, photos, width, height) + tags
    elif frame == "poster":
        whole = (
            f"<div style='background:#000;padding:{width // 14}px;box-sizing:border-box;width:{width}px;text-align:center;color:#fff'><div style='border:2px solid #fff'>"
            f"{_picture(rng, photos, width - width // 7 - 4, height)}</div><div style='font:{width // 11}px Liberation Serif;letter-spacing:.1em'>{Words(rng).word().upper()}</div>"
            f"<div style='font:{width // 30}px Liberation Serif'>{line(rng)}</div></div>"
        )
        height += width // 7 + width // 5
    elif frame == "burst":
        whole = f"<img src='data:image/svg+xml;base64,{base64.b64encode(_creature(rng).encode()).decode()}' style='width:{width}px;height:{width}px;display:block'>{_outlined(rng, line(rng), 'top', width)}{_outlined(rng, line(rng), 'bottom', width)}"
        height = width
    elif frame == "strip":
        panels = int(rng.integers(2, 5))
        side = 200
        beside = rng.random() < 0.5
        whole = f"<div style='display:flex;flex-direction:{'row' if beside else 'column'};gap:6px;padding:6px;background:#fff'>" + "".join(
            f"<div style='border:2px solid #000;width:{side}px'><div style='font:15px Comic Neue;height:60px;padding:4px;overflow:hidden'>{line(rng)}</div><img src='data:image/svg+xml;base64,"
            f"{base64.b64encode(_creature(rng).encode()).decode()}' style='width:{side}px;height:{side - 60}px;object-fit:cover'></div>"
            for _ in range(panels)
        ) + "</div>"  # fmt: skip
        width, height = (panels * (side + 10) + 10, side + 20) if beside else (side + 16, panels * (side + 12) + 8)
    else:
        whole = f"<div style='width:{width}px;height:{height}px;display:grid;place-items:center;text-align:center;background:{marks.colour(rng, dark=True)};color:#fff;font:700 {round(size * 1.3)}px/1.3 {rng.choice(STRONG)}'><div style='padding:8%'>“{line(rng)}”<br><small>– {Words(rng).person()}</small></div></div>"
    mark = (
        f"<div style='position:absolute;right:4px;bottom:2px;font:10px Liberation Sans;color:#fff;opacity:.8'>{Words(rng).place().lower()}.example</div>"
        if rng.random() < 0.25
        else ""
    )
    html = f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{back}'><div style='position:relative;width:{width}px;height:{height}px;overflow:hidden'>{whole}{mark}</div>"
    return Markup(html=html, width_px=width, height_px=height)


def layouts(photos: list[Path]) -> dict[str, Callable[[np.random.Generator], Markup]]:
    """Return a layout for each frame, over these photos."""

    def in_frame(frame: str) -> Callable[[np.random.Generator], Markup]:
        return lambda rng: meme(rng, photos, frame)

    return {f"{frame}-{at}": in_frame(frame) for at, frame in enumerate(FRAMES)}
