"""The cosine transform against SciPy in float64, and the usual falloff of its amplitudes."""

import numpy as np
import pytest
import scipy.fft
import tensorflow as tf
from hypothesis import given, settings, strategies as st

from tfstyle.images import spectrum as spectra

SIDES = st.integers(1, 24)


def pictures(seed, height, width, dtype="float64"):
    return np.random.default_rng(seed).normal(size=(2, height, width, 3)).astype(dtype)


@settings(max_examples=20)
@given(SIDES, SIDES, st.integers(0, 99))
def test_the_transform_is_scipys_and_orthonormal(height, width, seed):
    x = pictures(seed, height, width)
    spectrum = spectra.transform(tf.constant(x)).numpy()
    assert spectrum.dtype == np.float64
    np.testing.assert_allclose(spectrum, scipy.fft.dctn(x, axes=(1, 2), norm="ortho"), atol=1e-12)
    np.testing.assert_allclose((spectrum**2).sum((1, 2)), (x**2).sum((1, 2)), rtol=1e-12)  # Parseval


@settings(max_examples=20)
@given(SIDES, SIDES, st.sampled_from([("float64", 1e-12), ("float32", 1e-5)]))
def test_the_inverse_undoes_the_transform_and_the_other_way_round(height, width, precision):
    dtype, tolerance = precision
    x = pictures(0, height, width, dtype)
    for one, other in ((spectra.transform, spectra.inverse), (spectra.inverse, spectra.transform)):
        back = other(one(tf.constant(x))).numpy()
        assert back.dtype == dtype
        np.testing.assert_allclose(back, x, atol=tolerance)


def test_a_coefficient_is_a_wave_of_its_frequency():
    spectrum = np.zeros((1, 12, 20, 1))
    spectrum[0, 3, 5, 0] = 1
    wave = spectra.inverse(tf.constant(spectrum)).numpy()[0, ..., 0]
    rows, columns = np.arange(12) + 0.5, np.arange(20) + 0.5
    down, across = 3 / (2 * 12), 5 / (2 * 20)  # cycles a pixel
    expected = np.cos(2 * np.pi * down * rows)[:, None] * np.cos(2 * np.pi * across * columns)
    np.testing.assert_allclose(wave, expected / np.linalg.norm(expected), atol=1e-12)
    assert spectra.frequencies(12, 20)[3, 5] == pytest.approx(np.hypot(down, across))


@given(st.integers(2, 40), st.integers(2, 40), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_falloff_has_the_mean_one_and_falls(height, width, power):
    scale, frequency = spectra.falloff(height, width, power), spectra.frequencies(height, width)
    assert scale.shape == (height, width, 1)
    assert scale.dtype == np.float32
    np.testing.assert_allclose(scale.mean(dtype="float64"), 1, rtol=1e-6)
    assert (np.diff(scale[..., 0], axis=0) <= 0).all()
    assert (np.diff(scale[..., 0], axis=1) <= 0).all()
    order = np.argsort(frequency.ravel(), kind="stable")
    assert (np.diff(scale.ravel()[order]) <= 1e-6 * scale.max()).all()
    np.testing.assert_allclose(
        scale[-1, -1, 0] / scale[1, 1, 0], (frequency[-1, -1] / frequency[1, 1]) ** -power, rtol=1e-5
    )
    assert np.isfinite(scale).all()  # at the frequency 0, too


def test_no_falloff_is_flat():
    np.testing.assert_array_equal(spectra.falloff(5, 7, 0.0), np.ones((5, 7, 1), "float32"))


@given(st.integers(3, 12), st.integers(3, 12), st.floats(0, 2), st.integers(0, 1000))
def test_smoothing_is_symmetric_positive_and_that_of_the_spectrum(height, width, power, seed):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 1, height, width, 2))
    smooth = [spectra.smoothed(tf.constant(x), power).numpy() for x in (a, b)]
    assert np.sum(smooth[0] * b) == pytest.approx(np.sum(a * smooth[1]), abs=1e-9)
    assert np.sum(smooth[0] * a) > 0
    found = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    half = np.maximum(np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)), 1 / max(height, width))
    factors = np.maximum(found, 1 / max(height, width)) ** -power / np.mean(half**-power)
    want = np.fft.ifft2(np.fft.fft2(a, axes=(1, 2)) * factors[..., None], axes=(1, 2))
    np.testing.assert_allclose(smooth[0], want.real, atol=1e-9)
    if power == 0:
        np.testing.assert_allclose(smooth[0], a, atol=1e-12)
