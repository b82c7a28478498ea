"""Writing files completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from typing import BinaryIO

from tfstyle.core.errors import InputError


def atomic_write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file completely or not at all; see `atomic_file`."""
    with atomic_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str], temporary: str | None = None) -> Iterator[BinaryIO]:
    """A file to write to, completely or not at all: whatever goes wrong, one already at `path` stays as it was.

    The data goes to a temporary file in the same folder, which takes the place of `path` once it's on disk.
    A symbolic link stays one: the file it points to is written.

    Args:
        path: What is written.
        temporary: Name of the temporary file; one that a killed process has left is replaced. None for a new name.

    Raises:
        InputError: The system refuses to write there, or has no space.
    """
    check_place(path)
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), temporary or f".tfstyle-{secrets.token_hex(8)}.tmp")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        fix = "free some space or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        problem = f"could not write {shown(path)}: {reason(error)}"
        raise InputError(f"{problem}; {fix}choose another place") from error
    finally:
        with contextlib.suppress(OSError):  # if all went well, it has become the target
            os.unlink(temporary)


def make_folder(path: str | os.PathLike[str]) -> set[str]:
    """Make a folder, and those that it is in, unless it is there; the names of what is in it.

    Raises:
        InputError: The system refuses to.
    """
    try:
        os.makedirs(path, exist_ok=True)
        return set(os.listdir(path))
    except OSError as error:
        raise InputError(f"could not make the folder {shown(path)}: {reason(error)}; choose another place") from error


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise an `InputError` unless a file can be put at `path`."""
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        pass  # it's to be made, or the folder is missing, which is said below
    except OSError as error:  # such as a name that is too long
        raise InputError(f"could not write {shown(path)}: {reason(error)}; choose another name") from error
    if os.path.exists(target) and not os.path.isfile(target):
        problem = "it is a folder or a device; give the name of a file"
    elif not os.path.isdir(folder):
        problem = f"there is no folder {shown(folder)}; create it first"
    elif not os.access(folder, os.W_OK | os.X_OK):
        problem = f"the folder {shown(folder)} can't be written in; choose another place"
    else:
        return
    raise InputError(f"could not write {shown(path)}: {problem}")


def shown(path: str | os.PathLike[str]) -> str:
    """A path or name as messages have it: as it is, unless that would break the line or say nothing."""
    text = os.fspath(path)
    return text if text and text.isprintable() else repr(text)


def reason(error: Exception) -> str:
    """What an exception says, on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
