"""Shapes for the drawings of these pages: a strip of time from left to right, with labels before it."""

from __future__ import annotations

from html import escape
from itertools import pairwise

INK, FAINT, LINE = "#1d2733", "#76838f", "#e4e6e2"
GOOD, PALE, BAD, AGAIN, WAVE = "#2f7d5b", "#cfe3d8", "#c0392b", "#d9a441", "#9fb3c8"
AGAIN_INK, AGAIN_PALE, HATCHED = "#96701f", "#f7e7c4", "url(#again)"


class Svg:
    """A drawing whose strip is `seconds` long; `left`: room for the labels. Other lengths are in pixels."""

    def __init__(self, seconds: float, height: int, title: str, *, width: int = 1_060, left: int = 118) -> None:
        self.left, self.right, self.width = left, width - 24, width
        self.scale = (self.right - left) / seconds
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="12" role="img" '
            f'aria-label="{escape(title)}">',
            f'<rect width="{width}" height="{height}" rx="8" fill="#fbfbf8"/>',
            '<defs><pattern id="again" width="6" height="6" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{AGAIN_PALE}"/>'
            f'<rect width="2.4" height="6" fill="{AGAIN}"/></pattern></defs>',
        ]

    def x(self, seconds: float) -> float:
        """Where `seconds` is."""
        return round(self.left + seconds * self.scale, 1)

    def text(self, x: float, y: float, what: str, fill: str = INK, **style: object) -> None:
        """`what`, from `x` on, standing on `y`."""
        self.parts.append(f'<text x="{x}" y="{y}" fill="{fill}"{_styled(style)}>{escape(what)}</text>')

    def label(self, y: float, name: str, note: str = "") -> None:
        """The name of what is drawn beside it."""
        self.text(14, y, name, font_weight="600")
        if note:
            self.text(14, y + 16, note, FAINT, font_size=11)

    def bar(self, start: float, end: float, y: float, height: float, fill: str, **style: object) -> None:
        """A bar from one second to another."""
        width = max(1.0, round((end - start) * self.scale, 1))
        box = f'x="{self.x(start)}" y="{y}" width="{width}" height="{height}"'
        self.parts.append(f'<rect {box} fill="{fill}"{_styled(style)}/>')

    def words(self, spans: list[tuple[float, float, str]], y: float, fill: str, ink: str = INK) -> None:
        """Words in boxes, each from one second to another."""
        for start, end, text in spans:
            self.bar(start, end, y, 20, fill, rx=3)
            middle = (self.x(start) + self.x(end)) / 2
            self.text(middle, y + 14, text, ink, text_anchor="middle", font_size=11)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **style: object) -> None:
        """A straight line between two points."""
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}"{_styled(style)}/>')

    def curve(self, points: list[tuple[float, float]], stroke: str, **style: object) -> None:
        """A line through many points, in pixels; those that lie on the way between their neighbors are left out."""
        through = " ".join(f"{x:.1f},{y:.1f}" for x, y in _corners(points))
        self.parts.append(f'<polyline points="{through}" fill="none" stroke="{stroke}"{_styled(style)}/>')

    def cross(self, seconds: float, y: float) -> None:
        """Something broke."""
        x = self.x(seconds)
        for dx in (-5, 5):
            self.line(x - dx, y - 5, x + dx, y + 6, BAD, stroke_width=2.6, stroke_linecap="round")

    def grid(self, top: float, bottom: float, step: float, seconds: float, unit: str = " s") -> None:
        """A vertical line every `step` seconds, and its number below."""
        at = 0.0
        while at <= seconds:
            self.line(self.x(at), top, self.x(at), bottom, LINE)
            self.text(self.x(at), bottom + 20, f"{at:g}{unit}", FAINT, text_anchor="middle")
            at += step

    def __str__(self) -> str:
        return "\n".join([*self.parts, "</svg>", ""])


def drawing(seconds: float, height: int, title: str) -> Svg:
    """A drawing as wide as the text of a page."""
    return Svg(seconds, height, title, width=860, left=130)


def _corners(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept = points[:1]
    for (x, y), (next_x, next_y) in pairwise(points[1:]):
        last_x, last_y = kept[-1]
        expected = last_y + (next_y - last_y) * (x - last_x) / max(next_x - last_x, 1e-9)
        if abs(y - expected) > 0.4:
            kept.append((x, y))
    return kept + points[-1:]


def _styled(style: dict[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
