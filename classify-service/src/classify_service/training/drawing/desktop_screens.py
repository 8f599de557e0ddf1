"""Screens of desktops: terminals, editors, web pages, consoles, spreadsheets, dialogs."""

from __future__ import annotations

from html import escape

from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.screen import Theme


def terminal(theme: Theme) -> Markup:
    """A shell with commands and what they print."""
    words, rng = theme.words, theme.rng
    back, ink = rng.choice(["#000", "#300a24", "#1e1e1e", "#0c0c0c", "#fff"]), rng.choice(["#ddd", "#3f3", "#ccc"])
    ink = "#222" if back == "#fff" else ink
    lines = ""
    for _ in range(48):
        lines += (
            f"<span style='color:#4b4'>{words.word()}@{words.place().lower()}</span>:<span style='color:#69f'>~/{words.word()}</span>$ {words.phrase(1, 4)}\n"
            if rng.random() < 0.25
            else f"{words.date()} {words.number(0, 99999):6d} {words.phrase(1, 9)}\n"
        )
    return theme.desktop(
        "Terminal", f"<div style='background:{back};color:{ink};height:100%;padding:8px'><pre>{lines}</pre></div>"
    )


def editor(theme: Theme) -> Markup:
    """Source code with line numbers and a file tree."""
    words, tints = theme.words, [marks.colour(theme.rng) for _ in range(4)]
    code = words.code(60)
    for at, word in enumerate(("return", "def", "for", "if", "import", "while", "public", "const", "print")):
        code = code.replace(f"{word}", f"<span style='color:{tints[at % 4]}'>{word}</span>")
    tree = "<br>".join(f"▸ {words.word()}.{theme.rng.choice(['py', 'js', 'md', 'c', 'txt'])}" for _ in range(24))
    numbers = "\n".join(str(at) for at in range(1, 61))
    back = theme.rng.choice(["#1e1e1e", "#282c34", "#272822", "#fff", "#fdf6e3"])
    ink = "#d4d4d4" if back not in ("#fff", "#fdf6e3") else "#333"
    return theme.desktop(
        f"{words.word()}.py",
        f"<div style='display:flex;height:100%;background:{back};color:{ink}'><div style='width:190px;padding:10px;font-size:13px;background:#8882'>{tree}</div><pre style='padding:8px;opacity:.5'>{numbers}</pre><pre style='padding:8px'>{code}</pre></div>",
    )


def web_page(theme: Theme) -> Markup:
    """An article, a shop or a form in a browser."""
    words = theme.words
    links = " &emsp; ".join(words.word().title() for _ in range(5))
    cards = "".join(
        f"<div style='background:{theme.soft};border-radius:8px;padding:12px'>{theme.picture('width:100%;height:110px') if theme.rng.random() < 0.6 else ''}<b>{words.title()}</b><p>{words.sentence(5, 14)}</p></div>"
        for _ in range(6)
    )
    fields = "".join(
        f"<p>{words.phrase(1, 2).title()}<br><span style='display:block;border:1px solid #999;border-radius:4px;height:34px;padding:6px;max-width:480px'>{words.word()}</span></p>"
        for _ in range(5)
    )
    main = (
        f"<div style='display:grid;grid-template-columns:repeat(3,1fr);gap:16px'>{cards}</div>",
        f"{fields}<span style='background:{theme.accent};color:#fff;padding:9px 20px;border-radius:6px'>Save</span>",
        f"<h1>{words.title()}</h1><p>{words.paragraph(4, 8)}</p><p>{words.paragraph(4, 8)}</p>",
    )[int(theme.rng.integers(3))]
    return theme.desktop(
        words.title()[:24],
        f"<div style='background:{theme.accent};color:#fff;padding:14px 26px'><b>{words.place()}</b> &emsp; {links}</div><div style='padding:22px 28px'>{main}</div>",
    )


def console(theme: Theme) -> Markup:
    """A web console: side menu, figures, a table of rows."""
    words = theme.words
    menu = "".join(
        f"<div style='padding:9px 16px'>{theme.rng.choice(list('▣☰⚙✉☺'))} {words.word().title()}</div>"
        for _ in range(12)
    )
    tiles = "".join(
        f"<div style='background:{theme.soft};border-radius:8px;padding:14px;flex:1'>{words.word()}<div style='font-size:26px'>{words.number(1, 9999)}</div></div>"
        for _ in range(4)
    )
    rows = "".join(
        f"<tr><td>{words.reference()}<td>{words.phrase(1, 3)}<td>{words.date()}<td><span style='background:{marks.colour(theme.rng)};color:#fff;border-radius:9px;padding:1px 9px'>{words.word()}</span>"
        for _ in range(14)
    )
    head = "".join(f"<th>{words.word().title()}" for _ in range(4))
    return theme.desktop(
        words.place(),
        f"<div style='display:flex;height:100%'><div style='width:200px;background:{theme.soft}'>{menu}</div><div style='flex:1;padding:18px'><h2>{words.title()}</h2><div style='display:flex;gap:12px'>{tiles}</div><table style='margin-top:14px'><tr>{head}{rows}</table></div></div>",
    )


def spreadsheet(theme: Theme) -> Markup:
    """A grid of cells with letters and numbers at its edges."""
    words = theme.words
    head = "<td>" + "".join(f"<td style='background:{theme.soft};text-align:center'>{chr(65 + i)}" for i in range(12))
    rows = "".join(
        f"<tr><td style='background:{theme.soft}'>{at}"
        + "".join(
            f"<td style='border:1px solid #ccc6;padding:3px 6px'>{'' if theme.rng.random() < 0.4 else words.number(0, 9999) if theme.rng.random() < 0.7 else words.word()}"
            for _ in range(12)
        )
        for at in range(1, 30)
    )
    return theme.desktop(
        f"{words.word()}.ods",
        f"<div style='padding:6px;font-size:13px'>File Edit View Insert Format &ensp; <b>B</b> <i>I</i> <u>U</u> &ensp; fx</div><table style='font-size:12px'><tr>{head}{rows}</table>",
    )


def dialog(theme: Theme) -> Markup:
    """A small dialog with a question, fields and buttons."""
    words = theme.words
    fields = "".join(
        f"<p>{'☑' if theme.rng.random() < 0.5 else '☐'} {words.phrase(2, 6)}</p>" for _ in range(words.number(0, 6))
    )
    body = f"<div style='padding:20px'><h3>{words.phrase(2, 5).capitalize()}?</h3><p>{words.sentence()}</p>{fields}<div style='text-align:right'><span style='border:1px solid #999;padding:6px 18px;border-radius:5px'>Cancel</span> <span style='background:{theme.accent};color:#fff;padding:7px 22px;border-radius:5px'>OK</span></div></div>"
    width, height = words.number(340, 620), words.number(220, 420)
    return theme.window(
        f"<div style='background:{theme.soft};padding:8px 14px'>{escape(words.title())}<span style='float:right'>✕</span></div>{body}",
        width,
        height,
    )
