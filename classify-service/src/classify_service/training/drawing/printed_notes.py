"""Printed pages that are neither exams nor letters: lecture notes, slides, articles, books, newspapers, leaflets, code."""

from __future__ import annotations

from classify_service.training.drawing import marks
from classify_service.training.drawing.book_parts import page_number, running_head, section_heading, title_block
from classify_service.training.drawing.markup import Markup, Press
from classify_service.training.drawing.publications import (
    article,
    contents,
    leaflet,
    manual,
    newspaper,
    prose,
    text_lines,
)

STATEMENTS = ("Theorem", "Lemma", "Definition", "Proposition", "Corollary", "Remark", "Example", "Proof", "Exercise")


def lecture(press: Press) -> Markup:
    """Lecture notes with theorems, formulas and proofs."""
    words = press.words
    body = running_head(press) + (title_block(press) if press.chance(0.35) else "")
    for _ in range(14):
        kind = press.rng.random()
        if kind < 0.15:
            body += section_heading(press)
        elif kind < 0.5:
            name = words.one(STATEMENTS)
            inside = f"{words.sentence()} {marks.formula(press.rng)} {words.sentence()}"
            style = "i" if name in STATEMENTS[:5] else ""
            body += f"<p><b>{name} {words.number(1, 9)}.{words.number(1, 20)}.</b> <span class={style}>{inside}</span>{' <span style=float:right>□</span>' if name == 'Proof' else ''}</p>"
        elif kind < 0.75:
            body += "".join(f"<p>{marks.formula(press.rng, display=True)}</p>" for _ in range(words.number(1, 3)))
        else:
            body += f"<p>{words.paragraph(1, 3)} {marks.formula(press.rng)} {words.sentence()}</p>"
    return press.page(body, over=page_number(press))


def programming(press: Press) -> Markup:
    """Notes on programming: headings, short text, code on grey."""
    words = press.words
    shade = words.one(("#f6f8fa", "#f0f0f0", "#fff", "#fdf6e3"))
    inks = [marks.colour(press.rng, dark=True) for _ in range(3)]
    body = title_block(press) if press.chance(0.3) else ""
    for _ in range(9):
        code = words.code(words.number(3, 12))
        if press.chance(0.6):
            for at, word in enumerate(("return", "def", "for", "if", "import", "while", "public", "const")):
                code = code.replace(f"{word} ", f"<span style='color:{inks[at % 3]}'>{word} </span>")
        border = "1px solid #ccc" if press.chance(0.4) else "0"
        body += words.one((section_heading(press), f"<h3>{words.title()}</h3>", "")) + f"<p>{words.paragraph(1, 2)}</p>"
        body += words.one(
            (
                f"<pre style='background:{shade};padding:.6em;border:{border}'>{code}</pre>",
                "<ul>"
                + "".join(f"<li><b>{words.word()}</b>: {words.sentence(4, 12)}" for _ in range(words.number(2, 5)))
                + "</ul>",
            )
        )
    return press.page(body, over=page_number(press))


def outline(press: Press) -> Markup:
    """Notes in bullets under bold headings, as students and teachers type them."""
    words = press.words
    body = title_block(press) if press.chance(0.5) else ""
    for _ in range(7):
        items = "".join(
            f"<li>{words.sentence(4, 18)}"
            + (f"<ul><li>{words.phrase(3, 10)}<li>{words.phrase(3, 10)}</ul>" if press.chance(0.25) else "")
            for _ in range(words.number(2, 6))
        )
        tag = words.one(("ul", "ol"))
        ink = marks.colour(press.rng, dark=True) if press.chance(0.3) else "#000"
        body += f"<h3 style='color:{ink}'>{words.title()}</h3><{tag}>{items}</{tag}>"
        body += marks.figure(press.rng) if press.chance(0.12) else ""
    return press.page(body, over=page_number(press))


def slides(press: Press) -> Markup:
    """Handouts: two to six slides on a page, or one slide alone."""
    words, rng = press.words, press.rng
    ink = marks.colour(rng, dark=True)

    def slide() -> str:
        inside = words.one(
            (
                marks.figure(rng),
                marks.formula(rng, display=True),
                "<ul>" + "".join(f"<li>{words.phrase(3, 9)}" for _ in range(words.number(2, 5))) + "</ul>",
            )
        )
        return f"<div style='border:1px solid #555;padding:.6em;overflow:hidden;min-height:15em'><h3 style='color:{ink}'>{words.title()}</h3>{inside}<ul><li>{words.sentence(4, 12)}</ul></div>"

    columns = words.number(1, 2)
    return press.page(
        f"<div style='display:grid;gap:1.4em;grid-template-columns:repeat({columns},1fr)'>{''.join(slide() for _ in range(columns * 3))}</div>",
        over=page_number(press),
    )


LAYOUTS = {
    "lecture": lecture,
    "lecture-again": lecture,
    "prose": prose,
    "article": article,
    "programming": programming,
    "outline": outline,
    "contents": contents,
    "newspaper": newspaper,
    "leaflet": leaflet,
    "slides": slides,
    "manual": manual,
    "text-lines": text_lines,
}
