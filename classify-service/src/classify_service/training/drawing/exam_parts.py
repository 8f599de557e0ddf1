"""The parts of an exam question: its number, marks, answers to choose from, what is shown; and a watermark over all."""

from __future__ import annotations

from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import Press


def number_of(style: int, at: int) -> str:
    """Return the number of a question in one of six styles."""
    return (f"{at}.", f"Q{at}.", f"Q.{at}", f"({at})", f"Question {at}:", f"{at})")[style]


def four_answers(press: Press) -> str:
    """Return four answers to choose from: in a row, in two columns, or below each other."""
    words = press.words
    marker = words.one(("({})", "{})", "{}.", "○ {}", "☐ {}"))
    letters = words.one(("abcd", "ABCD", "1234"))
    texts = [
        f"{marker.format(letter)} {words.phrase(1, 4) if press.chance(0.7) else marks.formula(press.rng)}"
        for letter in letters
    ]
    way = press.rng.integers(3)
    if way == 0:
        return "<div class=row style='padding-left:2em'>" + "".join(f"<span>{text}</span>" for text in texts) + "</div>"
    if way == 1:
        return (
            "<div style='display:grid;grid-template-columns:1fr 1fr;padding-left:2em'>"
            + "".join(f"<span>{text}</span>" for text in texts)
            + "</div>"
        )
    return "<div style='padding-left:2em'>" + "<br>".join(texts) + "</div>"


def marks_for(press: Press, style: int) -> str:
    """Return how many marks a question has, in one of seven styles; the first says nothing."""
    count = press.words.number(1, 15)
    return (
        "",
        f"[{count}]",
        f"({count} marks)",
        f"<b>[{count}]</b>",
        f"{count}",
        f"({count} points)",
        f"[CO{count % 6 + 1}] {count}",
    )[style]


def shown_beside(press: Press) -> str:
    """Return what a question may show: a formula, a table of numbers, a figure or code."""
    kind = press.rng.integers(5)
    if kind < 2:
        return marks.formula(press.rng, display=True)
    if kind == 2:
        rows = "".join(
            f"<tr>{''.join(f'<td>{press.words.number(0, 99)}</td>' for _ in range(6))}</tr>"
            for _ in range(press.words.number(2, 4))
        )
        return f"<table class=ruled style='margin:.4em auto'>{rows}</table>"
    if kind == 3:
        return marks.figure(press.rng)
    return f"<pre>{press.words.code(press.words.number(3, 8))}</pre>"


def watermark(press: Press) -> str:
    """Return a faint word across the page, in one page of eight."""
    if not press.chance(0.12):
        return ""
    width, height = press.paper_px
    return (
        f"<div style='position:absolute;left:0;top:0;width:{width}px;height:{height}px;display:grid;place-items:center;opacity:.13;"
        f"font:bold 90px Liberation Sans;overflow:hidden'><div style='transform:rotate(-{press.words.number(30, 55)}deg)'>"
        f"{press.words.one((press.words.place(), 'SAMPLE', 'EXAM', 'www.papers.example'))}</div></div>"
    )
