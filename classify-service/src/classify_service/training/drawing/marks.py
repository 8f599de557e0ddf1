"""What stands on pages besides text: formulas, figures, coats of arms, round stamps, signatures, bar codes."""

from __future__ import annotations

import numpy as np

from classify_service.training.drawing.words import Words

INKS = ("#1a237e", "#4a148c", "#0d47a1", "#b71c1c", "#1b5e20", "#212121")
GREEK = "αβγδεθλμπρσφψωΓΔΘΛΣΦΨΩ"


def colour(rng: np.random.Generator, *, dark: bool = False) -> str:
    """Return a CSS colour, any or a dark one."""
    return f"hsl({rng.integers(360)} {rng.integers(40, 95)}% {rng.integers(15, 40) if dark else rng.integers(30, 80)}%)"


def formula(rng: np.random.Generator, *, display: bool = False) -> str:
    """Return a formula as MathML."""
    left, right = _term(rng, 0), _term(rng, 0)
    sign = rng.choice(["=", "=", "≤", "≥", "≈", "→", "∈"])
    more = f"<mo>=</mo>{_term(rng, 0)}" if display and rng.random() < 0.4 else ""
    kind = ' display="block"' if display else ""
    return f"<math{kind}><mrow>{left}<mo>{sign}</mo>{right}{more}</mrow></math>"


def _letter(rng: np.random.Generator) -> str:
    return f"<mi>{rng.choice(list('abcdfghkmnpqrstuvxyz' + GREEK))}</mi>"


def _term(rng: np.random.Generator, depth: int) -> str:
    if depth > 2:
        return _letter(rng)
    deeper = depth + 1
    kind = rng.integers(11)
    if kind == 0:
        return f"<mfrac><mrow>{_term(rng, deeper)}</mrow><mrow>{_term(rng, deeper)}</mrow></mfrac>"
    if kind == 1:
        return f"<msup>{_letter(rng)}<mn>{rng.integers(2, 9)}</mn></msup>"
    if kind == 2:
        return f"<msub>{_letter(rng)}{_letter(rng)}</msub>"
    if kind == 3:
        sign = rng.choice(["∑", "∏", "⋃"])
        return (
            f"<munderover><mo>{sign}</mo><mrow><mi>i</mi><mo>=</mo><mn>{rng.integers(2)}</mn></mrow><mi>n</mi></munderover>"
            f"{_term(rng, deeper)}"
        )
    if kind == 4:
        return f"<msubsup><mo>∫</mo><mn>0</mn>{_letter(rng)}</msubsup>{_term(rng, deeper)}<mi>d</mi><mi>x</mi>"
    if kind == 5:
        return f"<msqrt>{_term(rng, deeper)}</msqrt>"
    if kind == 6:
        size = int(rng.integers(2, 4))
        rows = "".join(
            f"<mtr>{''.join(f'<mtd><mn>{rng.integers(-9, 10)}</mn></mtd>' for _ in range(size))}</mtr>"
            for _ in range(size)
        )
        return f"<mo>[</mo><mtable>{rows}</mtable><mo>]</mo>"
    if kind == 7:
        return f"<mi>f</mi><mo>(</mo>{_letter(rng)}<mo>)</mo>"
    return f"{_term(rng, deeper)}<mo>{rng.choice(['+', '-', '·'])}</mo>{_term(rng, deeper)}"


def figure(rng: np.random.Generator) -> str:
    """Return a small line drawing as books and exams have them: a curve, a graph, a circuit, a triangle, blocks."""
    draw = (_curve, _graph, _circuit, _triangle, _blocks)[int(rng.integers(5))]
    width = int(rng.integers(150, 340))
    stroke = rng.uniform(1, 2)
    return (
        f'<svg viewBox="0 0 200 120" width="{width}" height="{width * 0.6:.0f}" fill="none" stroke="#000" '
        f'stroke-width="{stroke:.1f}" font-size="9" style="display:block;margin:.5em auto">{draw(rng)}</svg>'
    )


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#000" stroke="none">{text}</text>'


def _curve(rng: np.random.Generator) -> str:
    x = np.linspace(15, 190, 40)
    y = 65 - 40 * np.sin(x / rng.uniform(10, 60) + rng.uniform(0, 6)) * np.exp(-x / rng.uniform(80, 900))
    path = "M" + " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<path d="M15 5V112H195"/><path d="{path}"/>' + _text(185, 119, "t") + _text(2, 12, "f(t)")


def _graph(rng: np.random.Generator) -> str:
    count = int(rng.integers(4, 8))
    places = [(20 + 160 * a, 15 + 90 * b) for a, b in rng.random((count, 2))]
    lines = "".join(
        f'<path d="M{places[i][0]:.0f} {places[i][1]:.0f}L{places[j][0]:.0f} {places[j][1]:.0f}"/>'
        for i in range(count)
        for j in range(i)
        if rng.random() < 0.45
    )
    nodes = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="8" fill="#fff"/>' + _text(x - 3, y + 3, chr(65 + i))
        for i, (x, y) in enumerate(places)
    )
    return lines + nodes


def _circuit(rng: np.random.Generator) -> str:
    parts = ['<path d="M20 100V20H180V100H20"/><circle cx="20" cy="60" r="9" fill="#fff"/>', _text(30, 64, "V")]
    for at in np.linspace(50, 150, int(rng.integers(2, 4))):
        if rng.random() < 0.5:
            parts.append(
                f'<rect x="{at - 12:.0f}" y="15" width="24" height="10" fill="#fff"/>' + _text(at - 4, 12, "R")
            )
        else:
            parts.append(f'<path d="M{at:.0f} 20V55M{at - 10:.0f} 55h20M{at - 10:.0f} 61h20M{at:.0f} 61V100"/>')
    return "".join(parts)


def _triangle(rng: np.random.Generator) -> str:
    top = rng.uniform(30, 170)
    return (
        f'<path d="M20 105L180 105L{top:.0f} 15Z"/><path d="M{top:.0f} 15V105" stroke-dasharray="4 3"/>'
        + _text(10, 112, "A")
        + _text(183, 112, "B")
        + _text(top, 11, "C")
        + _text(95, 117, f"{rng.integers(3, 20)} cm")
    )


def _blocks(rng: np.random.Generator) -> str:
    count = int(rng.integers(2, 5))
    step = 190 / count
    return "".join(
        f'<rect x="{5 + i * step:.0f}" y="45" width="{step * 0.65:.0f}" height="30"/>'
        f'<path d="M{5 + i * step + step * 0.65:.0f} 60h{step * 0.3:.0f}"/>' + _text(9 + i * step, 63, f"G{i + 1}(s)")
        for i in range(count)
    )


def crest(rng: np.random.Generator, *, side_px: int) -> str:
    """Return the logo of an institution."""
    ink, second = colour(rng, dark=True), colour(rng)
    if rng.random() < 0.3:
        ink = second = "#000"
    kind = rng.integers(6)
    letter = chr(65 + int(rng.integers(26)))
    rays = "".join(f'<path d="M50 50V14" transform="rotate({turn} 50 50)"/>' for turn in range(0, 360, 30))
    inside = (
        f'<circle cx="50" cy="50" r="46" fill="none" stroke="{ink}" stroke-width="4"/><circle cx="50" cy="50" r="34" '
        f'fill="none" stroke="{ink}" stroke-width="1.5"/><g stroke="{second}" stroke-width="2">{rays}</g>'
        f'<circle cx="50" cy="50" r="16" fill="{second}"/>',
        f'<path d="M10 8H90V50Q90 85 50 97Q10 85 10 50Z" fill="{second}" stroke="{ink}" stroke-width="4"/>'
        f'<path d="M10 40H90M50 8V97" stroke="{ink}" stroke-width="4"/>',
        f'<rect x="4" y="4" width="92" height="92" rx="{rng.integers(0, 40)}" fill="{ink}"/>'
        f'<text x="50" y="72" font-size="62" text-anchor="middle" fill="#fff" font-family="Liberation Sans">{letter}</text>',
        f'<path d="M50 5L95 40H85V90H15V40H5Z" fill="{ink}"/><path d="M30 50h10v30H30zM60 50h10v30H60z" fill="#fff"/>',
        f'<path d="M20 85C20 40 45 20 80 10C80 60 60 85 20 85Z" fill="{second}"/><path d="M15 95L65 35" stroke="{ink}" '
        f'stroke-width="4"/>',
        f'<circle cx="50" cy="50" r="46" fill="none" stroke="{ink}" stroke-width="3"/><path d="M22 62q14 -12 28 0q14 -12 28 0'
        f'V34q-14 -12 -28 0q-14 -12 -28 0Z" fill="none" stroke="{ink}" stroke-width="4"/><path d="M50 34V62" stroke="{ink}"/>',
    )[int(kind)]
    return f'<svg viewBox="0 0 100 100" width="{side_px}" height="{side_px}" style="flex:none">{inside}</svg>'


def stamp(rng: np.random.Generator, words: Words) -> str:
    """Return an office's round or boxed stamp, turned and faded."""
    ink = INKS[int(rng.integers(len(INKS)))]
    around = f"{words.institution()} ★ ".upper()[:44]
    side = int(rng.integers(80, 150))
    turn = rng.uniform(-25, 25)
    if rng.random() < 0.7:
        mark = int(rng.integers(1_000_000))
        inside = (
            f'<circle cx="50" cy="50" r="47" fill="none" stroke="{ink}" stroke-width="2.5"/><circle cx="50" cy="50" r="31" '
            f'fill="none" stroke="{ink}"/><path id="p{mark}" d="M50 86A36 36 0 1 1 50.1 86" fill="none"/><text font-size="9.5" '
            f'fill="{ink}"><textPath href="#p{mark}">{around}</textPath></text><text x="50" y="54" font-size="13" '
            f'text-anchor="middle" fill="{ink}">{words.place()[:8]}</text>'
        )
    else:
        inside = (
            f'<rect x="3" y="25" width="94" height="46" fill="none" stroke="{ink}" stroke-width="2.5"/><text x="50" y="45" '
            f'font-size="14" text-anchor="middle" fill="{ink}">{words.one(("RECEIVED", "APPROVED", "COPY", "PAID"))}</text>'
            f'<text x="50" y="62" font-size="11" text-anchor="middle" fill="{ink}">{words.date()[:14]}</text>'
        )
    return (
        f'<svg viewBox="0 0 100 100" width="{side}" height="{side}" style="transform:rotate({turn:.0f}deg);'
        f'opacity:{rng.uniform(0.45, 0.9):.2f}">{inside}</svg>'
    )


def signature(rng: np.random.Generator) -> str:
    """Return a scribbled signature."""
    x, y, path = 5.0, 30.0, "M5 30"
    for _ in range(int(rng.integers(5, 11))):
        step = rng.uniform(6, 22)
        first, second, end = rng.uniform(0, 55), rng.uniform(0, 55), rng.uniform(18, 42)
        path += f"C{x + step * rng.uniform(-0.4, 1.2):.0f} {first:.0f} {x + step * 0.8:.0f} {second:.0f} {x + step:.0f} {end:.0f}"
        x, y = x + step * rng.uniform(0.7, 1), end
    path += f"M{x * 0.2:.0f} {y + 14:.0f}Q{x * 0.6:.0f} {y:.0f} {x + 10:.0f} {y + rng.uniform(0, 14):.0f}"
    ink = INKS[int(rng.integers(len(INKS)))]
    return (
        f'<svg viewBox="0 0 180 60" width="{rng.integers(90, 190)}" height="{rng.integers(36, 64)}"><path d="{path}" fill="none" '
        f'stroke="{ink}" stroke-width="{rng.uniform(1.2, 2.6):.1f}" stroke-linecap="round"/></svg>'
    )


def bar_code(rng: np.random.Generator) -> str:
    """Return a bar code or, in one case of three, a square code."""
    if rng.random() < 0.33:
        cells = "".join(
            f'<rect x="{x}" y="{y}" width="1" height="1"/>' for y in range(21) for x in range(21) if rng.random() < 0.5
        )
        eyes = "".join(
            f'<path d="M{x} {y}h7v7h-7z"/><path d="M{x + 1} {y + 1}h5v5h-5z" fill="#fff"/><path d="M{x + 2} {y + 2}h3v3h-3z"/>'
            for x, y in ((0, 0), (14, 0), (0, 14))
        )
        return f'<svg viewBox="0 0 21 21" width="80" height="80">{cells}{eyes}</svg>'
    at, bars = 0, ""
    for _ in range(40):
        wide = int(rng.integers(1, 4))
        bars += f'<rect x="{at}" y="0" width="{wide}" height="30"/>'
        at += wide + int(rng.integers(1, 4))
    return f'<svg viewBox="0 0 {at} 30" width="170" height="40">{bars}</svg>'
