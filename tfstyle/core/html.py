"""The one page layout of reports: a single HTML file without scripts, with everything inside it.

Experiments and trainings write such pages.

>>> page("Results", ["<h1>Results</h1>", warning("a < b")])[:15]
'<!DOCTYPE html>'
>>> tag("chosen")
Markup('<span class="tag chosen">chosen</span>')
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["JPEG_QUALITY", "Markup", "escape", "figure", "image", "jpeg", "page", "tag", "warning"]

JPEG_QUALITY = 88  # of images in a page: a page stays at some hundred kilobytes (chosen)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 13px; } th, td { padding: .25rem .6rem; text-align: left; }
th { border-bottom: 2px solid #999; vertical-align: bottom; }
td { border-top: 1px solid #ddd; vertical-align: top; overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
img { max-width: 100%; height: auto; } figure { margin: 1rem 0; } figcaption, .small { color: #555; font-size: 13px; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; } .row figure { margin: 0; } .row img { width: 10rem; }
.tag { border-radius: .6rem; padding: .05rem .55rem; font-size: 12px; white-space: nowrap; background: #eee; }
.reported { background: #dbe8fb; } .chosen { background: #fbeccb; } .measured { background: #e6e6e6; }
.good { background: #d3efd6; } .bad { background: #f8d5d2; } .open { background: #eee; }
.warning { background: #fff4d6; border-left: 4px solid #e0a800; padding: .5rem .8rem; margin: .6rem 0; }
li { margin: .5rem 0; }
"""


class Markup(str):
    """Text that is HTML already and must not be escaped."""

    def __repr__(self) -> str:
        return f"Markup({super().__repr__()})"


def page(title: str, body: Iterable[str], *, refresh: int | None = None) -> str:
    """A whole page.

    Args:
        title: In the browser's title bar; plain text.
        body: The parts of the page, as HTML; empty ones are left out.
        refresh: Seconds after which the page reloads itself; None for never.

    Returns:
        HTML to be written as UTF-8.
    """
    reload = "" if refresh is None else f'\n<meta http-equiv="refresh" content="{refresh}">'
    parts = "\n".join(part for part in body if part)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">{reload}\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{parts}\n</body>\n</html>\n"
    )


def image(data: bytes, alt: str) -> Markup:
    """An image with its data inside the page.

    Args:
        data: A PNG or JPEG file.
        alt: What the image shows, for those who can't see it.
    """
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return Markup(f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}" alt="{escape(alt)}">')


def jpeg(picture: Image.Image) -> bytes:
    """A Pillow image as a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def figure(content: str, caption: str) -> Markup:
    """HTML with a caption below it; the caption is escaped unless it is `Markup`."""
    return Markup(f"<figure>{content}<figcaption>{_escaped(caption)}</figcaption></figure>")


def warning(text: str) -> Markup:
    """A paragraph that stands out."""
    return Markup(f'<p class="warning">{escape(text)}</p>')


def tag(text: str, kind: str | None = None) -> Markup:
    """A short word on a coloured ground.

    Args:
        text: The word.
        kind: Its colour: `reported`, `chosen`, `measured`, `good`, `bad` or `open`; None for the one of that word.
    """
    return Markup(f'<span class="tag {kind or text}">{escape(text)}</span>')


def _escaped(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
