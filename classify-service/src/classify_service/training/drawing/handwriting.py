"""Pages in handwriting: fonts made from hands, each word a little off its line, on plain, lined or squared paper."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.words import Words

HAND_FONTS = (
    "Because We Build", "Because We Connect", "Because We Create", "Because We Learn", "Because We Mentor",
    "Because We Organize", "Breip", "Delphine", "DkgHandwriting", "Kristi", "Steve", "Rufscript", "femkeklaver",
    "Klee One", "Joscelyn", "Dancing Script", "YOzNF", "SetoFont",
)  # fmt: skip
WAYS = ("prose", "points", "maths", "letter")
INKS = ("#1a237e", "#0d2f8a", "#222", "#111", "#333a55", "#7a1020", "#14532d")


def _hand(rng: np.random.Generator, text: str, ink: str) -> str:
    """Return the words, each turned, raised and sized by a little."""
    return " ".join(
        f"<span style='display:inline-block;transform:translateY({rng.normal(0, 1.3):.1f}px) rotate({rng.normal(0, 1.4):.1f}deg) "
        f"scale({rng.uniform(0.93, 1.07):.2f});margin:0 {rng.uniform(0, 0.16):.2f}em;color:{ink}'>{word}</span>"
        for word in text.split()
    )


def _sketch(rng: np.random.Generator, ink: str) -> str:
    """Return a drawing in the text: axes with a curve, or boxes and arrows, drawn unsteadily."""
    if rng.random() < 0.5:
        x = np.linspace(20, 180, 14)
        y = 70 - 35 * np.sin(x / rng.uniform(12, 60)) + rng.normal(0, 2, 14)
        path = "M20 8L22 112L190 108M" + "L".join(f"{a:.0f} {b:.0f}" for a, b in zip(x, y, strict=True))
    else:
        path = "".join(
            f"M{left + rng.normal(0, 2):.0f} {top:.0f}L{left + 42:.0f} {top + rng.normal(0, 2):.0f}L{left + 41:.0f} {top + 28:.0f}"
            f"L{left:.0f} {top + 27 + rng.normal(0, 2):.0f}ZM{left + 42:.0f} {top + 14:.0f}L{left + 62:.0f} {top + 14 + rng.normal(0, 3):.0f}"
            for left, top in ((10.0, 20.0), (72.0, 22.0), (134.0, 18.0), (72.0, 75.0))
        )
    return f"<svg viewBox='0 0 200 120' width='{rng.integers(180, 330)}' style='display:block;margin:4px 30px'><path d='{path}' fill='none' stroke='{ink}' stroke-width='1.8'/></svg>"


def _maths(rng: np.random.Generator) -> str:
    letters = list("abcxyzfnkABT")
    left, right = ("".join(rng.choice(letters, int(rng.integers(1, 3)))) for _ in range(2))
    number = rng.integers(2, 99)
    return str(
        rng.choice(
            [
                f"{left} = {right} + {number}",
                f"{left}({right}) = {number}{right} - {left}",
                f"=> {left} &lt; {number}",
                f"{left} / {right} = {number} / {rng.integers(2, 9)}",
                f"[ {number} {rng.integers(9)} {rng.integers(9)} ]",
            ]
        )
    )


def page(rng: np.random.Generator, way: str, hands: tuple[str, ...]) -> Markup:
    """Return one page: `way` is one of WAYS, `hands` the fonts that are installed."""
    words = Words(rng, str(rng.choice(["en", "en", "en", "de", "es"])))
    font = hands[int(rng.integers(len(hands)))]
    ink, second = INKS[int(rng.integers(len(INKS)))], INKS[int(rng.integers(len(INKS)))]
    size = int(rng.integers(19, 34))
    gap = round(size * rng.uniform(1.15, 1.7))
    paper = rng.choice(["plain", "lined", "lined", "squared"])
    tint = rng.choice(["#fff", "#fff", "#fdfbf3", "#f3ecd8", "#e9dcc0"])
    rule = rng.choice(["#9cc3e6", "#b8c4d0", "#c9b8d8", "#a9c9a9"])
    square = int(rng.integers(14, 26))
    lines = {
        "plain": "",
        "lined": f"background-image:repeating-linear-gradient(transparent 0 {gap - 1}px,{rule} {gap - 1}px {gap}px)",
        "squared": f"background-image:repeating-linear-gradient(transparent 0 {square - 1}px,{rule} {square - 1}px {square}px),repeating-linear-gradient(90deg,transparent 0 {square - 1}px,{rule} {square - 1}px {square}px)",
    }[str(paper)]
    body, bold = "", rng.random() < 0.4
    weight = "-webkit-text-stroke:.7px;" if bold else ""
    for at in range(26):
        kind = rng.random()
        text = _hand(rng, words.sentence(4, 15), ink)
        if way == "points" and kind < 0.75:
            body += f"<div style='padding-left:{rng.choice([0, 26, 52])}px'>{_hand(rng, str(rng.choice(['-', '→', '•', f'{at + 1})'])), ink)} {_hand(rng, words.phrase(2, 9), ink)}</div>"
        elif way == "maths" and kind < 0.7:
            body += f"<div style='padding-left:{rng.integers(0, 120)}px'>{_hand(rng, _maths(rng), ink)}</div>"
        elif kind < 0.12 and way != "letter":
            body += f"<div style='text-decoration:underline;text-align:{rng.choice(['left', 'center'])}'>{_hand(rng, words.title(), second)}</div>"
        elif kind < 0.18 and way != "letter":
            body += _sketch(rng, ink)
        elif kind < 0.24:
            body += f"<div style='height:{gap}px'></div>"
        else:
            body += f"<div>{text}</div>"
    if way == "letter":
        body = f"<div style='text-align:right'>{_hand(rng, words.date(), ink)}</div><div>{_hand(rng, 'Dear ' + words.person(), ink)}</div>{body}{marks.signature(rng)}"
    width, height = (700, int(rng.choice([900, 960, 990]))) if rng.random() < 0.85 else (900, 620)
    margin = (
        "<div style='position:absolute;left:70px;top:0;bottom:0;border-left:1.5px solid #d88'></div>"
        if paper == "lined" and rng.random() < 0.5
        else ""
    )
    html = (
        f"<!doctype html><meta charset=utf-8><body style='margin:0;background-color:{tint};{lines}'><div style='position:relative;width:{width}px;height:{height}px;overflow:hidden;"
        f'padding:{rng.integers(8, 60)}px {rng.integers(20, 60)}px {rng.integers(0, 40)}px {rng.integers(30, 90)}px;box-sizing:border-box;font:{size}px/{gap}px "{font}",cursive;{weight}\'>{margin}{body}</div>'
    )
    return Markup(html=html, width_px=width, height_px=height, printed=True)


def layouts(hands: tuple[str, ...]) -> dict[str, Callable[[np.random.Generator], Markup]]:
    """Return a layout for each way of writing, in these fonts."""

    def written(way: str) -> Callable[[np.random.Generator], Markup]:
        return lambda rng: page(rng, way, hands)

    return {way: written(way) for way in WAYS}
