"""What a trainer does about too little memory, losses that are not finite, and epochs that are done."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfstyle import InputError
from tfstyle.training.folder import TrainingFolder
from tfstyle.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def trainer(tmp_path):
    """Of a dense network on one batch an epoch."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    batch = tf.data.Dataset.from_tensors((np.zeros((1, 3)), np.zeros((1, 3))))
    return Trainer(TrainingFolder(tmp_path / "run", {"steps": 1}), model, 2, 1, lambda epoch: batch)


def test_the_result_has_model_folder_and_log(trainer):
    result = trainer.fit(verbose=0)
    assert result.model is trainer.model
    assert result.folder is trainer.folder
    assert [row["epoch"] for row in result.log] == [1, 2]
    assert result.epochs == 2
    assert result.folder.model.is_file()


def test_nothing_is_printed(trainer, capfd):
    trainer.fit(verbose=0)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM")])
def test_too_little_memory_is_one_line(trainer, error):
    def fail(*_, **__):
        raise error

    few = r"^there is not enough memory: use a smaller crop size or batch, or fewer filters$"
    with pytest.raises(InputError, match=few):
        trainer.fit(verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_begin=fail)])
    with pytest.raises(InputError, match=few):
        trainer.folder.load_or_build(fail)


def test_losses_that_are_not_finite_end_the_training_and_keep_the_last_epoch(trainer):
    def spoil(epoch, logs):
        if epoch == 1:
            trainer.model.layers[0].kernel.assign(np.full((3, 3), np.nan))

    callback = keras.callbacks.LambdaCallback(on_epoch_end=spoil)
    with pytest.raises(InputError, match=r"diverged in epoch 2, .*the model of epoch 1 is kept.*lower learning rate"):
        trainer.fit(verbose=0, callbacks=[callback])
    assert [row["epoch"] for row in trainer.folder.rows()] == [1]
