"""Colour transfer against the formulas of the papers in NumPy and float64, and with grey and flat pictures."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from tfstyle import InputError
from tfstyle.images.color_transfer import (
    KINDS,
    match_histogram,
    match_luminance,
    match_statistics,
    paper_color,
    postprocess,
    preprocess,
    with_luminance,
)
from tfstyle.images.luminance import luminance
from tfstyle.images.picture import Picture

YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])  # NTSC
MATCHES = {"luminance": match_luminance, "statistics": match_statistics, "histogram": match_histogram}


def picture(seed, height=30, width=40, low=0.35, high=0.65, alpha=None, name="picture"):
    """Correlated colours in a range that leaves room before clipping."""
    random = np.random.default_rng(seed)
    mixed = random.beta(2, 3, (height, width, 3)) @ random.dirichlet([1, 1, 1], 3).T
    return Picture((low + (high - low) * mixed).astype("float32"), alpha, name)


def flat(*colour, height=6, width=5):
    return Picture(np.broadcast_to(np.float32(colour), (height, width, 3)).copy(), None, "flat")


def grey(seed, **options):
    return Picture(np.repeat(picture(seed, **options).rgb[..., :1], 3, axis=-1), None, "grey")


def moments(rgb):
    pixels = np.asarray(rgb, "float64").reshape(-1, 3)
    centred = pixels - pixels.mean(axis=0)
    return pixels.mean(axis=0), centred.T @ centred / len(pixels)


def half_seen(seed):
    """A picture whose right half is transparent, and so white."""
    shown = picture(seed)
    alpha = np.ones((30, 40), "float32")
    alpha[:, 20:] = 0
    rgb = shown.rgb.copy()
    rgb[:, 20:] = 1
    return Picture(rgb, alpha, "half"), Picture(shown.rgb[:, :20].copy(), None, "left half")


colours = hnp.arrays("float32", hnp.array_shapes(min_dims=2, max_dims=2, max_side=6).map(lambda s: (*s, 3)),
                     elements=st.floats(0, 1, width=32))  # fmt: skip


@st.composite
def pictures(draw):
    """Any picture, often with one colour, only greys, or transparent pixels."""
    rgb = draw(colours | colours.map(lambda c: np.broadcast_to(c[:1, :1], c.shape).copy()))
    rgb = draw(st.sampled_from([rgb, np.repeat(rgb[..., :1], 3, axis=-1)]))
    alpha = draw(st.none() | hnp.arrays("float32", rgb.shape[:2], elements=st.sampled_from([0, 0.5, 1])))
    if alpha is not None:
        rgb = np.where(alpha[..., None] == 0, np.float32(1), rgb)
    return Picture(rgb, alpha, "any")


def test_with_luminance_changes_y_and_keeps_i_and_q():
    rgb, y = picture(1).rgb, luminance(picture(2).rgb)
    out = with_luminance(rgb, y)
    yiq = rgb.astype("float64") @ YIQ.T
    yiq[..., :1] = y
    np.testing.assert_allclose(out, yiq @ np.linalg.inv(YIQ).T, atol=1e-3)  # NTSC rounds to four digits
    np.testing.assert_allclose((out.astype("float64") @ YIQ.T), yiq, atol=1e-6 + 1e-4)
    np.testing.assert_allclose(luminance(out), y, atol=1e-6)
    np.testing.assert_array_equal(with_luminance(rgb, luminance(rgb)), rgb)


def test_match_luminance_is_the_formula():
    source, target = picture(3), picture(4, 20, 25, 0.1, 0.9)
    out = match_luminance(source, target)
    own, wanted = (p.rgb.astype("float64") @ YIQ[0] for p in (source, target))
    expected = wanted.std() / own.std() * (own - own.mean()) + wanted.mean()
    np.testing.assert_allclose(out.rgb, np.repeat(expected[..., None], 3, axis=-1), atol=1e-6)


def test_match_statistics_gives_mean_and_covariance():
    source, target = picture(5), picture(6, 20, 25)
    out = match_statistics(source, target).rgb
    assert out.min() > 0  # nothing was clipped, which would change both
    assert out.max() < 1
    for got, wanted in zip(moments(out), moments(target.rgb), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-8)


def test_match_statistics_takes_the_symmetric_roots():
    linalg = pytest.importorskip("scipy.linalg")
    source, target = picture(5), picture(6, 20, 25)
    (own_mean, own), (wanted_mean, wanted) = moments(source.rgb), moments(target.rgb)
    matrix = linalg.sqrtm(wanted).real @ linalg.inv(linalg.sqrtm(own).real)
    expected = source.rgb.astype("float64") @ matrix.T + (wanted_mean - matrix @ own_mean)
    np.testing.assert_allclose(match_statistics(source, target).rgb, expected, atol=1e-6)


def test_match_histogram_gives_each_channels_quantiles():
    source, target = picture(7, 60, 70), picture(8, 50, 80)
    out = match_histogram(source, target).rgb
    levels = np.linspace(0.01, 0.99, 50)
    for got, wanted in zip(out.reshape(-1, 3).T, target.rgb.reshape(-1, 3).T, strict=True):
        np.testing.assert_allclose(np.quantile(got, levels), np.quantile(wanted, levels), atol=2e-3)
    order = source.rgb[..., 0].argsort(axis=None)
    assert (np.diff(out[..., 0].ravel()[order]) >= 0).all()


@pytest.mark.parametrize("match", [match_statistics, match_histogram])
def test_matching_a_picture_to_itself_changes_nothing(match):
    for same in (picture(9, low=0, high=1), grey(9), flat(0.2, 0.7, 0.4)):
        np.testing.assert_allclose(match(same, same).rgb, same.rgb, atol=1e-6)


def test_matching_luminance_to_itself_is_the_luminance():
    same = picture(10)
    np.testing.assert_allclose(match_luminance(same, same).rgb[..., :1], luminance(same.rgb), atol=1e-6)


@pytest.mark.parametrize("kind", MATCHES)
def test_transparent_pixels_have_no_say_and_stay_white(kind):
    (half, left), other = half_seen(11), picture(12)
    match = MATCHES[kind]
    np.testing.assert_allclose(match(other, half).rgb, match(other, left).rgb, atol=1e-6)
    out = match(half, other)
    np.testing.assert_allclose(out.rgb[:, :20], match(left, other).rgb, atol=1e-6)
    assert (out.rgb[:, 20:] == 1).all()
    np.testing.assert_array_equal(out.alpha, half.alpha)
    assert out.name == "half"


@pytest.mark.parametrize("kind", MATCHES)
def test_a_grey_photo_makes_a_colour_style_grey(kind):
    photo = grey(13)
    _, [style] = preprocess(kind, photo, [picture(14)])
    out = style.rgb
    np.testing.assert_allclose(out, np.repeat(out[..., :1], 3, axis=-1), atol=1e-6)
    np.testing.assert_allclose(out.mean(), photo.rgb.mean(), atol=1e-3)
    assert out.std() > 0.5 * photo.rgb.std()


def test_a_grey_style_is_not_blown_up():
    photo = picture(15)
    out = match_statistics(grey(16), photo).rgb
    mean, covariance = moments(out)
    wanted_mean, wanted = moments(photo.rgb)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-6)
    assert np.linalg.eigvalsh(wanted - covariance).min() > -1e-9  # in no direction more than the photo's


def test_noise_of_less_than_a_level_is_not_made_a_style():
    noise = np.random.default_rng(17).uniform(-0.5, 0.5, (30, 40, 3)) / 255 / 10
    style, photo = Picture((0.5 + noise).astype("float32"), None, "noise"), picture(18)
    for match in (match_luminance, match_statistics):
        assert match(style, photo).rgb.std(axis=(0, 1)).max() < 0.05 * photo.rgb.std(axis=(0, 1)).min()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("luminance", lambda rgb: [luminance(rgb).mean()] * 3),
        ("statistics", lambda rgb: rgb.mean(axis=(0, 1))),
        ("histogram", lambda rgb: rgb.max(axis=(0, 1))),
    ],
)
def test_a_style_of_one_colour_stays_of_one_colour(kind, expected):
    photo, style = picture(19), flat(0.9, 0.1, 0.3)
    np.testing.assert_allclose(MATCHES[kind](style, photo).rgb - expected(photo.rgb), 0, atol=1e-6)


@pytest.mark.parametrize("kind", MATCHES)
def test_a_photo_of_one_colour_gives_its_colour(kind):
    photo = flat(0.2, 0.5, 0.6)
    colour = luminance(photo.rgb) if kind == "luminance" else photo.rgb
    np.testing.assert_allclose(MATCHES[kind](picture(20), photo).rgb - colour[0, 0], 0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(source=pictures(), target=pictures())
def test_any_pictures_give_a_picture(kind, source, target):
    before = source.rgb.copy(), target.rgb.copy()
    content, [style] = preprocess(kind, target, [source])
    for out, given_ in ((content, target), (style, source)):
        assert out.rgb.shape == given_.rgb.shape
        assert out.rgb.dtype == np.float32
        assert ((out.rgb >= 0) & (out.rgb <= 1)).all()  # NaN is neither
    assert not np.shares_memory(style.rgb, source.rgb)
    restored = postprocess(kind, target.rgb[::-1], target)
    assert restored.dtype == np.float32
    assert ((restored >= 0) & (restored <= 1)).all()
    np.testing.assert_array_equal(source.rgb, before[0])
    np.testing.assert_array_equal(target.rgb, before[1])


@given(colours)
def test_luminance_goes_out_and_back(rgb):
    np.testing.assert_array_equal(with_luminance(rgb, luminance(rgb)), rgb)
    once = np.repeat(luminance(rgb), 3, axis=-1)
    np.testing.assert_array_equal(luminance(once), once[..., :1])


@pytest.mark.parametrize("kind", MATCHES)
def test_preprocess_matches_each_style_to_the_content(kind):
    content, styles = picture(21), [picture(22, name="a.png"), picture(23, 12, 14, name="b.png")]
    seen, matched = preprocess(kind, content, styles)
    for style, out in zip(styles, matched, strict=True):
        first = match_statistics(style, content) if kind == "histogram" else style
        np.testing.assert_array_equal(out.rgb, MATCHES[kind](first, content).rgb)
    assert [out.name for out in matched] == ["a.png", "b.png"]
    if kind == "luminance":
        np.testing.assert_array_equal(seen.rgb, np.repeat(luminance(content.rgb), 3, axis=-1))
    else:
        assert seen is content


def test_postprocess_puts_the_contents_colours_on_the_painted_luminance():
    content, painted = picture(24), picture(25).rgb
    np.testing.assert_array_equal(
        postprocess("luminance", painted, content), with_luminance(content.rgb, luminance(painted))
    )
    for kind in ("statistics", "histogram"):
        assert postprocess(kind, painted, content) is painted
    untouched, _ = preprocess("luminance", content, [])
    np.testing.assert_allclose(postprocess("luminance", untouched.rgb, content), content.rgb, atol=1e-6)


def test_ink_has_the_tones_of_the_styles():
    content, styles = picture(21), [picture(22, name="a.png"), picture(23, 12, 14, low=0.5, name="b.png")]
    for mix in (None, [0.2, 0.8]):
        seen, grey_styles = preprocess("ink", content, styles, mix)
        for style, out in zip(styles, grey_styles, strict=True):
            np.testing.assert_array_equal(out.rgb, np.repeat(luminance(style.rgb), 3, axis=-1))
        mean, deviation = (
            np.average([getattr(luminance(style.rgb).astype("float64"), what)() for style in styles], weights=mix)
            for what in ("mean", "std")
        )
        assert np.ptp(seen.rgb, axis=-1).max() == 0
        np.testing.assert_allclose([seen.rgb.mean(), seen.rgb.std()], [mean, deviation], rtol=1e-4)
    painted = picture(24).rgb
    np.testing.assert_array_equal(postprocess("ink", painted, content), postprocess("luminance", painted, content))


@pytest.mark.parametrize("kind", ["luminance", "ink"])
def test_saturation_goes_from_the_papers_tint_to_the_photographs_colours(kind):
    content, painted, tint = picture(24), picture(25).rgb, np.float32([0.6, 0.55, 0.4])
    before, y = content.rgb.astype("float64") @ YIQ.T, painted.astype("float64") @ YIQ.T
    paper = tint.astype("float64") @ YIQ.T
    np.testing.assert_array_equal(postprocess(kind, painted, content, 1.0, tint), postprocess(kind, painted, content))
    for saturation in (0.0, 0.3):
        found = postprocess(kind, painted, content, saturation, tint).astype("float64") @ YIQ.T
        np.testing.assert_allclose(found[..., 0], y[..., 0], atol=2e-4)
        want = saturation * before[..., 1:] + (1 - saturation) * paper[1:]
        np.testing.assert_allclose(found[..., 1:], want, atol=2e-4)
    assert np.ptp(postprocess(kind, painted, content, 0.0), axis=-1).max() < 1e-6  # without a tint, grey


def test_the_paper_is_a_styles_brightest_tenth():
    rgb = np.zeros((10, 10, 3), "float32")
    rgb[0] = [0.9, 0.8, 0.6]
    style = Picture(rgb, None, "style")
    np.testing.assert_allclose(paper_color([style], [1.0]), [0.9, 0.8, 0.6], rtol=1e-6)
    np.testing.assert_allclose(paper_color([style, flat(0.1, 0.2, 0.3)], [0.5, 0.5]), [0.5, 0.5, 0.45], rtol=1e-6)
    hidden = Picture(rgb, (np.arange(10) > 0)[:, None] * np.ones((10, 10), "float32"), "style")
    np.testing.assert_array_equal(paper_color([hidden], [1.0]), 0)  # what can't be seen has no say


def test_postprocess_takes_a_content_of_another_size():
    content, painted = picture(26, 60, 80), picture(27).rgb
    expected = postprocess("luminance", painted, content.resized((30, 40)))
    np.testing.assert_array_equal(postprocess("luminance", painted, content), expected)


def test_an_unknown_kind_is_refused():
    photo = picture(28)
    for call in (lambda: preprocess("luma", photo, []), lambda: postprocess("luma", photo.rgb, photo)):
        with pytest.raises(InputError, match="'luma': did you mean luminance"):
            call()


def test_importing_it_imports_nothing_heavy():
    code = "import sys, tfstyle.images.color_transfer\n"
    code += "print({'scipy', 'skimage', 'tensorflow', 'keras'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout.strip() == "set()"
