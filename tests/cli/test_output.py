"""Ctrl-C while results are written."""

import os
import signal

import pytest

from tfstyle.core.interrupts import uninterrupted


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def save(written, **options):
    with uninterrupted(**options):
        interrupt()
        written.append("all of it")


def test_ctrl_c_waits_until_all_is_written_and_then_interrupts():
    written = []
    with pytest.raises(KeyboardInterrupt):
        save(written)
    assert written == ["all of it"]
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_after_the_last_of_what_was_asked_for_it_is_forgotten():
    save(written := [], forget=True)
    assert written == ["all of it"]


def fail():
    with uninterrupted():
        interrupt()
        raise ValueError("disk")


def test_what_fails_to_be_written_is_what_is_said():
    with pytest.raises(ValueError, match="disk"):
        fail()
