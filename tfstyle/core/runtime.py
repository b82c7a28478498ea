"""Importing TensorFlow: late, because it takes seconds, and without its greetings."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tfstyle.core.errors import InputError

LARGE = 4096 * 4096  # pixels of pictures for which memory matters more than time (chosen)
_ALLOCATOR = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"
_NO_GRPC_PROXY = "no_grpc_proxy"  # gRPC reads it before `no_proxy`, and no other program reads it


def import_tensorflow(pixels: int = 0) -> None:
    """Import TensorFlow and Keras without what their libraries write to stderr; of errors nothing is lost.

    Args:
        pixels: Of the largest picture, if known. For pictures beyond `LARGE`, TensorFlow takes memory from the
            system and gives it back, instead of keeping it: a fifth less at 8192 x 8192, for a tenth more time.

    Raises:
        InputError: Keras runs on another backend than TensorFlow.
    """
    bypass_proxy_between_workers()
    if "tensorflow" not in sys.modules or "keras" not in sys.modules:
        check_backend(os.environ.get("KERAS_BACKEND") or "tensorflow")
        if pixels > LARGE:
            os.environ.setdefault(_ALLOCATOR, "1")  # read once, as TensorFlow is loaded
        with without_greetings():
            import tensorflow  # noqa: F401
    import keras

    check_backend(keras.backend.backend())


def check_backend(name: str) -> None:
    """Raise an `InputError` unless `name` is TensorFlow."""
    if name != "tensorflow":
        raise InputError(f"Keras runs on {name}, and tfstyle needs TensorFlow: set KERAS_BACKEND=tensorflow")


def bypass_proxy_between_workers() -> None:
    """Let the workers that `$TF_CONFIG` names reach each other directly, never through a proxy.

    TensorFlow's workers talk gRPC, which obeys `$http_proxy` even for localhost: behind a company's proxy, training
    with `tf.distribute.MultiWorkerMirroredStrategy` waits for ever. This function adds the workers' hosts to
    `$no_grpc_proxy`. Importing `tfstyle.models` calls it; import that before you make the strategy.
    """
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
        groups = [group.values() if isinstance(group, dict) else group for group in cluster.values()]
        addresses = [address for group in groups for address in group]
    except (ValueError, AttributeError, TypeError):  # TensorFlow says what is wrong with it
        return
    hosts = [address.rpartition(":")[0].strip("[]") for address in addresses if isinstance(address, str)]
    excluded = os.environ.get(_NO_GRPC_PROXY) or os.environ.get("no_proxy") or ""
    entries = [entry.strip() for entry in excluded.split(",") if entry.strip()]
    missing = dict.fromkeys(host for host in hosts if host and host not in entries)
    if missing:
        os.environ[_NO_GRPC_PROXY] = ",".join([*entries, *missing])


@contextlib.contextmanager
def without_greetings() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; write it after all if there is an error."""
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed, and nothing can be written to it
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as greetings:
        os.dup2(greetings.fileno(), 2)
        try:
            yield
        except BaseException:
            greetings.seek(0)
            os.write(stderr, greetings.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def steady(dataset: Any) -> Any:
    """A `tf.data.Dataset` without TensorFlow's tuning of it.

    That tuning leaves now and then the operations of a step on processors to a thread of its own, where each of them
    gets a single core, until the next call of `fit`: found with TensorFlow 2.21 on two cores, where such steps take
    up to twice as long.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def strategy() -> Any:
    """A `tf.distribute.MirroredStrategy` over all GPUs where there are several, else None."""
    import_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus]) if len(gpus) > 1 else None
