"""Printed things that are no pages of text and belong to no label: covers, cards, tickets, music, puzzles, bare paper."""

from __future__ import annotations

import numpy as np

from classify_service.training.drawing import marks, office_words
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.shapes import any_font, blob, svg
from classify_service.training.drawing.words import Words


def cover(rng: np.random.Generator) -> Markup:
    """The cover of a book or a record."""
    words = Words(rng)
    width = int(rng.integers(300, 420))
    height = round(width * rng.choice([1, 1.4, 1.5, 1.55]))
    shapes = "".join(
        f'<path d="{blob(rng, rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 180), corners=int(rng.integers(3, 20)))}" '
        f'fill="{marks.colour(rng)}" opacity="{rng.uniform(0.3, 1):.1f}"/>'
        for _ in range(int(rng.integers(0, 12)))
    )
    ink = rng.choice(["#fff", "#fff", "#000", marks.colour(rng)])
    title = words.title().split()
    size = width / max(6, *(len(word) for word in title)) * 1.3
    top = height * rng.choice([0.15, 0.3, 0.6])
    lines = "".join(
        f'<text x="50%" y="{top + i * size * 1.1:.0f}" font-size="{size:.0f}" text-anchor="middle">{word}</text>'
        for i, word in enumerate(title[:5])
    )
    author = f'<text x="50%" y="95%" font-size="18" text-anchor="middle">{words.person()}</text>'
    return svg(
        f'{shapes}<g fill="{ink}" font-family="{any_font(rng)}" font-weight="{rng.choice([400, 700])}">{lines}{author}</g>',
        width,
        height,
        back=marks.colour(rng, dark=bool(rng.random() < 0.6)),
        printed=bool(rng.random() < 0.3),
    )


def card(rng: np.random.Generator) -> Markup:
    """An identity, business or bank card."""
    words = Words(rng)
    ink = marks.colour(rng, dark=True)
    face = (
        f"<div style='width:90px;height:110px;background:linear-gradient(#cde,#89a);position:relative;overflow:hidden;flex:none'><div style='position:absolute;left:25px;"
        f"top:20px;width:40px;height:48px;border-radius:50%;background:#c96'></div><div style='position:absolute;left:8px;top:72px;width:74px;height:70px;"
        f"border-radius:50%;background:{ink}'></div></div>"
    )
    lines = "<br>".join(
        f"{name}: {value}"
        for name, value in (
            ("Name", words.person()),
            ("No.", words.reference()),
            ("Valid", words.date()),
            ("Tel.", words.phone()),
        )
    )
    kind = int(rng.integers(3))
    if kind == 0:
        inside = f"<div style='background:{ink};color:#fff;padding:8px;font-weight:bold'>{words.institution()}</div><div style='display:flex;gap:14px;padding:14px'>{face}<div>{lines}</div></div>"
    elif kind == 1:
        inside = f"<div style='padding:30px;display:flex;gap:20px;align-items:center'>{marks.crest(rng, side_px=70)}<div><b style='font-size:1.4em;color:{ink}'>{words.person()}</b><br>{words.one(office_words.ROLES)}<br><br><small>{words.phone()}<br>office@{words.place().lower()}.example</small></div></div>"
    else:
        digits = " ".join(f"{words.number(0, 9999):04d}" for _ in range(4))
        inside = f"<div style='position:absolute;inset:0;background:linear-gradient({rng.integers(360)}deg,{ink},{marks.colour(rng)});color:#fff;padding:22px'><b>{words.place()} Bank</b><div style='margin:26px 0 20px;width:46px;height:34px;border-radius:6px;background:#dcb'></div><div style='font:22px Courier Prime'>{digits}</div><br>{words.person().upper()}</div>"
    html = f"<!doctype html><meta charset=utf-8><body style='margin:0;font:14px {any_font(rng)};background:{rng.choice(['#fff', '#ddd', '#876', '#345'])}'><div style='position:relative;margin:20px;width:420px;height:240px;border-radius:14px;background:#fdfdf8;border:1px solid #999;overflow:hidden'>{inside}</div>"
    return Markup(html=html, width_px=460, height_px=280, printed=bool(rng.random() < 0.4))


def ticket(rng: np.random.Generator) -> Markup:
    """A ticket or boarding pass with a code."""
    words = Words(rng)
    back = f"hsl({rng.integers(360)} {rng.integers(10, 70)}% {rng.integers(75, 96)}%)"
    fields = "".join(
        f"<div><small>{name}</small><br><b>{value}</b></div>"
        for name, value in (
            ("FROM", words.place()),
            ("TO", words.place()),
            ("DATE", words.date()),
            ("SEAT", f"{words.number(1, 40)}{words.one(tuple('ABCDEF'))}"),
            ("GATE", str(words.number(1, 90))),
            ("PRICE", f"{words.number(5, 900)}.00"),
        )
    )
    html = f"<!doctype html><meta charset=utf-8><body style='margin:0;background:{rng.choice(['#fff', '#444', '#a98'])};font:15px {any_font(rng)}'><div style='margin:16px;background:{back};padding:16px;width:560px;height:200px;border-radius:8px;border-right:3px dashed #555'><b style='font-size:1.5em'>{words.one(('ADMIT ONE', 'BOARDING PASS', 'CONCERT', 'Train ticket', 'Cinema'))}</b><div style='display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:10px 0'>{fields}</div>{marks.bar_code(rng)}</div>"
    return Markup(html=html, width_px=620, height_px=268, printed=bool(rng.random() < 0.4))


def sheet_music(rng: np.random.Generator) -> Markup:
    """Staves with notes."""
    width, height, gap = 600, int(rng.integers(300, 840)), int(rng.integers(6, 9))
    parts = ""
    for top in range(50, height - 60, gap * int(rng.integers(10, 14))):
        parts += (
            "".join(f'<path d="M30 {top + i * gap}H{width - 30}"/>' for i in range(5))
            + f'<text x="34" y="{top + gap * 4}" font-size="{gap * 5}" fill="#000" stroke="none" font-family="DejaVu Sans, Noto Music">𝄞</text>'
        )
        at = 80.0
        while at < width - 50:
            y = top + gap * rng.uniform(-1, 5)
            up = -1 if y > top + 2 * gap else 1
            fill = "#000" if rng.random() < 0.75 else "#fff"
            parts += f'<ellipse cx="{at:.0f}" cy="{y:.0f}" rx="{gap * 0.65:.1f}" ry="{gap * 0.48:.1f}" fill="{fill}" transform="rotate(-20 {at:.0f} {y:.0f})"/><path d="M{at - up * gap * 0.6:.0f} {y:.0f}v{up * gap * 3.4:.0f}"/>'
            at += rng.choice([16, 22, 30, 42])
            if rng.random() < 0.15:
                parts += f'<path d="M{at:.0f} {top}v{gap * 4}"/>'
                at += 16
    return svg(f'<g stroke="#000">{parts}</g>', width, height, printed=True)


def puzzle(rng: np.random.Generator) -> Markup:
    """A chess board, a sudoku, a crossword, dominoes of colour."""
    cells = int(rng.choice([8, 9, 12, 15]))
    side, kind = 480 / cells, int(rng.integers(3))
    light, dark = (("#f0d9b5", "#b58863"), ("#fff", "#000"), ("#eeeed2", "#769656"), ("#fff", "#ccc"))[
        int(rng.integers(4))
    ]
    inside = ""
    for row in range(cells):
        for column in range(cells):
            x, y = column * side, row * side
            fill = (
                (dark if (row + column) % 2 else light)
                if kind == 0
                else ("#fff" if kind == 1 or rng.random() < 0.65 else "#111")
            )
            inside += f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" fill="{fill}" stroke="{"none" if kind == 0 else "#333"}"/>'
            glyph = ""
            if kind == 0 and rng.random() < 0.3:
                glyph = rng.choice(list("♔♕♖♗♘♙♚♛♜♝♞♟"))
            elif kind == 1 and rng.random() < 0.35:
                glyph = str(rng.integers(1, 10))
            if glyph:
                inside += f'<text x="{x + side / 2:.1f}" y="{y + side / 2:.1f}" font-size="{side * 0.7:.0f}" text-anchor="middle" dominant-baseline="central">{glyph}</text>'
    return svg(inside, 480, 480, printed=bool(rng.random() < 0.2))


def bare_paper(rng: np.random.Generator) -> Markup:
    """Paper with nothing on it, plain, lined or squared."""
    tint, ink = (
        rng.choice(["#fff", "#fff", "#fdfaf0", "#f4ead0", "#eef4fb"]),
        rng.choice(["#9bd", "#bbb", "#d99", "#aca"]),
    )
    gap = int(rng.integers(14, 36))
    lines = (
        "",
        "".join(f'<path d="M0 {y}H600"/>' for y in range(60, 800, gap)),
        "".join(f'<path d="M0 {y}H600M{y} 0V800"/>' for y in range(0, 800, gap)),
        "".join(f'<path d="M0 {y}H600" stroke-dasharray="1 {gap - 1}" stroke-width="2"/>' for y in range(0, 800, gap)),
    )[int(rng.integers(4))]
    return svg(f'<g stroke="{ink}" stroke-width="1">{lines}</g>', 600, 800, back=str(tint), printed=True)


def code(rng: np.random.Generator) -> Markup:
    """A bar code or square code alone."""
    html = f"<!doctype html><body style='margin:0;width:300px;height:240px;display:grid;place-items:center'><div style='transform:scale({rng.uniform(1.2, 2.2):.1f})'>{marks.bar_code(rng)}</div>"
    return Markup(html=html, width_px=300, height_px=240, printed=bool(rng.random() < 0.5))
