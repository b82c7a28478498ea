"""The default tier needs no network and no weights.

It is meant to take 6 minutes on 2 cores and 2 GB for each worker. Tiers are markers, see pyproject.toml: `large` for
what is slow, `weights` for what needs the real weights in $TFSTYLE_WEIGHTS. All tests that use the fixture
`real_weights` are marked `weights`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for variable in ("TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS"):  # pytest runs one process for each core
    os.environ.setdefault(variable, "1")
REAL_WEIGHTS = os.environ.get("TFSTYLE_WEIGHTS")
if REAL_WEIGHTS:
    REAL_WEIGHTS = str(Path(REAL_WEIGHTS).expanduser().resolve())
os.environ["TFSTYLE_OFFLINE"] = "1"

import graphs  # noqa: E402
import psutil  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

LARGE_TIMEOUT = 1200  # seconds for a test of the tier `large`
_M_MMAP_THRESHOLD = -3  # of glibc's mallopt
_MIB = 2**20

graphs.optimise(False)
graphs.choose_float32()
gc.collect()
gc.freeze()  # what TensorFlow and Keras consist of is no garbage: collections take a tenth of the time
with contextlib.suppress(AttributeError, OSError):  # where there is no glibc
    _LIBC = ctypes.CDLL(None)
    _LIBC.mallopt(_M_MMAP_THRESHOLD, 4 * _MIB)  # memory of networks that are gone goes back to the system
settings.register_profile("tfstyle", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("tfstyle")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark tests that use real weights, and give large tests more time; then pytest selects the tier."""
    for item in items:
        if "real_weights" in getattr(item, "fixturenames", ()):
            item.add_marker("weights")
        if item.get_closest_marker("large") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LARGE_TIMEOUT))


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left():
    """After each module: no child process runs on, and free memory goes back to the system."""
    yield
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "resource_tracker" not in " ".join(child.cmdline()):  # Python's, which ends with its parent
                child.kill()
    gc.collect()
    with contextlib.suppress(AttributeError, NameError):
        _LIBC.malloc_trim(0)


@pytest.fixture(autouse=True)
def _own_keras_home(tmp_path_factory, monkeypatch):
    """Hide weights that happen to be on this machine; the fixture `real_weights` is the way to them."""
    monkeypatch.delenv("TFSTYLE_WEIGHTS", raising=False)
    home = tmp_path_factory.getbasetemp() / "keras-home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr("tfstyle.features.weights.cache_folders", lambda: [home / "models"])


@pytest.fixture
def eager():
    """Build no graphs: for tests that are not about a compiled step."""
    with graphs.eager():
        yield


@pytest.fixture
def optimised_graphs(request):
    """Optimise graphs: for results that equal those of another process bit by bit."""
    if "eager" in request.fixturenames:
        request.getfixturevalue("eager")  # before this one, as a whole module uses it
    with graphs.optimised():
        yield


@pytest.fixture
def real_weights(monkeypatch):
    """The folder of real weights; the test is skipped where there is none."""
    if not REAL_WEIGHTS:
        pytest.skip("needs real weights: set TFSTYLE_WEIGHTS to a folder with vgg19*notop*.h5")
    monkeypatch.setenv("TFSTYLE_WEIGHTS", REAL_WEIGHTS)
    return Path(REAL_WEIGHTS)


@pytest.fixture(scope="session")
def vgg():
    """VGG19 with random weights."""
    from tfstyle import Backbone

    return Backbone("VGG19", weights="random")


@pytest.fixture(scope="session")
def photo():
    """A small photograph-like picture: float32 (40, 56, 3)."""
    from tfstyle import images, samples

    return images.load(samples.content("chelsea"), 56).rgb


@pytest.fixture(scope="session")
def painting():
    """A small painting: float32 (48, 48, 3)."""
    from tfstyle import images, samples

    return images.load(samples.style("impasto", 128), 48).rgb
