"""Where weights of backbones are found.

The places are tried in this order:

1. a given path;
2. the file that comes with the package, for embedded networks;
3. a file for the backbone in the folder `$TFSTYLE_WEIGHTS`;
4. the cache of Keras, which may be read-only;
5. a download through `keras.applications`, unless `TFSTYLE_OFFLINE=1`.
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
from tfstyle.core.settings import option
from tfstyle.features.registry import fallback, spec_of, tested

FOLDER_VARIABLE = "TFSTYLE_WEIGHTS"
OFFLINE_VARIABLE = "TFSTYLE_OFFLINE"
ADAIN = EMBEDDED_FOLDER / "adain.weights.h5"  # AdaIN's decoder on VGG19Mini
NAMED = ("imagenet", "embedded", "random")  # everything else is a path
SUFFIXES = (".h5", ".keras")
_PACKAGE = "this package"  # the source of embedded weights
DOWNLOAD_TIMEOUT = 20.0  # seconds without an answer (chosen), so that a closed network does not block a first try


class NotFoundError(InputError):
    """There are no weights in any of the places."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights.

    Attributes:
        path: Path of the file.
        source: The place where it was found.
    """

    path: Path
    source: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return _sha256(self.path, self.path.stat().st_mtime_ns)

    def record(self) -> dict[str, str]:
        """Name, source, file and SHA-256, as JSON can hold them; without folders, which mean nothing elsewhere."""
        names = {"path": self.path.name, _PACKAGE: "embedded"}
        return {"name": names.get(self.source, "imagenet"), "source": self.source,
                "file": self.path.name, "sha256": self.sha256}  # fmt: skip


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_option(**attributes: Any) -> Any:
    """The option that names a network's weights, for settings classes.

    Args:
        **attributes: Further attributes of the option; see `tfstyle.core.settings.Option`.
    """
    return option(
        default=None,
        help="Weights of the network: `imagenet`, `embedded` (VGG19Mini only), `random`, or a file made for "
        "include_top=False.",
        metavar="|".join((*NAMED, "PATH")),
        unset="embedded for VGG19Mini, else imagenet",
        **attributes,
    )


def default(backbone: str) -> str:
    """The default weights of a backbone: `"embedded"` if there are some, else `"imagenet"`."""
    return "imagenet" if spec_of(backbone).weights_file is None else "embedded"


def find(backbone: str, weights: str | os.PathLike[str] | None = None) -> WeightsFile:
    """The weights file of a backbone, without its classifier ("no top").

    Args:
        backbone: Name of a network.
        weights: `"imagenet"`, `"embedded"`, or the path of a file. None for the default of the backbone.

    Raises:
        NotFoundError: There is no file. The message lists each place that was tried and what to do.
        InputError: The path is not that of a weights file, or the backbone has no such weights.
    """
    name = default(backbone)
    weights = name if weights is None else weights
    if str(weights) not in NAMED:
        return WeightsFile(_check_path(Path(weights), name), "path")
    if str(weights) != name:
        raise InputError(f"there are no {weights} weights for {backbone}: use {name!r}, 'random' or a file")
    if name == "embedded":
        return _embedded(backbone)
    problems = []
    for place in (_in_folder, _in_cache, _by_download):
        result = place(backbone)
        if isinstance(result, WeightsFile):
            return result
        problems.append(result)
    raise NotFoundError(
        f"no ImageNet weights for {backbone}: tried {'; '.join(problems)}. Give a file with --weights PATH "
        f"(weights=), put one into a folder named by ${FOLDER_VARIABLE}, or use "
        f"--backbone {fallback().name.lower()}, which comes with the package"
    )


def adain() -> Path:
    """The file with the weights of AdaIN that comes with the package; see `tfstyle.models.load`.

    Raises:
        NotFoundError: It is missing.
    """
    return _check_exists(ADAIN)


def cached(backbone: str) -> WeightsFile | None:
    """The weights file of a backbone if it is on this machine, else None."""
    if default(backbone) == "embedded":
        return _embedded(backbone)
    for place in (_in_folder, _in_cache):
        result = place(backbone)
        if isinstance(result, WeightsFile):
            return result
    return None


def inventory(backbones: tuple[str, ...] | None = None) -> list[dict[str, str | None]]:
    """For each backbone its weights file on this machine, the place and the SHA-256, or None.

    Args:
        backbones: Names of networks. None for those that the tests run with weights.
    """
    rows: list[dict[str, str | None]] = []
    for backbone in tested() if backbones is None else backbones:
        file = cached(backbone)
        rows.append({
            "backbone": backbone,
            "file": str(file.path) if file else None,
            "source": file.source if file else None,
            "sha256": file.sha256 if file else None,
        })  # fmt: skip
    return rows


def folder() -> Path | None:
    """The folder that `$TFSTYLE_WEIGHTS` names, or None."""
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(os.path.expanduser(value)) if value else None


def cache_folders() -> list[Path]:
    """Where Keras keeps downloaded weights: in its home, or elsewhere if that can't be written."""
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))  # there may be no home
    fallback = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir())  # as Keras has it
    return [home / "models", fallback / ".keras" / "models"]


def load_into(model: Any, backbone: str, file: WeightsFile) -> None:
    """Load a weights file into a network without its top. No code in the file is run.

    Args:
        model: The network.
        backbone: Its name.
        file: The weights file.

    Raises:
        InputError: The file is damaged, or has the weights of another network. The message names the mismatch.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of each layer, then raises one error with all of them
            model.load_weights(str(file.path))
    except (OSError, KeyError) as error:
        raise InputError(
            f"{file.path} can't be read as weights ({_first_line(error)}): the file is damaged or not HDF5; "
            f"get it again"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{file.path} does not hold the weights of {backbone}: {_mismatch(error)}; give a file made for "
            f"{spec_of(backbone).constructor}(include_top=False)"
        ) from error


def _embedded(backbone: str) -> WeightsFile:
    return WeightsFile(_check_exists(EMBEDDED_FOLDER / (spec_of(backbone).weights_file or "")), _PACKAGE)


def _check_exists(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(f"{path}, which comes with the package, is missing: install tfstyle again")
    return path


def _check_path(path: Path, default: str) -> Path:
    path = Path(os.path.expanduser(path))
    if path.is_dir():
        raise InputError(f"weights {path} is a folder: give a file, or set ${FOLDER_VARIABLE} to the folder")
    if not path.is_file():
        raise InputError(f"weights {path} does not exist: give a file, {default!r} or 'random'")
    if path.suffix not in SUFFIXES:
        raise InputError(f"weights {path} is not a Keras weights file: its name must end in .h5 or .keras")
    return path


def _match(backbone: str, directory: Path) -> Path | None:
    """The weights file without top that is named after a backbone, in any spelling: "vgg19_…", "inception_v3_…"."""
    # Names of other networks begin alike: "ResNet50V2", "mobilenet_v2".
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
        with contextlib.redirect_stdout(sys.stderr):  # Keras prints to stdout, which belongs to the caller
            getattr(keras.applications, backbone)(include_top=False, weights="imagenet")
    except Exception as error:
        return f"a download ({_first_line(error).rpartition(': ')[2].removeprefix('None -- ')})"
    finally:
        socket.setdefaulttimeout(timeout)
    file = _in_cache(backbone)
    if isinstance(file, WeightsFile):
        return WeightsFile(file.path, "download")
    return f"a download (it left no file in {cache_folders()[0]})"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _mismatch(error: BaseException) -> str:
    """The line of Keras' report that names the first layer or shape that does not fit."""
    text = str(error)
    layer = re.search(r"object <\w+ name=([\w/.-]+)", text)
    shapes = re.search(r"variable\.shape=(\([\d, ]*\)), Received: value\.shape=(\([\d, ]*\))", text)
    if layer and shapes:
        return f"layer {layer[1]} needs the shape {shapes[1]}, the file has {shapes[2]}"
    lines = [line for line in text.splitlines() if re.search(r"Layer |expect|mismatch", line)]
    return (lines or [_first_line(error)])[-1 if layer else 0].rstrip(".")
