"""Pages are one file without scripts, and text in them is escaped."""

import base64
import io
from html.parser import HTMLParser

from PIL import Image

from tfstyle.core import html


class Tags(HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_well_formed_and_needs_nothing_else():
    page = html.page("A <title>", ["<h1>Text</h1>", "", html.warning("1 < 2")])
    assert "<title>A &lt;title&gt;</title>" in page
    assert '<p class="warning">1 &lt; 2</p>' in page
    assert "refresh" not in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    for word in ("http:", "https:", "<script", "<link", "@import", "url("):
        assert word not in page


def test_a_page_may_reload_itself():
    assert '<meta http-equiv="refresh" content="30">' in html.page("title", [], refresh=30)


def test_images_are_inside_with_their_kind():
    picture = Image.new("RGB", (4, 3), (200, 100, 50))
    png = io.BytesIO()
    picture.save(png, "PNG")
    for kind, data in (("png", png.getvalue()), ("jpeg", html.jpeg(picture))):
        image = html.image(data, 'a "name"')
        assert image.startswith(f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}"')
        assert 'alt="a &quot;name&quot;"' in image
        assert Image.open(io.BytesIO(data)).size == (4, 3)


def test_captions_are_escaped_unless_they_are_html():
    assert html.figure("<img>", "a < b").endswith("<figcaption>a &lt; b</figcaption></figure>")
    assert "<figcaption><span" in html.figure("<img>", html.tag("measured"))


def test_a_tag_has_the_colour_of_its_word_or_another():
    assert html.tag("chosen") == '<span class="tag chosen">chosen</span>'
    assert html.tag("agrees", "good") == '<span class="tag good">agrees</span>'
