"""Curves over epochs as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfstyle.core.html import escape

_WIDTH, _HEIGHT, _LEFT, _BELOW, _ABOVE, _RIGHT = 330, 150, 52, 18, 8, 6  # of a chart and its margins, in pixels
_SOLID, _DASHED = 'stroke="#1f5fa8"', 'stroke="#c0392b" stroke-dasharray="4 3"'


def chart(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Curves in one chart, with their range at the axes and their last values in the caption.

    Args:
        curves: Points `(epoch, value)` of each curve by its name; names that begin with `val_` are dashed.
    """
    xs, ys = zip(*(point for points in curves.values() for point in points), strict=True)
    low, high = min(ys), max(ys)
    first, last = min(xs), max(xs)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _ABOVE - _BELOW

    def position(x: float, y: float) -> tuple[str, str]:
        across = (x - first) / (last - first) if last > first else 0.5
        up = (y - low) / (high - low) if high > low else 0.5
        return f"{_LEFT + across * width:.1f}", f"{_ABOVE + (1 - up) * height:.1f}"

    lines = []
    for each, points in curves.items():
        stroke = _DASHED if each.startswith("val_") else _SOLID
        path = " ".join(",".join(position(*point)) for point in points)
        lines.append(f'<polyline fill="none" stroke-width="1.5" {stroke} points="{path}"/>')
        x, y = position(*points[-1])
        lines.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="none" {stroke}/>')
    bottom = _ABOVE + height
    labels = [
        (_LEFT - 5, _ABOVE + 9, "end", f"{high:.3g}"),
        (_LEFT - 5, bottom, "end", f"{low:.3g}"),
        (_LEFT, bottom + 14, "start", f"{first:.0f}"),
        (_LEFT + width, bottom + 14, "end", f"{last:.0f}"),
    ]
    texts = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="11" fill="#555">{text}</text>'
        for x, y, anchor, text in labels
    )
    caption = escape(", ".join(f"{each} {points[-1][1]:.4g}" for each, points in curves.items()))
    return (
        f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{caption}">'
        f'<path d="M{_LEFT} {_ABOVE}V{bottom}H{_LEFT + width}" fill="none" stroke="#bbb"/>{"".join(lines)}{texts}'
        f"</svg><figcaption>{caption}</figcaption></figure>"
    )
