"""How much memory there is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfstyle.core.errors import InputError

if TYPE_CHECKING:
    pass


GIB = 2**30


_CGROUP = Path("/sys/fs/cgroup")


def available() -> int:
    """Bytes of memory that this process can still take: of the GPU where there is one, else of the machine.

    Limits of the container count.
    """
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        from tensorflow.python.client import device_lib  # nothing public knows

        return min(device.memory_limit for device in device_lib.list_local_devices() if device.device_type == "GPU")
    found = [_machine()]
    for folder, limit, used, cache in (
        (_CGROUP, "memory.max", "memory.current", "inactive_file"),
        (_CGROUP / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with contextlib.suppress(OSError, ValueError):  # no such limit
            most, taken = (int((folder / name).read_text()) for name in (limit, used))
            rows = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            found.append(most - taken + int(rows.get(cache, 0)))  # files read long ago give way
    return max(0, min(found))


def _machine() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2  # half: the rest may be taken
    return 4 * GIB  # of a system that doesn't say (chosen)


def gigabytes(number: int) -> str:
    """As messages have it."""
    return f"{number / GIB:.1f} GB"


def memory_errors() -> tuple[type[BaseException], ...]:
    """The exceptions that mean that memory is short, of Python and of TensorFlow."""
    import tensorflow as tf

    return (MemoryError, tf.errors.ResourceExhaustedError)


def not_enough_memory(height: int, width: int, fix: str = "give a smaller size") -> InputError:
    """The error for pictures that memory does not hold.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
        fix: What the user can do.
    """
    return InputError(f"there is not enough memory for {width}x{height} pixels: {fix}")
