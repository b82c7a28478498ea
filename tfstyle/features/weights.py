"""Where a backbone's weights come from, in order, and one clear error when they don't.

1. the path given; 2. for `VGG19Mini` the file that comes with the package; for others 3. a file for that backbone in
the folder `$TFSTYLE_WEIGHTS`; 4. Keras' own cache, also when it is read-only; 5. a download through
`keras.applications` (not with `TFSTYLE_OFFLINE=1`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import socket
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfstyle.core.errors import InputError
from tfstyle.core.package import EMBEDDED as EMBEDDED_FOLDER

FOLDER_VARIABLE = "TFSTYLE_WEIGHTS"
OFFLINE_VARIABLE = "TFSTYLE_OFFLINE"
EMBEDDED = {"VGG19Mini": "vgg19mini.weights.h5"}  # files that come with the package, in float16
ADAIN = EMBEDDED_FOLDER / "adain.weights.h5"  # likewise: AdaIN's decoder on VGG19Mini
NAMED = ("imagenet", "embedded", "random")  # all else is a path
TESTED = (*EMBEDDED, "VGG16", "VGG19", "InceptionV3", "ResNet50", "NASNetMobile", "MobileNetV2")
SUFFIXES = (".h5", ".keras")
_PACKAGE = "this package"  # the source of embedded weights
DOWNLOAD_TIMEOUT = 20.0  # seconds without an answer (chosen): a closed network must not hang a first try


class NotFoundError(InputError):
    """No weights in any of the places where they are looked for."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights: where it lies, and which of the places it was found in."""

    path: Path
    source: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return _sha256(self.path, self.path.stat().st_mtime_ns)

    def record(self) -> dict[str, str]:
        """What a result says of its weights; no folder names, which mean nothing elsewhere."""
        names = {"path": self.path.name, _PACKAGE: "embedded"}
        return {"name": names.get(self.source, "imagenet"), "source": self.source,
                "file": self.path.name, "sha256": self.sha256}  # fmt: skip


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default(backbone: str) -> str:
    """What a backbone's weights are when none are asked for: `"embedded"` where there are, else `"imagenet"`."""
    return "embedded" if backbone in EMBEDDED else "imagenet"


def find(backbone: str, weights: str | os.PathLike[str] | None = None) -> WeightsFile:
    """The weights file of a backbone, without its classifier ("no top").

    Args:
        backbone: Name of a network.
        weights: `"imagenet"`, `"embedded"`, or the path of a file; None for the backbone's default.

    Raises:
        NotFoundError: Nothing was found; the message lists each place tried and what to do.
        InputError: The path given is no weights file, or the backbone has no such weights.
    """
    own = default(backbone)
    weights = own if weights is None else weights
    if str(weights) not in NAMED:
        return WeightsFile(_given(Path(weights), own), "path")
    if str(weights) != own:
        raise InputError(f"there are no {weights} weights for {backbone}: use {own!r}, 'random' or a file")
    if own == "embedded":
        return _embedded(backbone)
    tried = []
    for look in (_in_folder, _in_cache, _by_download):
        found = look(backbone)
        if isinstance(found, WeightsFile):
            return found
        tried.append(found)
    raise NotFoundError(
        f"no ImageNet weights for {backbone}: tried {'; '.join(tried)}. Give a file with --weights PATH "
        f"(weights=), put one into a folder named by ${FOLDER_VARIABLE}, or use --backbone vgg19mini, which comes "
        f"with the package"
    )


def adain() -> Path:
    """The file of AdaIN's weights that comes with the package, see `tfstyle.models.load`.

    Raises:
        NotFoundError: It is missing.
    """
    return _there(ADAIN)


def cached(backbone: str) -> WeightsFile | None:
    """The weights file of a backbone if it is on this machine already."""
    if backbone in EMBEDDED:
        return _embedded(backbone)
    for look in (_in_folder, _in_cache):
        found = look(backbone)
        if isinstance(found, WeightsFile):
            return found
    return None


def inventory(backbones: tuple[str, ...] = TESTED) -> list[dict[str, str | None]]:
    """For each backbone the file of its weights on this machine, and the place; None where there is none."""
    rows: list[dict[str, str | None]] = []
    for backbone in backbones:
        found = cached(backbone)
        rows.append({
            "backbone": backbone,
            "file": str(found.path) if found else None,
            "source": found.source if found else None,
            "sha256": found.sha256 if found else None,
        })  # fmt: skip
    return rows


def folder() -> Path | None:
    """The folder that `$TFSTYLE_WEIGHTS` names, if it is set."""
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(os.path.expanduser(value)) if value else None


def cache_folders() -> list[Path]:
    """Where Keras keeps downloaded weights: its home, and where it goes when that can't be written."""
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))  # there may be no home
    fallback = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir())  # as Keras has it
    return [home / "models", fallback / ".keras" / "models"]


def load_into(model: Any, backbone: str, file: WeightsFile) -> None:
    """Load a file into a `keras.applications` model without its top; no code of the file is run.

    Raises:
        InputError: The file is damaged, or holds another model's weights; the message names the mismatch.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of each layer, then raises one error that says it all
            model.load_weights(str(file.path))
    except (OSError, KeyError) as error:
        raise InputError(
            f"{file.path} can't be read as weights ({_first_line(error)}): the file is damaged or not HDF5; "
            f"get it again"
        ) from error
    except ValueError as error:
        made = "tfstyle.features.vgg19mini.VGG19Mini" if backbone in EMBEDDED else f"keras.applications.{backbone}"
        raise InputError(
            f"{file.path} does not hold the weights of {backbone}: {_mismatch(error)}; give a file made for "
            f"{made}(include_top=False)"
        ) from error


def _embedded(backbone: str) -> WeightsFile:
    return WeightsFile(_there(EMBEDDED_FOLDER / EMBEDDED[backbone]), _PACKAGE)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(f"{path}, which comes with the package, is missing: install tfstyle again")
    return path


def _given(path: Path, default: str) -> Path:
    path = Path(os.path.expanduser(path))
    if path.is_dir():
        raise InputError(f"weights {path} is a folder: give a file, or set ${FOLDER_VARIABLE} to the folder")
    if not path.is_file():
        raise InputError(f"weights {path} does not exist: give a file, {default!r} or 'random'")
    if path.suffix not in SUFFIXES:
        raise InputError(f"weights {path} is not a Keras weights file: its name must end in .h5 or .keras")
    return path


def _match(backbone: str, directory: Path) -> Path | None:
    """The file for `backbone`: named after it in any spelling ("vgg19_…", "inception_v3_…"), without top."""
    # A name goes on after "ResNet50" with "V2", and after "MobileNet" with "_v2": other networks.
    pattern = re.compile(r"(?:weights_)?" + "[-_]?".join(backbone) + r"(?![a-z0-9]|[-_]v\d)", re.IGNORECASE)
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError:
        return None
    names = [file for file in files if pattern.match(file.name) and re.search("no_?top", file.name)]
    return names[0] if names else None


def _in_folder(backbone: str) -> WeightsFile | str:
    directory = folder()
    if directory is None:
        return f"the folder ${FOLDER_VARIABLE} (not set)"
    path = _match(backbone, directory)
    if path is None:
        return f"the folder ${FOLDER_VARIABLE}={directory} (no {backbone.lower()}*notop*.h5 in it)"
    return WeightsFile(path, f"${FOLDER_VARIABLE}")


def _in_cache(backbone: str) -> WeightsFile | str:
    for directory in cache_folders():
        path = _match(backbone, directory)
        if path is not None:
            return WeightsFile(path, "Keras cache")
    return f"the Keras cache {cache_folders()[0]} (no {backbone} without top in it)"


def _by_download(backbone: str) -> WeightsFile | str:
    if os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0"):
        return f"no download (${OFFLINE_VARIABLE} is set)"
    import keras

    timeout = socket.getdefaulttimeout()
    try:
        socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
        with contextlib.redirect_stdout(sys.stderr):  # Keras reports to stdout, which is the caller's
            getattr(keras.applications, backbone)(include_top=False, weights="imagenet")
    except Exception as error:
        return f"a download ({_first_line(error).rpartition(': ')[2].removeprefix('None -- ')})"
    finally:
        socket.setdefaulttimeout(timeout)
    found = _in_cache(backbone)
    if isinstance(found, WeightsFile):
        return WeightsFile(found.path, "download")
    return f"a download (it left no file in {cache_folders()[0]})"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _mismatch(error: BaseException) -> str:
    """The shortest true line of Keras' report: the first layer or shape that doesn't fit."""
    text = str(error)
    layer = re.search(r"object <\w+ name=([\w/.-]+)", text)
    shapes = re.search(r"variable\.shape=(\([\d, ]*\)), Received: value\.shape=(\([\d, ]*\))", text)
    if layer and shapes:
        return f"layer {layer[1]} needs the shape {shapes[1]}, the file has {shapes[2]}"
    lines = [line for line in text.splitlines() if re.search(r"Layer |expect|mismatch", line)]
    return (lines or [_first_line(error)])[-1 if layer else 0].rstrip(".")
