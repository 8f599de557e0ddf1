"""Pages of what is published: books, articles, newspapers, leaflets, manuals."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing import marks
from classify_service.training.drawing.book_parts import page_number, running_head, section_heading
from classify_service.training.drawing.markup import Markup, Press


def prose(press: Press) -> Markup:
    """A page of a book: paragraphs alone."""
    words = press.words
    opening = f"<h1 class=c style='margin:3em 0 1em'>{words.title()}</h1>" if press.chance(0.25) else ""
    quote = f"<p style='margin:1em 3em' class=i>{words.paragraph(1, 2)}</p>" if press.chance(0.2) else ""
    notes = (
        f"<div class=small style='border-top:1px solid #000;width:100%'>¹ {words.sentence()}</div>"
        if press.chance(0.2)
        else ""
    )
    body = running_head(press) + opening + "".join(f"<p>{words.paragraph(2, 7)}</p>" for _ in range(3)) + quote
    return press.page(
        body + "".join(f"<p>{words.paragraph(2, 9)}</p>" for _ in range(7)) + notes, over=page_number(press)
    )


def article(press: Press) -> Markup:
    """A paper in two columns: title, authors, abstract, sections, figures, references."""
    words = press.words
    top = ""
    if press.chance(0.6):
        authors = ", ".join(words.person() for _ in range(words.number(1, 4)))
        top = f"<div class=c><h1>{words.title()}: {words.phrase(2, 6)}</h1><p class=c>{authors}</p><p class='c small'>{escape(words.institution())}</p></div>"
    column = "".join(
        words.one((section_heading(press), f"<p>{words.paragraph(2, 5)}</p>", f"<p>{words.paragraph(2, 6)}</p>", marks.formula(press.rng, display=True),
                   f"{marks.figure(press.rng)}<p class=small>Figure {words.number(1, 9)}: {words.sentence()}</p>"))
        for _ in range(26)
    )  # fmt: skip
    if press.chance(0.25):
        column = "<h2>References</h2>" + "".join(
            f"<p class=small>[{at}] {words.person()}, {words.title()}, {words.number(1960, 2025)}.</p>"
            for at in range(1, 60)
        )
    return press.page(
        f"{top}<div style='columns:2;column-gap:2em;font-size:.88em'>{column}</div>", over=page_number(press)
    )


def contents(press: Press) -> Markup:
    """A table of contents or an index."""
    words = press.words
    if press.chance(0.3):
        entries = "".join(
            f"<div>{words.phrase(1, 3)}, {words.number(1, 300)}, {words.number(1, 300)}</div>" for _ in range(160)
        )
        return press.page(
            f"<h1>Index</h1><div style='columns:{words.number(2, 3)};font-size:.85em'>{entries}</div>",
            over=page_number(press),
        )
    lines, page, chapter, section = "", 1, 1, 0
    for _ in range(40):
        page += words.number(0, 5)
        section += 1
        if press.chance(0.2):
            chapter, section = chapter + 1, 0
        name = f"{chapter}" if section == 0 else f"&emsp;{chapter}.{section}"
        bold = "b" if section == 0 else ""
        lines += f"<div class='row {bold}'><span>{name} &ensp; {words.title()}</span><span style='flex:1;border-bottom:1px dotted #000;margin-bottom:.3em'></span><span>{page}</span></div>"
    return press.page(
        f"<h1>{words.one(('Contents', 'Table of Contents', 'Inhalt', 'Índice'))}</h1>{lines}", over=page_number(press)
    )


def newspaper(press: Press) -> Markup:
    """A page of a newspaper or magazine: columns, headlines, grey pictures."""
    words, rng = press.words, press.rng
    columns = words.number(2, 5)
    paper = words.one(("#fff", "#f4efe2", "#f8e6d8", "#e8eef6", "#fff"))
    picture = f"<div style='height:{words.number(90, 240)}px;margin:.4em 0;background:linear-gradient({rng.integers(360)}deg,#{rng.choice(['222', '555', '346', '743'])},#ddd 60%,#777)'></div>"
    column = "".join(
        words.one(
            (
                f"<h2 style='line-height:1'>{words.title()}</h2>",
                f"<p>{words.paragraph(2, 6)}</p>",
                f"<p>{words.paragraph(3, 7)}</p>",
                f"<p>{words.paragraph(3, 7)}</p>",
                picture,
                f"<p class='b'>{words.sentence()}</p>",
            )
        )
        for _ in range(40)
    )
    top = f"<div class=c style='font-size:{rng.uniform(2, 4):.1f}em;font-weight:bold;line-height:1'>{words.one((f'The {words.place()} Times', words.title(), words.title()))}</div>"
    return press.page(
        f"{top if press.chance(0.7) else ''}<hr><div style='columns:{columns};font-size:.8em;column-gap:1em;column-rule:{words.one(('0', '1px solid #999'))}'>{column}</div>",
        extra_style=f".page{{background:{paper};padding:30px}}",
    )


def leaflet(press: Press) -> Markup:
    """A flyer or brochure: coloured bands, boxes, short texts, a picture."""
    words, rng = press.words, press.rng
    ink, other = marks.colour(rng, dark=True), marks.colour(rng)
    boxes = "".join(
        f"<div style='border:{words.number(0, 2)}px solid {ink};padding:.7em;background:{words.one(('#fff', '#f4f4f4', '#eef'))}'><h3 style='color:{ink}'>{words.title()}</h3>"
        f"{f'<p>{words.paragraph(1, 3)}</p>' if press.chance(0.6) else '<ul>' + ''.join(f'<li>{words.phrase(2, 6)}' for _ in range(5)) + '</ul>'}</div>"
        for _ in range(words.number(2, 8))
    )
    band = f"<div style='background:linear-gradient(90deg,{ink},{other});color:#fff;padding:1.2em'><h1>{words.title()}</h1>{words.phrase(4, 9)}</div>"
    return press.page(
        f"{band}<p>{words.paragraph(1, 3)}</p><div style='display:grid;gap:1em;grid-template-columns:repeat({words.number(1, 3)},1fr)'>{boxes}</div>",
        extra_style=".page{padding:25px}",
    )


def manual(press: Press) -> Markup:
    """A manual or report: numbered sections, tables, notes in boxes, figures."""
    words = press.words
    body = running_head(press)
    for _ in range(12):
        rows = "".join(
            f"<tr><td>{words.word()}<td>{words.phrase(3, 9)}<td>{words.number(1, 999)}"
            for _ in range(words.number(3, 9))
        )
        body += words.one(
            (
                section_heading(press),
                f"<p>{words.paragraph(2, 4)}</p>",
                f"<p>{words.paragraph(2, 4)}</p>",
                f"<table class={words.one(('ruled', 'plain'))} style='margin:.5em auto'><tr><th>{words.word()}<th>{words.word()}<th>{words.word()}{rows}</table><p class='c small'>Table {words.number(1, 9)}: {words.phrase(3, 8)}</p>",
                f"<div style='border:1px solid #888;background:#f4f4f4;padding:.5em;margin:.4em 0'><b>Note:</b> {words.paragraph(1, 2)}</div>",
                f"{marks.figure(press.rng)}<p class='c small'>Figure {words.number(1, 20)}: {words.phrase(3, 9)}</p>",
            )
        )
    return press.page(body, over=page_number(press))


def text_lines(press: Press) -> Markup:
    """Lines of large text on a cut-out, as text recognition is tried on."""
    words, width, height = press.words, press.words.number(420, 900), press.words.number(200, 700)
    style = f".page{{width:{width}px;height:{height}px;padding:18px;font-size:{words.number(16, 34)}px}}"
    cut = Press(rng=press.rng, words=words, paper_px=(width, height), style=press.style + style)
    return cut.page("".join(f"<p>{words.paragraph(1, 4)}</p>" for _ in range(5)))
