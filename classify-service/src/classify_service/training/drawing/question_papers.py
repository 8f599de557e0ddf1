"""Exams, quizzes, problem sheets and test booklets."""

from __future__ import annotations

from classify_service.training.drawing import marks
from classify_service.training.drawing.exam_headings import exam_heading, instructions
from classify_service.training.drawing.exam_parts import four_answers, marks_for, number_of, shown_beside, watermark
from classify_service.training.drawing.markup import Markup, Press


def listed(press: Press) -> Markup:
    """Questions below each other, with parts (a), (b) and marks at the right."""
    words = press.words
    style, mark_style = int(press.rng.integers(6)), int(press.rng.integers(7))
    gap = press.rng.choice([0.2, 0.5, 1, 2.2])
    figures = press.rng.choice([0.05, 0.2, 0.4])
    body = exam_heading(press) + (instructions(press) if press.chance(0.6) else "")
    for at in range(1, 16):
        if press.chance(0.1):
            body += f"<p class='c b'>{words.one(('SECTION', 'PART', 'Section', 'Group'))} {words.one(('A', 'B', 'C', 'I', 'II'))}</p>"
        intro = words.one(("", "", "Solve any two of the following.", "Attempt any one:", "Answer the following:"))
        parts = words.number(0, 4)
        text = intro if intro and parts else words.question()
        formula = marks.formula(press.rng) if press.chance(figures) else ""
        body += (
            f"<div class=row style='margin-top:{gap}em'><span style='flex:none'><b>{number_of(style, at)}</b></span>"
            f"<span style='flex:1'>{text} {formula}</span><span style='flex:none'>{marks_for(press, mark_style)}</span></div>"
        )
        for part in range(parts):
            label = (
                f"({chr(97 + part)})",
                f"{chr(97 + part)})",
                f"({('i', 'ii', 'iii', 'iv', 'v')[part]})",
                f"{chr(65 + part)}.",
            )[style % 4]
            body += (
                f"<div class=row style='margin:.15em 0 0 2.2em'><span>{label}</span><span style='flex:1'>{words.question()}</span>"
                f"<span style='flex:none'>{marks_for(press, mark_style)}</span></div>"
            )
        if press.chance(figures):
            body += shown_beside(press)
        if press.chance(0.08):
            body += "<p class='c b'>OR</p>"
        if press.chance(0.06):
            break
    if press.chance(0.3):
        body += (
            f"<p class=c>{words.one(('*****', '— End of paper —', 'All the best!', '***** END *****', 'P.T.O.'))}</p>"
        )
    return press.page(body, over=watermark(press))


def gridded(press: Press) -> Markup:
    """Questions in a table with columns for number, question, marks, outcome."""
    words = press.words
    outcome = press.chance(0.5)
    head = "<tr><th>Q.<th>Question<th>Marks" + ("<th>CO" if outcome else "")
    rows = ""
    for at in range(1, 12):
        for part in range(words.number(1, 3)):
            last = f"<td class=c>CO{words.number(1, 6)}" if outcome else ""
            number = f"{at}" if part == 0 else ""
            rows += f"<tr><td class=c><b>{number}</b><td>{chr(97 + part)}) {words.question()}<td class=c>{words.number(2, 12)}{last}"
            if press.chance(0.12):
                rows += f"<tr><td><td>{shown_beside(press)}<td>" + ("<td>" if outcome else "")
        if press.chance(0.1):
            rows += "<tr><td colspan=4 class='c b'>OR"
    body = f"{exam_heading(press)}{instructions(press) if press.chance(0.6) else ''}<table class=ruled width=100%>{head}{rows}</table>"
    return press.page(body, over=watermark(press))


def multiple_choice(press: Press) -> Markup:
    """Questions with four answers each, in one or two columns."""
    style = int(press.rng.integers(6))
    columns = int(press.rng.choice([1, 1, 2]))
    questions = ""
    for at in range(1, 24):
        shown = shown_beside(press) if press.chance(0.08) else ""
        questions += (
            f"<div style='break-inside:avoid;margin-top:.6em'><b>{number_of(style, at)}</b> "
            f"{press.words.question()}{shown}{four_answers(press)}</div>"
        )
    opening = exam_heading(press) + (instructions(press) if press.chance(0.4) else "")
    rule = press.rng.choice(["none", "1px solid #000"])
    return press.page(
        f"{opening}<div style='columns:{columns};column-rule:{rule}'>{questions}</div>", over=watermark(press)
    )


def continued(press: Press) -> Markup:
    """A later page of an exam: it begins in the middle."""
    style, words = int(press.rng.integers(6)), press.words
    first = words.number(3, 30)
    body = f"<div class='row small'><span>{words.reference()}</span><span>{words.number(2, 9)}</span></div>"
    for at in range(first, first + 14):
        body += f"<p><b>{number_of(style, at)}</b> {words.question()} <span style='float:right'>{marks_for(press, 1)}</span></p>"
        chosen = press.rng.random()
        body += four_answers(press) if chosen < 0.35 else shown_beside(press) if chosen < 0.55 else ""
    return press.page(body)


def answer_sheet(press: Press) -> Markup:
    """A paper whose questions leave room, dotted lines or boxes for the answers."""
    style, words = int(press.rng.integers(6)), press.words
    way = int(press.rng.integers(3))
    body = exam_heading(press)
    for at in range(1, 12):
        lines = words.number(2, 5)
        room = (
            "<div style='border-bottom:1px dotted #000;height:1.7em'></div>" * lines,
            f"<div style='border:1px solid #000;height:{lines * 1.8}em;margin:.3em 0'></div>",
            f"<div style='height:{lines * 2}em'></div>",
        )[way]
        shown = shown_beside(press) if press.chance(0.2) else ""
        body += f"<p><b>{number_of(style, at)}</b> {words.question()} {marks_for(press, 2)}</p>{shown}{room}"
    return press.page(body)


def fill_in(press: Press) -> Markup:
    """A school test with blanks, true or false, and columns to match."""
    words = press.words
    body = exam_heading(press)
    for at in range(1, 7):
        title = words.one(
            (
                "Fill in the blanks",
                "State true or false",
                "Match the columns",
                "Answer in one word",
                "Tick the right answer",
            )
        )
        body += f"<p class=b>{at}. {title} <span style='float:right'>({words.number(3, 10)})</span></p>"
        for part in range(words.number(3, 6)):
            line = f"{words.phrase(2, 6)} {'_' * words.number(8, 22)} {words.phrase(2, 5)}."
            if title.startswith("Match"):
                line = f"<span style='display:inline-block;width:50%'>{words.phrase(1, 3)}</span>({chr(97 + part)}) {words.phrase(1, 3)}"
            elif title.startswith("State"):
                line = f"{words.sentence(6, 12)} ({' ' * 3}____{' ' * 3})"
            body += f"<div style='margin-left:2em'>{'i' * (part % 3 + 1)}) {line}</div>"
    return press.page(body)


def cover(press: Press) -> Markup:
    """The front page of a booklet: name boxes, table of marks, what to do."""
    words = press.words
    boxes = "<table class=ruled><tr>" + "<td style='width:1.6em;height:1.9em'>" * words.number(6, 12) + "</table>"
    table = "".join(
        f"<tr><td>{at}<td>{words.number(5, 20)}<td style='width:5em'>" for at in range(1, words.number(6, 12))
    )
    kind = words.one(("Candidate number", "Name", "Roll No. (in figures)", "Centre number", "Signature"))
    body = (
        f"{exam_heading(press)}<p>{kind}</p>{boxes}<p>Surname {'.' * 40}</p>{instructions(press)}<p>{words.paragraph()}</p>"
        f"<table class=ruled style='margin:1em {words.one(('auto', '0'))}'><tr><th>Question<th>Maximum<th>Score{table}</table>"
        f"{marks.bar_code(press.rng) if press.chance(0.4) else ''}"
    )
    return press.page(body)


def snippet(press: Press) -> Markup:
    """A few questions alone, as someone cuts them out or types them."""
    width, height = press.words.number(480, 900), press.words.number(220, 620)
    cut = Press(
        rng=press.rng,
        words=press.words,
        paper_px=(width, height),
        style=press.style + f".page{{width:{width}px;height:{height}px;padding:20px}}",
    )
    style = int(press.rng.integers(6))
    body = exam_heading(cut) if press.chance(0.4) else ""
    for at in range(1, 9):
        body += f"<p><b>{number_of(style, at)}</b> {press.words.question()} {marks_for(press, 2)}</p>"
        body += four_answers(press) if press.chance(0.3) else ""
    return cut.page(body)


def essay(press: Press) -> Markup:
    """An assignment or case study: mostly prose, and the tasks at its end."""
    words, style = press.words, int(press.rng.integers(6))
    prose = "".join(f"<p>{words.paragraph(2, 5)}</p>" for _ in range(words.number(1, 4)))
    body = exam_heading(press) + (instructions(press) if press.chance(0.5) else "") + prose
    for at in range(1, 9):
        body += f"<p><b>{number_of(style, at)}</b> {words.paragraph(1, 3)} {words.question()} {marks_for(press, 2)}</p>"
        body += shown_beside(press) if press.chance(0.2) else ""
    return press.page(body)


LAYOUTS = {
    "listed": listed,
    "listed-again": listed,
    "gridded": gridded,
    "multiple-choice": multiple_choice,
    "continued": continued,
    "answer-sheet": answer_sheet,
    "fill-in": fill_in,
    "cover": cover,
    "snippet": snippet,
    "essay": essay,
}
