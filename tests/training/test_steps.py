"""Trainings in steps: rows of the log, batches read ahead, and checkpoints."""

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.training.steps import prefetched, read_log, restore_checkpoint, run_steps, save_checkpoint


@pytest.mark.parametrize("ahead", [1, 3, 9])
def test_batches_come_in_order_whatever_is_read_ahead(ahead):
    assert list(prefetched(lambda step: step, 2, 7, ahead)) == [2, 3, 4, 5, 6]
    assert list(prefetched(lambda step: step, 7, 7, ahead)) == []


def run(log, start, stop):
    trained, saved = [], []
    rows = run_steps(
        lambda batch: trained.append(batch) or {"loss": float(batch)},
        lambda step: (step,),
        start=start,
        stop=stop,
        every=2,
        evaluate=lambda: {"loss": 0.5},
        save=lambda: saved.append(trained[-1]),
        log=log,
    )
    return list(rows), trained, saved


def test_rows_are_means_since_the_last_one_and_the_log_continues_at_the_checkpoint(tmp_path):
    log = tmp_path / "log.csv"
    rows, trained, saved = run(log, 0, 5)
    assert (trained, saved) == ([0, 1, 2, 3, 4], [1, 3, 4])
    assert [(row["step"], row["loss"], row["held_out_loss"]) for row in rows] == [
        ("2", "0.5", "0.5"), ("4", "2.5", "0.5"), ("5", "4", "0.5")
    ]  # fmt: skip
    run(log, 4, 6)  # from a checkpoint before the last row
    assert [row["step"] for row in read_log(log, 99)] == ["2", "4", "6"]


def test_a_checkpoint_restores_variables_and_refuses_other_settings(tmp_path):
    path = tmp_path / "checkpoint.npz"
    variables = [tf.Variable(1.0), tf.Variable([2.0, 3.0])]
    save_checkpoint(path, variables, 7, {"steps": 9, "seed": 0})
    others = [tf.Variable(0.0), tf.Variable([0.0, 0.0])]
    assert restore_checkpoint(path, others, {"steps": 9, "seed": 0}) == 7
    np.testing.assert_array_equal(others[1], [2, 3])
    with pytest.raises(InputError, match="another steps and seed: use its settings, or another folder"):
        restore_checkpoint(path, others, {"steps": 8, "seed": 1})
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"checkpoint\.npz can't be read: .*; delete it"):
        restore_checkpoint(path, others, {})
