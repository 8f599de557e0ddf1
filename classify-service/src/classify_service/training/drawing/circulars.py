"""Official circulars, notices, letters, memos, orders and press releases."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing.markup import Markup, Press
from classify_service.training.drawing.office_paper import (
    copies,
    foot_line,
    kind_of_notice,
    letterhead,
    numbered_list,
    receiver,
    reference,
    ruled_table,
    signature_block,
    subject_line,
    text_of_letter,
)

GREETINGS = (
    "Dear Sir,",
    "Dear Madam,",
    "Dear Parents,",
    "To whom it may concern,",
    "Sir,",
    "Dear colleagues,",
    "Respected Sir,",
)


def letter(press: Press) -> Markup:
    """A letter on headed paper."""
    greeting = press.words.one(GREETINGS) if press.words.language == "en" else press.words.phrase(2, 3) + ","
    about = subject_line(press) if press.chance(0.6) else ""
    body = f"{letterhead(press)}{reference(press)}{receiver(press)}{about}<p>{greeting}</p>{text_of_letter(press)}{signature_block(press)}{copies(press)}"
    return press.page(body, over=foot_line(press))


def notice(press: Press) -> Markup:
    """A notice or circular under a letterhead."""
    head = letterhead(press) + (reference(press) if press.chance(0.8) else "") + kind_of_notice(press)
    body = (
        head
        + (subject_line(press) if press.chance(0.5) else "")
        + text_of_letter(press)
        + signature_block(press)
        + copies(press)
    )
    return press.page(body, over=foot_line(press))


def order(press: Press) -> Markup:
    """A government order: centred heads, numbered paragraphs, who signs and who gets copies."""
    words = press.words
    body = (
        f"<div class=c>{words.reference()}<br>{escape(words.institution())}<br>{escape(words.institution())}<br>***</div>"
        f"<div class=r>{words.place()}, {words.date()}</div>{kind_of_notice(press)}{subject_line(press)}"
        + "".join(f"<p>{at}. &emsp; {words.paragraph(1, 4)}</p>" for at in range(1, words.number(2, 7)))
        + signature_block(press)
        + receiver(press)
        + copies(press)
    )
    return press.page(body)


def press_release(press: Press) -> Markup:
    """An announcement with a headline and little else."""
    words = press.words
    headline = words.title() + " " + words.phrase(2, 7)
    body = (
        f"{letterhead(press) if press.chance(0.6) else f'<div class=c>{escape(words.institution())}</div>'}"
        f"<h1 class={words.one(('c', 'l'))}>{headline}</h1><p class=c>{words.date()}</p>"
        + "".join(f"<p>{words.paragraph(1, 4)}</p>" for _ in range(words.number(1, 5)))
        + f"<p class=c>{words.one(('***', '-END-', '###', words.person()))}</p>"
    )
    return press.page(body, over=foot_line(press))


def memo(press: Press) -> Markup:
    """A memorandum: to, from, date, subject, then text."""
    words = press.words
    rows = "".join(
        f"<tr><td class=b>{name}<td>{value}"
        for name, value in (
            ("TO:", words.person()),
            ("FROM:", words.person()),
            ("DATE:", words.date()),
            ("SUBJECT:", words.title()),
        )
    )
    head = words.one((letterhead(press), f"<h1>{words.one(('MEMORANDUM', 'Memo', 'INTER-OFFICE MEMO'))}</h1>"))
    return press.page(
        f"{head}<table>{rows}</table><hr>{text_of_letter(press)}{signature_block(press) if press.chance(0.4) else ''}",
        over=foot_line(press),
    )


def schedule(press: Press) -> Markup:
    """A notice that is mostly a table: fees, dates, a list of the admitted."""
    body = f"{letterhead(press)}{reference(press) if press.chance(0.5) else ''}{kind_of_notice(press)}<p>{press.words.paragraph(1, 2)}</p>"
    return press.page(
        f"{body}{ruled_table(press)}{numbered_list(press) if press.chance(0.5) else ''}{signature_block(press)}",
        over=foot_line(press),
    )


def form(press: Press) -> Markup:
    """A circular with a slip that is to be filled in and returned."""
    words = press.words
    lines = "".join(
        f"<p>{words.one(('Name', 'Class', 'Address', 'Contact No.', 'Signature of parent', 'Date'))} {'_' * 40}</p>"
        for _ in range(5)
    )
    cut = "<div style='border-top:2px dashed #000;margin:1em 0'></div>"
    return press.page(
        f"{letterhead(press)}{kind_of_notice(press)}{text_of_letter(press)}{signature_block(press)}{cut}<div class='c b u'>CONSENT FORM</div>{lines}"
    )


def later_page(press: Press) -> Markup:
    """The last page of a letter: its end, signature, copies."""
    words = press.words
    head = (
        letterhead(press)
        if press.chance(0.5)
        else f"<p class={words.one(('c', 'r'))}>{words.one(('- 2 -', 'Page 2 of 3', '2', '//2//'))}</p>"
    )
    return press.page(f"{head}{text_of_letter(press)}{signature_block(press)}{copies(press)}", over=foot_line(press))


def request(press: Press) -> Markup:
    """A request with a long list of what is asked for, as citizens send it to an office."""
    words = press.words
    items = "".join(
        f"<li>{words.phrase(2, 8)}"
        + (
            f"<ul>{''.join(f'<li>{words.phrase(1, 7)}' for _ in range(words.number(2, 5)))}</ul>"
            if press.chance(0.3)
            else ""
        )
        for _ in range(words.number(4, 14))
    )
    body = f"{letterhead(press)}{reference(press)}{receiver(press)}<p>{words.one(GREETINGS)}</p><p>{words.paragraph(1, 3)}</p>"
    return press.page(
        f"{body}<ul>{items}</ul><p>{words.paragraph(1, 3)}</p>{signature_block(press)}", over=foot_line(press)
    )


LAYOUTS = {
    "letter": letter,
    "notice": notice,
    "notice-again": notice,
    "order": order,
    "press-release": press_release,
    "memo": memo,
    "schedule": schedule,
    "form": form,
    "later-page": later_page,
    "request": request,
}
