"""How one screen looks: light or dark, its colours and fonts, a phone's bars or a window's frame."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify_service.training.drawing import marks
from classify_service.training.drawing.markup import Markup
from classify_service.training.drawing.words import Words

FONTS = ("Roboto", "Open Sans", "Noto Sans", "Lato", "Cantarell", "Liberation Sans", "DejaVu Sans")
MONO = ("DejaVu Sans Mono", "Hack", "Fira Code", "Inconsolata", "Liberation Mono", "Noto Mono")


@dataclass(frozen=True)
class Theme:
    """One screen's size, colours and words."""

    rng: np.random.Generator
    words: Words
    photos: list[Path]
    dark: bool
    back: str
    ink: str
    soft: str
    accent: str
    font: str

    @staticmethod
    def at_random(rng: np.random.Generator, photos: list[Path]) -> Theme:
        """Return one screen's look, light or dark."""
        dark = bool(rng.random() < 0.45)
        back, ink, soft = (
            (
                rng.choice(["#000", "#121212", "#1e1e2e", "#202124", "#15202b"]),
                "#eee",
                rng.choice(["#2a2a2e", "#303134", "#1f2c34"]),
            )
            if dark
            else (
                rng.choice(["#fff", "#fafafa", "#f5f5f5", "#fffbfe"]),
                "#1c1b1f",
                rng.choice(["#eee", "#e8eaf6", "#e3f2fd", "#f0f0f0"]),
            )
        )
        return Theme(
            rng, Words(rng), photos, dark, str(back), ink, str(soft), marks.colour(rng), str(rng.choice(FONTS))
        )

    def picture(self, style: str) -> str:
        """Return a photo, or a gradient where there are none."""
        if self.photos and self.rng.random() < 0.75:
            data = base64.b64encode(self.photos[int(self.rng.integers(len(self.photos)))].read_bytes()).decode()
            return f"<img src='data:image/jpeg;base64,{data}' style='object-fit:cover;{style}'>"
        return f"<div style='background:linear-gradient({self.rng.integers(360)}deg,{marks.colour(self.rng)},{marks.colour(self.rng)});{style}'></div>"

    def avatar(self, side: int = 40) -> str:
        """Return a round picture of a person: an initial on a colour."""
        return f"<div style='flex:none;width:{side}px;height:{side}px;border-radius:50%;background:{marks.colour(self.rng)};color:#fff;display:grid;place-items:center'>{self.words.person()[0]}</div>"

    def phone(self, title: str, body: str, *, button: bool = False) -> Markup:
        """Frame the body as a phone's app: status bar, title, bottom bar."""
        width = int(self.rng.choice([360, 384, 393, 412]))
        height = round(width * self.rng.choice([16 / 9, 19.5 / 9, 20 / 9, 2]))
        clock = f"{self.words.number(0, 23)}:{self.words.number(0, 59):02d}"
        bar_back = self.accent if self.rng.random() < 0.35 else self.back
        bar_ink = "#fff" if bar_back == self.accent else self.ink
        bottom = ""
        if self.rng.random() < 0.5:
            names = "".join(
                f"<div style='text-align:center;font-size:11px'><div style='font-size:20px'>{self.rng.choice(list('⌂☰♫★☺⚙✉☼'))}</div>{self.words.word()[:8]}</div>"
                for _ in range(4)
            )
            bottom = f"<div style='position:absolute;bottom:{self.rng.choice([0, 24])}px;width:100%;background:{self.soft};display:flex;justify-content:space-around;padding:8px 0'>{names}</div>"
        keys = (
            "<div style='position:absolute;bottom:0;width:100%;height:38px;background:#000;color:#fff;display:flex;justify-content:space-around;align-items:center'><span>◁</span><span>○</span><span>□</span></div>"
            if self.rng.random() < 0.35
            else ""
        )
        fab = (
            f"<div style='position:absolute;right:18px;bottom:74px;width:56px;height:56px;border-radius:{self.rng.choice([16, 28])}px;background:{self.accent};color:#fff;display:grid;place-items:center;font-size:26px'>+</div>"
            if button
            else ""
        )
        html = (
            f"<div style='background:{bar_back};color:{bar_ink}'><div style='display:flex;justify-content:space-between;padding:6px 14px;font-size:12px'><b>{clock}</b><span>▲ ◢ {self.words.number(3, 100)}% ▮</span></div>"
            f"<div style='display:flex;gap:18px;align-items:center;padding:12px 16px;font-size:20px'><span>{self.rng.choice(list('←☰'))}</span><span style='flex:1'>{title}</span><span>⌕ ⋮</span></div></div>{body}{bottom}{fab}{keys}"
        )
        return self.window(html, width, height)

    def desktop(self, title: str, body: str) -> Markup:
        """Frame the body as a program's window or a browser's page, now and then with a desktop around it."""
        width, height = int(self.rng.integers(640, 1400)), int(self.rng.integers(400, 900))
        kind = int(self.rng.integers(5))
        dots = "".join(
            f"<span style='width:12px;height:12px;border-radius:50%;background:{tint};display:inline-block;margin-right:7px'></span>"
            for tint in ("#ff5f57", "#febc2e", "#28c840")
        )
        bar = (
            f"<div style='background:{self.soft};padding:8px 12px;display:flex;align-items:center'>{dots}<span style='flex:1;text-align:center'>{title}</span></div>",
            f"<div style='background:{self.accent};color:#fff;padding:6px 12px;display:flex'><span style='flex:1'>{title}</span><span>— ☐ ✕</span></div>",
            f"<div style='background:{self.soft}'><div style='padding:6px 10px 0;font-size:13px'><span style='background:{self.back};padding:6px 22px;border-radius:8px 8px 0 0'>{title}</span> &ensp; +</div>"
            f"<div style='background:{self.back};padding:7px 12px;display:flex;gap:12px'>← → ⟳ <span style='flex:1;background:{self.soft};border-radius:14px;padding:2px 14px;font-size:13px'>https://{self.words.place().lower()}.example/{self.words.word()}</span> ☆ ⋮</div></div>",
            f"<div style='background:{self.soft};padding:5px 10px;font-size:13px'>File &ensp; Edit &ensp; View &ensp; Tools &ensp; Help</div>",
            "",
        )[kind]
        task = (
            "<div style='position:absolute;bottom:0;left:0;right:0;height:38px;background:#1b1b2f;color:#fff;padding:8px 14px'>⊞ &ensp; ⌕ &ensp; ▣ ▤ ▥</div>"
            if self.rng.random() < 0.2
            else ""
        )
        return self.window(bar + body + task, width, height)

    def window(self, inside: str, width: int, height: int) -> Markup:
        """Return a screen of this size without a frame."""
        html = (
            f"<!doctype html><meta charset=utf-8><style>*{{box-sizing:border-box}}body{{margin:0;background:{self.back};color:{self.ink};font:15px/1.4 '{self.font}',sans-serif;height:{height}px;"
            f"overflow:hidden;position:relative}}pre{{margin:0;font:13px/1.4 '{self.rng.choice(MONO)}',monospace}}table{{border-collapse:collapse;width:100%}}td,th{{padding:8px;text-align:left;border-bottom:1px solid {self.soft}}}</style>{inside}"
        )
        return Markup(html=html, width_px=width, height_px=height)
