"""Checks that every layer and model of the package has to pass: helpers for tests, and commands for other processes.

python battery.py reload FOLDER           load what was saved in FOLDER
python battery.py devices FILE NAME...    train models on one and on two logical devices
python battery.py worker FILE NAME...     train models as one of the workers that $TF_CONFIG names
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
EPOCHS = 2
PATIENCE = 900  # seconds that a child process may take
NO_PROXY_THERE = "http://127.0.0.1:9"  # port 9 discards what it gets, or refuses it


# In this process


def outputs(item: Any, case: Any) -> list[np.ndarray]:
    """All output arrays of a layer or model."""
    import keras

    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(item(case.inputs, **case.training))]


def as_model(layer: Any, inputs: Any, training: dict[str, Any]) -> Any:
    """A functional model of one layer, which can be saved."""
    import keras

    symbolic = keras.tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=str(x.dtype)), inputs)
    return keras.Model(symbolic, layer(symbolic, **training))


def dataset(case: Any, batch: int | None = None) -> Any:
    """A model's training data, in batches of a known size."""
    import tensorflow as tf
    from cases import BATCH

    data = case.data if len(case.data) > 1 else case.data[0]
    return tf.data.Dataset.from_tensor_slices(data).batch(batch or BATCH, drop_remainder=True)


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """The state of a model: its weights and those of its optimizers."""
    results = {f"weight {i} {weight.name}": weight for i, weight in enumerate(model.weights)}
    for name in ("optimizer", "generator_optimizer", "discriminator_optimizer"):
        if hasattr(model, name):
            results |= {f"{name} {i}": variable for i, variable in enumerate(getattr(model, name).variables)}
    return {name: np.asarray(variable) for name, variable in results.items()}


def assert_close(results: dict[str, np.ndarray], expected: dict[str, np.ndarray], **tolerance: float) -> None:
    """Raise an `AssertionError` that names the first array that differs."""
    assert list(results) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(results[name], value, err_msg=name, **{"rtol": 0, "atol": 0, **tolerance})


class KilledError(Exception):
    """Stands for anything that ends a process."""


def trained_until_killed(model: Any, case: Any, folder: Path) -> None:
    """Train for one epoch of two, and leave a backup in a folder."""
    import keras

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KilledError

    callbacks = [keras.callbacks.BackupAndRestore(folder), Kill()]
    try:
        model.fit(dataset(case), epochs=EPOCHS, verbose=0, callbacks=callbacks)
    except KilledError:
        return
    raise AssertionError("it was not killed")


def save_all(folder: Path) -> dict[str, dict[str, Any]]:
    """Save every case, models after one epoch of two; return the outputs, and the models' states after the second."""
    from cases import LAYERS, MODELS, NETWORKS

    results: dict[str, dict[str, Any]] = {}
    for number, (name, case) in enumerate({**LAYERS, **NETWORKS}.items()):
        item = case.make() if name in NETWORKS else as_model(case.make(), case.inputs, case.training)
        item(case.inputs)
        item.save(folder / f"{number}.keras")
        results[name] = {"outputs": flat(item, case)}
    for number, (name, case) in enumerate(MODELS.items(), len(results)):
        model = case.make()
        model.compile()
        trained_until_killed(model, case, folder / f"backup{number}")
        model.save(folder / f"{number}.keras")
        results[name] = {"outputs": dict(enumerated(outputs(model, case)))}
        model.fit(dataset(case), initial_epoch=1, epochs=EPOCHS, verbose=0)
        results[name]["continued"] = results[name]["resumed"] = weights_of(model)
    return results


def enumerated(arrays: list[np.ndarray]) -> Any:
    """Pairs of a number as a name, and an array."""
    return ((str(i), array) for i, array in enumerate(arrays))


def flat(model: Any, case: Any) -> dict[str, np.ndarray]:
    """All output arrays of a functional model, by number."""
    import keras

    results = [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(model(case.inputs))]
    return dict(enumerated(results))


# In other processes


def run(*arguments: Any, **environment: str) -> subprocess.Popen[str]:
    """Start this file in a fresh process."""
    command = [sys.executable, str(Path(__file__).resolve()), *map(str, arguments)]
    paths = os.pathsep.join([str(HERE), str(HERE.parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)


def wait_for(*processes: subprocess.Popen[str]) -> None:
    """Wait for processes, which all have to succeed in time; none is left running."""
    try:
        for process in processes:
            errors = process.communicate(timeout=PATIENCE)[1]
            assert process.returncode == 0, errors[-4000:]
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=60)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read a file of `write`."""
    results: dict[str, dict[str, Any]] = {}
    with np.load(path) as archive:
        for key, value in archive.items():
            name, kind, part = key.split("|")
            results.setdefault(name, {}).setdefault(kind, {})[part] = value
    return results


def write(path: Path, results: dict[str, dict[str, Any]]) -> None:
    """Write arrays by case, kind and name to a file."""
    np.savez(
        path,
        **{
            f"{name}|{kind}|{part}": a
            for name, kinds in results.items()
            for kind, parts in kinds.items()
            for part, a in parts.items()
        },
    )


def reload(folder: Path) -> None:
    """Load all cases in this process; train the models on, and others from the backups."""
    import keras
    from cases import CASES, MODELS

    results: dict[str, dict[str, Any]] = {}
    for number, (name, case) in enumerate(CASES.items()):
        item = keras.saving.load_model(folder / f"{number}.keras", safe_mode=True)
        if name not in MODELS:
            results[name] = {"outputs": flat(item, case)}
            continue
        results[name] = {"outputs": dict(enumerated(outputs(item, case)))}
        item.fit(dataset(case), initial_epoch=1, epochs=EPOCHS, verbose=0)
        results[name]["continued"] = weights_of(item)
        restored = case.make()
        restored.compile()
        backup = keras.callbacks.BackupAndRestore(folder / f"backup{number}")
        restored.fit(dataset(case), epochs=EPOCHS, verbose=0, callbacks=[backup])
        results[name]["resumed"] = weights_of(restored)
    write(folder / "results.npz", results)


def trained(case: Any, strategy: Any) -> dict[str, Any]:
    """A model's weights and logs after training under a strategy, and how far each of its networks has moved.

    All in float64, so that rounding hides no difference.
    """
    import keras

    with strategy.scope():
        model = case.make("float64")
        names = ("generator_optimizer", "discriminator_optimizer")
        names = names if hasattr(model, "generators") else ("optimizer",)
        options = {"critic_steps": 1} if hasattr(model, "critic") else {}
        model.compile(**{name: keras.optimizers.SGD(case.rate) for name in names}, **options)
    networks = [*model.generators(), *model.discriminators()] if hasattr(model, "generators") else [model]

    def trainable() -> list[np.ndarray]:
        return [np.concatenate([np.ravel(each) for each in network.trainable_variables]) for network in networks]

    before = trainable()
    history = model.fit(dataset(case, 4), verbose=0).history
    moved = {str(i): np.abs(new - old).max() for i, (new, old) in enumerate(zip(trainable(), before, strict=True))}
    weights = {f"{i} {weight.name}": np.asarray(weight) for i, weight in enumerate(model.weights)}
    logs = {name: np.asarray(values) for name, values in history.items()}
    return {"weights": weights, "logs": logs, "moved": moved}


def devices(path: Path, *names: str) -> None:
    """Train models on one and on two logical devices, and on one device by a strategy."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from cases import MODELS

    strategies = {
        "alone": tf.distribute.get_strategy(),
        "devices": tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        "one": tf.distribute.MirroredStrategy(["CPU:0"]),
    }
    assert [each.num_replicas_in_sync for each in strategies.values()] == [1, 2, 1]
    results = {
        f"{name} {way}": trained(MODELS[name], strategy)
        for name in names
        for way, strategy in strategies.items()
        if way in ("alone", *MODELS[name].together)
    }
    write(path, results)


def worker(path: Path, *names: str) -> None:
    """Train models as one of several workers; the first writes the results."""
    import tensorflow as tf

    import tfstyle.models  # noqa: F401  (before the strategy: so workers reach each other without the proxy)

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    assert strategy.num_replicas_in_sync == 2
    from cases import MODELS

    results = {f"{name} workers": trained(MODELS[name], strategy) for name in names}
    if json.loads(os.environ["TF_CONFIG"])["task"]["index"] == 0:
        write(path, results)


def workers(path: Path, *names: str) -> list[subprocess.Popen[str]]:
    """Start two workers on a machine whose proxy does not answer."""
    addresses = []
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("localhost", 0))
        addresses.append(f"localhost:{each.getsockname()[1]}")
    for each in sockets:
        each.close()
    cluster = {"worker": addresses}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}}) for i in range(2)]
    proxy = {"http_proxy": NO_PROXY_THERE, "https_proxy": NO_PROXY_THERE, "no_proxy": "", "no_grpc_proxy": ""}
    return [run("worker", path, *names, TF_CONFIG=config, **proxy) for config in configs]


if __name__ == "__main__":
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    import graphs

    graphs.optimise(False)
    graphs.run_eagerly(sys.argv[1] == "reload")
    {"reload": reload, "devices": devices, "worker": worker}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
