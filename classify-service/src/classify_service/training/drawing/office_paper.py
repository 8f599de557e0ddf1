"""The parts of official paper: letterhead, reference, subject, text, table, signatures and seals, who gets copies."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing import marks, office_words
from classify_service.training.drawing.markup import Press

LOCAL_NAMES = {
    "hi": ("कार्यालय आदेश", "सूचना", "परिपत्र", "अधिसूचना", "प्रेस विज्ञप्ति"),
    "de": ("Bekanntmachung", "Rundschreiben", "Mitteilung", "Pressemitteilung", "Aushang"),
    "es": ("CIRCULAR", "AVISO", "COMUNICADO", "Nota de prensa", "RESOLUCIÓN"),
    "zh": ("通知", "公告", "关于会议的通知", "决定"),
}
CLOSINGS = (
    "Yours faithfully,",
    "Sincerely,",
    "Yours sincerely,",
    "By order,",
    "Best regards,",
    "With kind regards,",
    "Sd/-",
    "Cordially,",
)


def letterhead(press: Press) -> str:
    """Return who writes, in one of eleven forms: with arms, bands, addresses, or a logo alone."""
    words, rng = press.words, press.rng
    name = escape(words.institution())
    ink = marks.colour(rng, dark=True) if press.chance(0.5) else "#000"
    address = f"{words.number(1, 300)} {words.place()} Road, {words.place()} – {words.number(100000, 799999)}"
    line = (
        f"Tel: {words.phone()} · E-mail: office@{words.place().lower()}.example · www.{words.place().lower()}.example"
    )
    side = words.number(50, 120)
    kind = int(rng.integers(11))
    crest = marks.crest(rng, side_px=side)
    motto = f"<div class='small i'>({words.one(('A Govt. Undertaking', 'Affiliated to the State Board', 'An autonomous institute', 'Estd. 1954'))})</div>"
    big = f"<div class=head style='font-size:{rng.uniform(1.2, 2):.1f}em;font-weight:bold;color:{ink}'>{name}</div>"
    rule = f"<div style='border-bottom:{words.number(1, 4)}px {words.one(('solid', 'double', 'solid'))} {ink};margin:.3em 0 .8em'></div>"
    if kind == 0:
        return f"<div class=row style='align-items:center'>{crest}<div class=c style='flex:1'>{big}{motto}<div class=small>{address}<br>{line}</div></div></div>{rule}"
    if kind == 1:
        return f"<div class=c>{crest}{big}<div class=small>{address}<br>{line}</div></div>{rule}"
    if kind == 2:
        return f"<div class=c>{crest}</div><br>"
    if kind == 3:
        return f"<div>{crest}</div>{big}<br>"
    if kind == 4:
        return f"<div class=row>{crest}<div class='r small' style='color:{ink}'>{name}<br>{address}<br>{words.phone()}</div></div><br>"
    if kind == 5:
        other = marks.crest(rng, side_px=side)
        return f"<div class=row style='align-items:center'>{crest}<div class=c>{big}<div class=small>{address}</div></div>{other}</div>{rule}"
    if kind == 6:
        return f"<div class='c b head'>{name.upper()}<br>{escape(words.institution()).upper()}<br><span class=small>{address}</span></div><br>"
    if kind == 7:
        return f"<div class='r small'>{name}<br>{address.replace(', ', '<br>')}<br>{words.phone()}</div><br>"
    if kind == 8:
        return f"<div style='background:{ink if ink != '#000' else '#246'};color:#fff;padding:.8em' class=row>{crest}<div class=c style='flex:1'>{name}<div class=small>{address}</div></div></div><br>"
    if kind == 9:
        return f"<div class='row small' style='border-bottom:1px solid {ink}'><span>{name}</span><span>{words.date()}</span></div><br>"
    return f"<div class=c>{big}<div class=small>{line}</div></div>{rule}"


def reference(press: Press) -> str:
    """Return the reference number and the date."""
    words = press.words
    number = f"{words.one(('Ref:', 'No.', 'Ref. No.:', 'Letter No.', '', 'Az.:'))} {words.reference()}"
    date = f"{words.one(('Date:', 'Dated:', '', 'Dated the'))} {words.date()}"
    return words.one(
        (
            f"<div class=row><span>{number}</span><span>{date}</span></div><br>",
            f"<div class=r>{number}<br>{date}</div>",
            f"<div>{number}<br>{date}</div><br>",
            f"<div class='b row'><span>{number}</span><span>{date}</span></div>",
            f"<p>{words.date()}</p>",
            f"<p class=r>{words.place()}, {words.date()}</p>",
        )
    )


def subject_line(press: Press) -> str:
    """Return what it is about."""
    words = press.words
    name = (
        words.one(("Subject:", "Sub:", "Re:", "SUBJECT –", "Sub. :", "Betreff:")) if words.language != "hi" else "विषय:"
    )
    topic = words.title() if words.language == "en" else words.phrase(5, 12)
    return words.one(
        (
            f"<p class=b>{name} {topic}</p>",
            f"<p class='b c u'>{name} {topic} {words.phrase(3, 8)}</p>",
            f"<p>{name} <u>{topic}</u></p>",
            f"<p style='margin-left:3em'><b>{name}</b> {topic} {words.phrase(4, 9)} – reg.</p>",
        )
    )


def kind_of_notice(press: Press) -> str:
    """Return the word above a notice that says what it is."""
    words = press.words
    name = words.one(LOCAL_NAMES.get(words.language, office_words.NOTICE_KINDS))
    style = words.one(("b u", "b", "u", "b", "head b"))
    return f"<div class='c {style}' style='font-size:{press.rng.uniform(1, 1.7):.1f}em;margin:.6em 0'>{name}</div>"


def receiver(press: Press) -> str:
    """Return to whom it goes."""
    words = press.words
    before = words.one(("To,<br>", "To<br>The ", "", "An<br>"))
    return f"<p style='text-indent:0'>{before}{words.person()}<br>{words.one(office_words.ROLES)}<br>{escape(words.institution())}<br>{words.place()}</p>"


def numbered_list(press: Press) -> str:
    """Return a list of sentences."""
    kind = press.words.one(("type=1", "type=a", "type=i", "style='list-style:disc'", "style='list-style:square'"))
    items = "".join(f"<li style='margin:.2em 0'>{press.words.sentence(5, 24)}" for _ in range(press.words.number(2, 8)))
    return f"<ol {kind}>{items}</ol>"


def ruled_table(press: Press) -> str:
    """Return a table of words and numbers."""
    words, columns = press.words, press.words.number(2, 6)
    shade = marks.colour(press.rng, dark=True) if press.chance(0.3) else ""
    head = "".join(
        f"<th style='{f'background:{shade};color:#fff' if shade else ''}'>{words.phrase(1, 2)}" for _ in range(columns)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td>{words.phrase(1, 3) if i == 1 else words.number(1, 9000)}" for i in range(columns))
        for _ in range(words.number(3, 16))
    )
    wide = words.one(("width=100%", "style='margin:.6em auto'"))
    return f"<table class=ruled {wide}><tr>{head}{rows}</table>"


def signature_block(press: Press) -> str:
    """Return who signed, with a signature, a stamp, both or neither."""
    words, rng = press.words, press.rng
    hand = marks.signature(rng) if press.chance(0.6) else "<br><br>"
    seal = marks.stamp(rng, words) if press.chance(0.4) else ""
    role = (
        f"{words.one(office_words.ROLES)}<br>{escape(words.institution())}"
        if press.chance(0.7)
        else words.one(office_words.ROLES)
    )
    block = f"<div>{words.one(CLOSINGS) if press.chance(0.6) else ''}<br>{hand}<br>({words.person()})<br>{role}</div>"
    other = f"<div>{marks.signature(rng) if press.chance(0.4) else '<br><br>'}<br>{words.person()}<br>{words.one(office_words.ROLES)}</div>"
    return words.one(
        (
            f"<div class=row style='margin-top:1em'><div></div>{seal}<div class=c>{block}</div></div>",
            f"<div style='margin-top:1em'>{block}{seal}</div>",
            f"<div class='row c' style='margin-top:1em'>{other}{seal}{block}</div>",
            f"<div class=r style='margin-top:1em'>{block}</div>{seal}",
        )
    )


def copies(press: Press) -> str:
    """Return who else gets it, or nothing."""
    if not press.chance(0.45):
        return ""
    words = press.words
    items = "".join(f"<li>{words.one(office_words.COPIES)}" for _ in range(words.number(2, 6)))
    name = words.one(("Copy to:", "Copy forwarded for information to:", "CC:", "C.C. to –", "Enclosures:"))
    return f"<div class=small style='margin-top:1em'>{name}<ol style='margin:0'>{items}</ol></div>"


def foot_line(press: Press) -> str:
    """Return a line at the foot of the page, where the letterhead's address often stands."""
    if not press.chance(0.35):
        return ""
    words, (width, height) = press.words, press.paper_px
    ink = marks.colour(press.rng, dark=True)
    return (
        f"<div style='position:absolute;top:{height - 50}px;left:40px;width:{width - 80}px;font:11px Liberation Sans;color:{ink};"
        f"text-align:center;border-top:{words.number(0, 2)}px solid {ink};padding-top:5px'>{words.number(1, 900)} {words.place()} Street · "
        f"{words.place()} · {words.phone()} · office@{words.place().lower()}.example</div>"
    )


def text_of_letter(press: Press) -> str:
    """Return what is said: some paragraphs, now and then a list or a table, from one sentence to a whole page."""
    words = press.words
    parts = []
    for at in range(words.number(1, 5)):
        number = f"{at + 1}. " if press.chance(0.25) else ""
        parts.append(f"<p>{number}{words.paragraph(1, 5)}</p>")
        if press.chance(0.22):
            parts.append(numbered_list(press))
        elif press.chance(0.14):
            parts.append(ruled_table(press))
    return "".join(parts)
