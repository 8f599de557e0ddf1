"""What a layout hands to the browser: HTML and the size of the window it is drawn in; and how a printed page is set.

A page is set once for all layouts: paper, margins, fonts and sizes as word processors, LaTeX and office software have
them, so that a layout's look does not give its label away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classify_service.training.drawing.words import LANGUAGES, Words

PAPERS_PX = ((794, 1123), (794, 1123), (816, 1056))
"""A4 and letter at 96 pixels an inch."""
LATIN_FONTS = (
    "CMU Serif", "CMU Serif", "Latin Modern Roman", "Liberation Serif", "Liberation Serif", "Liberation Serif",
    "Liberation Sans", "Liberation Sans", "Carlito", "Carlito", "Caladea", "Nimbus Roman", "TeX Gyre Pagella",
    "TeX Gyre Schola", "EB Garamond", "Charis SIL", "Linux Libertine O", "Noto Serif", "Noto Sans", "Open Sans",
    "Lato", "DejaVu Sans", "DejaVu Serif", "Courier Prime", "GNUTypewriter", "CMU Bright", "Gentium", "URW Bookman",
    "Old Standard TT", "Liberation Sans Narrow", "Cantarell", "CMU Concrete",
)  # fmt: skip
OTHER_FONTS = {
    "hi": ("Noto Sans Devanagari", "Noto Serif Devanagari", "Lohit Devanagari", "Annapurna SIL", "Chandas"),
    "zh": ("Noto Sans CJK SC", "Noto Serif CJK SC"),
}


@dataclass(frozen=True)
class Markup:
    """A picture that the browser still has to draw."""

    html: str
    width_px: int
    height_px: int
    printed: bool = False
    """Whether it is ink on paper, which may then be photographed or scanned."""


@dataclass(frozen=True)
class Press:
    """How one page is printed, and the words on it."""

    rng: np.random.Generator
    words: Words
    paper_px: tuple[int, int]
    style: str

    @staticmethod
    def at_random(rng: np.random.Generator, *, language: str | None = None) -> Press:
        """Return a page's language, paper and type; seven in ten are English."""
        if language is None:
            language = str(rng.choice(LANGUAGES, p=[0.7, 0.08, 0.08, 0.08, 0.06]))
        families = OTHER_FONTS.get(language, LATIN_FONTS)
        family, heading = (families[int(rng.integers(len(families)))] for _ in range(2))
        if rng.random() < 0.7:
            heading = family
        width, height = PAPERS_PX[int(rng.integers(len(PAPERS_PX)))]
        if rng.random() < 0.08:
            width, height = round(width * 0.72), round(height * 0.72)
        size = rng.choice([11, 12, 13, 14, 15, 16, 17, 19], p=[0.06, 0.12, 0.17, 0.2, 0.17, 0.14, 0.09, 0.05])
        style = f"""
        * {{ box-sizing: border-box }}
        body {{ margin: 0; background: #fff; color: #{rng.choice(["000", "000", "111", "222"])} }}
        .page {{ width: {width}px; height: {height}px; overflow: hidden;
          padding: {rng.integers(30, 120)}px {rng.integers(40, 140)}px; font-family: '{family}', serif;
          font-size: {size}px; line-height: {rng.choice([1.1, 1.2, 1.3, 1.4, 1.5, 1.8], p=[0.1, 0.3, 0.25, 0.2, 0.1, 0.05])};
          text-align: {rng.choice(["left", "justify"])} }}
        .inner {{ height: 100%; overflow: hidden; position: relative }}
        h1, h2, h3, .head {{ font-family: '{heading}', serif; line-height: 1.2 }}
        h1 {{ font-size: {rng.uniform(1.2, 2.2):.2f}em; margin: .3em 0 }}
        h2 {{ font-size: {rng.uniform(1.05, 1.5):.2f}em; margin: .7em 0 .3em }} h3 {{ font-size: 1.05em; margin: .6em 0 .2em }}
        p {{ margin: {rng.choice(["0 0 .2em", ".5em 0", ".8em 0", "0"])};
          text-indent: {rng.choice(["0", "0", "0", "1.5em"])} }}
        table {{ border-collapse: collapse }} td, th {{ padding: .15em .5em; vertical-align: top }}
        .ruled td, .ruled th {{ border: 1px solid #000 }}
        .row {{ display: flex; justify-content: space-between; gap: 1em; text-align: left }}
        .c {{ text-align: center }} .r {{ text-align: right }} .b {{ font-weight: bold }} .u {{ text-decoration: underline }}
        .i {{ font-style: italic }} .small {{ font-size: .8em }} p.c, p.r {{ text-indent: 0 }}
        pre {{ font-family: '{rng.choice(["DejaVu Sans Mono", "Liberation Mono", "CMU Typewriter Text"])}', monospace;
          font-size: .85em; margin: .5em 0; white-space: pre-wrap; text-align: left }}
        hr {{ border: 0; border-top: {rng.choice([1, 1, 2, 3])}px solid #000; margin: .4em 0 }}
        math {{ font-family: 'Latin Modern Math', 'STIX Two Math', math }}
        """
        return Press(rng=rng, words=Words(rng, language), paper_px=(width, height), style=style)

    def chance(self, share: float) -> bool:
        """Return true in that share of the calls."""
        return bool(self.rng.random() < share)

    def page(self, body: str, *, extra_style: str = "", over: str = "") -> Markup:
        """Set the body on the page; `over` lies on top of it (a watermark, a stamp)."""
        width, height = self.paper_px
        return Markup(
            html=f"<!doctype html><meta charset=utf-8><style>{self.style}{extra_style}</style>"
            f"<div class=page><div class=inner>{body}</div></div>{over}",
            width_px=width,
            height_px=height,
            printed=True,
        )
