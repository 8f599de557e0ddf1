"""What stands above the questions of an exam: who asks, what, when, for how many marks; and what to heed."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing import marks, office_words
from classify_service.training.drawing.markup import Press


def _facts(press: Press) -> list[str]:
    words = press.words
    return [
        f"Time: {words.one(('3 Hours', '2 Hrs.', '90 minutes', '60 min', '1½ hours', '3 hrs'))}",
        f"{words.one(('Max. Marks', 'Total Marks', 'Maximum marks', 'Full Marks', 'Points'))}: {words.number(2, 20) * 5}",
        f"Date: {words.date()}",
        f"{words.one(('Course', 'Subject', 'Paper', 'Branch'))}: {escape(words.subject())}",
        f"{words.one(('Code', 'Paper code', 'Subject Code'))}: {words.reference()[:12]}",
        f"Semester: {words.one(('I', 'II', 'III', 'IV', 'V', 'VI'))}",
    ]


def exam_heading(press: Press) -> str:
    """Return the head of an exam in one of nine forms: school, exam, subject, time, marks, boxes for the name."""
    words, rng = press.words, press.rng
    school = escape(words.institution())
    exam = f"{words.one(office_words.EXAM_NAMES)} {words.number(2001, 2026) if press.chance(0.6) else ''}"
    facts = _facts(press)
    rng.shuffle(facts)
    kind = int(rng.integers(9))
    crest = marks.crest(rng, side_px=words.number(45, 80)) if press.chance(0.4) else ""
    if kind == 0:
        cells = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in zip(facts[:3], facts[3:], strict=True))
        return f"<div class='c b head'>{school.upper()}<br>{exam}</div><table class=ruled width=100%>{cells}</table>"
    if kind == 1:
        return f"<h1 class=c>{escape(words.subject())}<br>{exam}</h1><p class=c>{words.date()}</p>"
    if kind == 2:
        return (
            f"<div class=row>{crest}<div class='c b head' style='flex:1'>{school}<br>{exam}<br>{escape(words.subject())}</div></div>"
            f"<hr><div class='row b'><span>{facts[0]}</span><span>{facts[1]}</span></div><hr>"
        )
    if kind == 3:
        return (
            f"<div class='row b'><span>{escape(words.subject())}<br>{exam}</span><span class=r>{facts[0]}<br>{facts[1]}</span></div>"
            f"<p>Name: {'_' * 28} &nbsp; {words.one(('Roll No', 'ID', 'Student number'))}: {'_' * 14}</p>"
        )
    if kind == 4:
        boxes = "<td>&nbsp;&nbsp;</td>" * words.number(6, 12)
        return (
            f"<div class=row><table class=ruled><tr><td>Roll No.</td>{boxes}</tr></table><b>{words.reference()[:10]}</b></div>"
            f"<p class=small>Total No. of Questions: {words.number(5, 12)} &emsp; [Total No. of Pages: {words.number(1, 6)}]</p>"
            f"<div class='c b head'>{exam}<br>{escape(words.subject()).upper()}</div><div class='row i'><span>{facts[0]}</span>"
            f"<span>{facts[1]}</span></div>"
        )
    if kind == 5:
        return (
            f"<table class=ruled width=100%><tr><td>{crest}</td><td class='c b'>{school}<br>{exam}</td></tr>"
            f"<tr><td>{facts[0]}</td><td>{facts[1]}</td></tr><tr><td>{facts[2]}</td><td>{facts[3]}</td></tr></table>"
        )
    if kind == 6:
        return f"<p class='r small'>[{exam}]</p><h2>{escape(words.subject())}</h2><p>{facts[0]} &emsp; {facts[1]}</p>"
    if kind == 7:
        return (
            f"<div class=c>{crest}</div><div class='c head'><b>{school}</b><br>{exam}<br><b>{escape(words.subject())}</b><br>"
            f"{words.date()}</div><div class=row><span>{facts[0]}</span><span>{facts[1]}</span></div>"
        )
    return f"<p class='b u c'>{escape(words.subject())} – {exam} ({facts[1]})</p>"


def instructions(press: Press) -> str:
    """Return what candidates are told, plain or in a box."""
    words = press.words
    lines = [
        words.one(office_words.INSTRUCTIONS) if words.language == "en" else words.sentence()
        for _ in range(words.number(2, 6))
    ]
    items = "".join(f"<li>{line}" for line in lines)
    title = words.one(
        ("Instructions:", "Instructions to the Students", "N.B.:", "General Instructions:", "Note:", "Read first")
    )
    form = words.one(
        (
            "<b>{title}</b><ol style='margin:.2em 0'>{items}</ol>",
            "<div style='border:1px solid #000;padding:.4em'><b class=u>{title}</b><ol style='margin:0' type=i>{items}</ol></div>",
            "<i><b>{title}</b><ul style='margin:.1em 0'>{items}</ul></i><hr>",
        )
    )
    return form.format(title=title, items=items)
