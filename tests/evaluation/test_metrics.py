"""Metrics against other formulas in float64, their best values, and what noise, blur and shuffling do to them."""

import inspect
import re

import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.stats
from hypothesis import given, settings, strategies as st
from skimage.color import lab2rgb

from tfstyle import METRICS, images, samples
from tfstyle.evaluation import metrics


def features(seed, height=6, width=7, channels=4):
    return np.random.default_rng(seed).gamma(1.0, size=(height, width, channels)) * [1, 2, 0.5, 1][:channels]


def flat(x):
    return x.reshape(-1, x.shape[-1])


@pytest.fixture(scope="module")
def pictures():
    """A photograph and a painting, float32 (48, 64, 3)."""
    photo = images.load(samples.content("coffee"), (48, 64)).rgb
    return photo, images.load(samples.style("impasto", 128), (48, 64)).rgb


@settings(max_examples=15)
@given(
    st.sampled_from(sorted(METRICS)), st.integers(0, 99), st.integers(12, 20), st.integers(12, 20), st.floats(0, 1)
)
def test_nothing_is_better_than_the_reference_itself(name, seed, height, width, contrast):
    metric, random = METRICS[name], np.random.default_rng(seed)
    one, other = (random.random((height, width, 3)).astype("float32") * np.float32(contrast) for _ in range(2))
    best = metric.function(one, one)
    assert best == pytest.approx(metric.best, abs=1e-5)
    assert isinstance(best, float)
    if metric.direction == "up":
        assert metric.function(one, other) <= best + 1e-9
    else:
        assert metric.function(one, other) >= (0 if metric.direction == "one" else best - 1e-5)


@pytest.mark.parametrize("name", METRICS)
def test_pictures_of_one_colour_have_finite_scores(name):
    metric, grey, other = METRICS[name], np.full((16, 16, 3), 0.5, "float32"), features(0, 16, 16, 3)
    other = (other / other.max()).astype("float32")
    assert metric.function(grey, grey) == pytest.approx(metric.best, abs=1e-5)
    assert np.isfinite([metric.function(grey, other), metric.function(other, grey)]).all()


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_says_its_best_value_and_its_reference(name):
    metric = METRICS[name]
    assert metric.name == name
    assert re.search(rf"\b{metric.best:g} (for|is)\b", inspect.getdoc(metric.function))
    assert list(inspect.signature(metric.function).parameters) == [metric.reference, "result"]
    assert metric.arrow in ("↑", "↓", "→1")


def test_ssim_is_that_of_its_paper(pictures):
    photo, painting = (picture @ [0.299, 0.587, 0.114] for picture in pictures)

    def blur(x):
        return scipy.ndimage.gaussian_filter(x, 1.5, radius=5)

    mean, other = blur(photo), blur(painting)
    variances = blur(photo**2) - mean**2 + blur(painting**2) - other**2
    covariance = blur(photo * painting) - mean * other
    quality = (2 * mean * other + 0.01**2) * (2 * covariance + 0.03**2)
    quality /= (mean**2 + other**2 + 0.01**2) * (variances + 0.03**2)
    assert metrics.ssim(*pictures) == pytest.approx(quality[5:-5, 5:-5].mean(), abs=1e-5)


def test_edge_agreement_is_the_correlation_of_sobel_magnitudes(pictures):
    edges = []
    for picture in pictures:
        grey = picture @ [0.299, 0.587, 0.114]
        slopes = [scipy.ndimage.sobel(grey, axis) for axis in (0, 1)]
        edges.append(np.hypot(*slopes).ravel())
    assert metrics.edge_agreement(*pictures) == pytest.approx(np.corrcoef(*edges)[0, 1], abs=1e-6)


def test_edges_agree_whatever_their_contrast_and_sign(pictures):
    photo, _ = pictures
    assert metrics.edge_agreement(photo, 1 - photo / 2) == pytest.approx(1, abs=1e-5)
    assert metrics.ssim(photo, 1 - photo / 2) < 0.5


def test_content_distance():
    P, F = features(0), features(1)
    assert metrics.content_distance(P, F) == pytest.approx(((F - P) ** 2).sum() / (P**2).sum(), rel=1e-12)
    assert metrics.content_distance(P, 0 * P) == 1
    assert metrics.content_distance(7 * P, 7 * F) == pytest.approx(metrics.content_distance(P, F), rel=1e-12)


def test_gram_distance():
    S, R = features(0), features(1, 9, 5)
    A, G = (np.einsum("hwi,hwj->ij", x, x) / (x.shape[0] * x.shape[1]) for x in (S, R))
    assert metrics.gram_distance(S, R) == pytest.approx(
        np.linalg.norm(G - A) ** 2 / np.linalg.norm(A) ** 2, rel=1e-12
    )
    assert metrics.gram_distance(S, 0 * S) == 1


def test_mmd():
    S, R = features(0), features(1, 9, 5)
    s, r = flat(S), flat(R)

    def kernel(x, y):
        pairs = [[np.sum((a - b) ** 2) for b in s] for a in s]
        median = np.median([pairs[i][j] for i in range(len(s)) for j in range(i)])
        return np.mean([[np.exp(-np.sum((a - b) ** 2) / (2 * median)) for b in y] for a in x])

    expected = kernel(s, s) + kernel(r, r) - 2 * kernel(s, r)
    assert metrics.mmd(S, R) == pytest.approx(expected, rel=1e-10)
    assert metrics.mmd(0.1 * S, 0.1 * R) == pytest.approx(expected, rel=1e-10)  # it has no unit
    assert 1 < metrics.mmd(S, S + 1000) <= 2


def test_mmd_looks_at_the_same_sample_each_time():
    S, R, same = features(0, 50, 60), features(1, 50, 60) + 0.5, features(2, 50, 60)
    assert len(flat(S)) > metrics.MMD_POSITIONS
    assert metrics.mmd(S, R) == metrics.mmd(S, R)
    assert metrics.mmd(S, S) == 0
    assert metrics.mmd(S, same) < 0.01 < metrics.mmd(S, R)


def test_wasserstein():
    S, R = features(0), features(1, 9, 5)
    (m, C), (n, D) = ((flat(x).mean(0), np.cov(flat(x), rowvar=False, bias=True)) for x in (S, R))
    root = scipy.linalg.sqrtm(C)
    expected = np.sum((m - n) ** 2) + np.trace(C + D - 2 * scipy.linalg.sqrtm(root @ D @ root).real)
    assert metrics.wasserstein(S, R) == pytest.approx(expected / np.trace(C), rel=1e-8)
    assert metrics.wasserstein(S, np.broadcast_to(m, S.shape)) == pytest.approx(1, rel=1e-10)


def test_wasserstein_of_a_shift_and_of_fewer_positions_than_channels():
    S = np.random.default_rng(0).normal(size=(2, 3, 16))
    assert metrics.wasserstein(S, S) == pytest.approx(0, abs=1e-12)
    shifted = metrics.wasserstein(S, S + 0.25)
    assert shifted == pytest.approx(16 * 0.25**2 / flat(S).var(axis=0).sum(), rel=1e-10)


def test_color_distance_of_a_shift_is_delta_e():
    lab = np.random.default_rng(0).uniform([50, -5, -5], [60, 5, 5], (20, 30, 3))
    shift = np.array([6.0, -2.0, 3.0])
    assert metrics.color_distance(lab2rgb(lab), lab2rgb(lab + shift)) == pytest.approx(7, abs=1e-3)


def test_noise_is_the_share_of_high_frequencies():
    rows, columns = np.mgrid[:32, :40] + 0.5

    def waves(low, high):  # of 1/16 and 3/8 cycles a pixel, each in the cosine transform one coefficient
        wave = low * np.cos(2 * np.pi / 16 * rows) + high * np.cos(2 * np.pi * 3 / 8 * columns)
        return np.repeat(0.5 + wave[..., None] / 8, 3, axis=-1)

    expected = (4 / (1 + 4)) / (1 / (9 + 1))
    assert metrics.noise(waves(3, 1), waves(1, 2)) == pytest.approx(expected, rel=1e-5)


def test_what_noise_blur_and_shuffling_do(pictures):
    photo, painting = pictures
    random = np.random.default_rng(0)
    noisy = np.clip(painting + random.normal(0, 0.1, painting.shape), 0, 1)
    blurred = scipy.ndimage.gaussian_filter(photo, (2, 2, 0))
    shuffled = random.permuted(photo.reshape(-1, 3), axis=0).reshape(photo.shape)
    moved = random.permutation(photo.reshape(-1, 3)).reshape(photo.shape)  # pixels keep their colours
    assert metrics.noise(painting, noisy) > 1.2
    assert metrics.noise(photo, blurred) < 0.2
    assert metrics.ssim(photo, painting) < metrics.ssim(photo, blurred) < 1
    assert metrics.edge_agreement(photo, painting) < metrics.edge_agreement(photo, blurred) < 1
    assert abs(metrics.ssim(photo, moved)) < 0.1
    assert metrics.color_distance(photo, moved) == pytest.approx(0, abs=1e-9)
    assert metrics.color_distance(photo, shuffled) > 1


def test_entropy_is_one_of_even_activations_and_zero_of_a_peak():
    assert metrics.entropy(np.full((4, 5, 6), -2.0)) == pytest.approx(1)
    peak = np.zeros((4, 5, 6))
    peak[1, 2, 3] = 7
    assert metrics.entropy(peak) == 0
    assert metrics.entropy(np.zeros((4, 5, 6))) == 1  # as even as can be
    assert metrics.entropy(np.array([[[0.5, 0.5, 0.0, 0.0]]])) == pytest.approx(0.5)  # log 2 / log 4


def test_entropy_is_scipys_and_has_no_scale():
    features = np.random.default_rng(0).exponential(size=(7, 6, 5))
    expected = scipy.stats.entropy(features.ravel()) / np.log(features.size)
    assert metrics.entropy(features) == pytest.approx(expected)
    assert metrics.entropy(1e-6 * features.astype("float32")) == pytest.approx(expected, rel=1e-5)
