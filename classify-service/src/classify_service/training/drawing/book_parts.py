"""What pages of books and notes have around their text: running heads, page numbers, headings, titles."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing.markup import Press


def running_head(press: Press) -> str:
    """Return the line above the text, or nothing: not every page has one."""
    words = press.words
    if not press.chance(0.4):
        return ""
    left, right = (
        escape(words.subject()),
        words.one((words.person(), str(words.number(1, 400)), words.date(), words.title())),
    )
    rule = "border-bottom:1px solid #000;" if press.chance(0.5) else ""
    return f"<div class='row small' style='{rule}margin-bottom:1em'><span>{left}</span><span>{right}</span></div>"


def page_number(press: Press) -> str:
    """Return the number at the foot of the page, or nothing."""
    if not press.chance(0.6):
        return ""
    width, height = press.paper_px
    return f"<div style='position:absolute;top:{height - 35}px;width:{width}px;text-align:center;font:13px Liberation Serif'>{press.words.number(1, 400)}</div>"


def section_heading(press: Press) -> str:
    """Return the heading of a section, mostly with a number."""
    words = press.words
    number = words.one(
        (
            f"{words.number(1, 9)}",
            f"{words.number(1, 9)}.{words.number(1, 9)}",
            f"{words.number(1, 9)}.{words.number(1, 9)}.{words.number(1, 9)}",
            "",
        )
    )
    return f"<h{words.number(2, 3)} style='text-align:left'>{number} &ensp; {words.title()}</h2>"


def title_block(press: Press) -> str:
    """Return what stands at the beginning of notes: title, who, when."""
    words = press.words
    return words.one(
        (
            f"<div class=c><h1>{words.title()}</h1><p class=c>{words.person()}</p><p class=c>{words.date()}</p></div>",
            f"<h1>{words.title()}</h1>",
            f"<div style='border:1px solid #000;padding:.5em'><div class=row><b>{escape(words.subject())}</b><span>{words.date()}</span></div>"
            f"<div class=c style='font-size:1.4em'>Lecture {words.number(1, 30)}: {words.title()}</div><div class='row i'><span>Lecturer: "
            f"{words.person()}</span><span>Scribe: {words.person()}</span></div></div>",
            f"<div class=b>{escape(words.subject())}<br>Chapter {words.number(1, 20)}</div>",
        )
    )
