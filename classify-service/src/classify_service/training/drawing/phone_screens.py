"""Screens of phones: chats, lists, settings, posts, galleries, players."""

from __future__ import annotations

from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.screen import Theme


def chat(theme: Theme) -> Markup:
    """A conversation."""
    rng, words = theme.rng, theme.words
    mine = (
        rng.choice(["#dcf8c6", "#0b93f6", "#d1e4ff", theme.accent])
        if not theme.dark
        else rng.choice(["#005c4b", "#0b93f6", theme.accent])
    )
    bubbles = ""
    for _ in range(14):
        own = rng.random() < 0.5
        text = (
            words.phrase(1, 14) if rng.random() < 0.88 else theme.picture("width:200px;height:140px;border-radius:10px")
        )
        bubbles += f"<div style='display:flex;justify-content:{'flex-end' if own else 'flex-start'};margin:5px 10px'><div style='background:{mine if own else theme.soft};padding:7px 12px;border-radius:14px;max-width:75%'>{text} <small style='opacity:.6'>{words.number(0, 23)}:{words.number(0, 59):02d}</small></div></div>"
    return theme.phone(
        words.person(),
        f"<div style='background:{rng.choice([theme.back, '#e5ddd5' if not theme.dark else '#0b141a'])};height:100%'>{bubbles}</div>",
    )


def list_screen(theme: Theme) -> Markup:
    """A list: mails, contacts, episodes, files."""
    words, round_ = theme.words, theme.rng.random() < 0.6
    rows = "".join(
        f"<div style='display:flex;gap:14px;padding:10px 16px;align-items:center'>{theme.avatar() if round_ else theme.picture('width:64px;height:48px;border-radius:6px;flex:none')}<div style='flex:1'><b>{words.person() if round_ else words.title()}</b><br><span style='opacity:.65'>{words.phrase(2, 7)}</span></div><small>{words.number(1, 59)}m</small></div>"
        for _ in range(14)
    )
    return theme.phone(theme.words.word().title(), rows, button=theme.rng.random() < 0.5)


def settings(theme: Theme) -> Markup:
    """Switches and sections."""
    words, rows = theme.words, ""
    for _ in range(15):
        on = theme.rng.random() < 0.5
        switch = f"<div style='width:42px;height:22px;border-radius:12px;background:{theme.accent if on else '#999'};padding:3px'><div style='width:16px;height:16px;border-radius:50%;background:#fff;margin-left:{20 if on else 0}px'></div></div>"
        rows += f"<div style='display:flex;gap:16px;padding:12px 16px;align-items:center'><span>{theme.rng.choice(list('⚙☼♫✉☂⌂⚑'))}</span><div style='flex:1'>{words.phrase(1, 4).title()}<br><small style='opacity:.6'>{words.phrase(3, 8)}</small></div>{switch if theme.rng.random() < 0.6 else '›'}</div>"
        if theme.rng.random() < 0.15:
            rows += f"<div style='color:{theme.accent};padding:8px 16px;font-size:13px'>{words.word().upper()}</div>"
    return theme.phone("Settings", rows)


def feed(theme: Theme) -> Markup:
    """Posts with pictures."""
    words = theme.words
    posts = "".join(
        f"<div style='padding:12px 14px;border-bottom:1px solid {theme.soft}'><div style='display:flex;gap:10px'>{theme.avatar()}<div><b>{words.person()}</b> <span style='opacity:.6'>@{words.place().lower()} · {words.number(1, 23)}h</span><br>{words.sentence(4, 20)}</div></div>{theme.picture('width:100%;height:190px;border-radius:12px;margin-top:8px') if theme.rng.random() < 0.6 else ''}<div style='opacity:.6;padding-top:6px'>💬 {words.number(0, 99)} &emsp; 🔁 {words.number(0, 99)} &emsp; ♥ {words.number(0, 999)}</div></div>"
        for _ in range(6)
    )
    return theme.phone(words.word().title(), posts, button=True)


def gallery(theme: Theme) -> Markup:
    """A grid of pictures or covers."""
    columns = int(theme.rng.integers(2, 5))
    cells = "".join(
        f"<div>{theme.picture(f'width:100%;height:{400 // columns}px')}<small>{theme.words.word()}</small></div>"
        for _ in range(columns * 7)
    )
    return theme.phone(
        theme.words.word().title(),
        f"<div style='display:grid;gap:4px;padding:4px;grid-template-columns:repeat({columns},1fr)'>{cells}</div>",
    )


def player(theme: Theme) -> Markup:
    """Music, a timer or a login: little but one large thing and buttons."""
    words = theme.words
    body = f"<div style='text-align:center;padding:26px'>{theme.picture('width:300px;height:300px;border-radius:16px;margin:auto')}<h2>{words.title()}</h2><p>{words.person()}</p><div style='height:4px;background:{theme.soft}'><div style='width:{words.number(5, 90)}%;height:4px;background:{theme.accent}'></div></div><p style='font-size:34px'>⏮ ⏯ ⏭</p><div style='background:{theme.accent};color:#fff;border-radius:24px;padding:12px'>{words.phrase(1, 3).title()}</div></div>"
    return theme.phone(words.word().title(), body)
