"""Print what was measured beside what is wanted, and draw the ratios."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One figure, and what issue 9 wants of it."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def wanted(self) -> str:
        """What is wanted, in words."""
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"

    @property
    def verdict(self) -> str:
        """Whether it is met; nothing where nothing is wanted."""
        if self.least is None and self.most is None:
            return ""
        met = self.value >= self.least if self.least is not None else self.value <= (self.most or 0)
        return "met" if met else "not met"


def print_table(lines: list[Line], about: str) -> None:
    """Print all lines as a Markdown table."""
    print(f"\nMeasured on {about}; medians.\n\n| | measured | wanted | |\n|---|---:|---|---|")
    for line in lines:
        digits = 2 if line.value < 10 else 0
        print(f"| {line.what} | {line.value:.{digits}f} | {line.wanted} | {line.verdict} |")


def draw(lines: list[Line], file: Path, about: str) -> None:
    """Draw uploads by clients and what a caption takes."""
    import matplotlib  # type: ignore[import-untyped]  # slow to import

    matplotlib.use("Agg")
    from matplotlib import pyplot  # type: ignore[import-untyped]

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 2.8), width_ratios=(2, 3), layout="constrained")
    rates = {line.what: line.value for line in lines if line.what.startswith("complete uploads a second")}
    left.bar([name.split(", ")[1] for name in rates], list(rates.values()), color="#3b6ea5")
    left.set_title("complete uploads a second", fontsize=9)
    times = {
        line.what.removesuffix(", ms").removesuffix(", ms an image"): line.value
        for line in lines
        if line.what.endswith((", p50, ms", ", ms an image")) or line.what == "naive captions, ms"
    }
    right.barh(list(times)[::-1], list(times.values())[::-1], color="#c0803a")
    right.set_title(f"milliseconds ({about})", fontsize=9)
    for axis in (left, right):
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=90)
