"""Ctrl-C and SIGTERM while a file is written."""

import os
import signal
import threading

import pytest

from tfstyle.core.interrupts import uninterrupted

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])


@pytest.fixture(autouse=True)
def _signals_interrupt():
    """As in the command line, where SIGTERM works as Ctrl-C does; jobs in the background ignore Ctrl-C."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt(number):
    os.kill(os.getpid(), number)


def save(number, written, **options):
    with uninterrupted(**options):
        interrupt(number)
        written.append("all of it")


@SIGNALS
def test_a_signal_waits_until_all_is_written_and_then_interrupts(number):
    written = []
    with pytest.raises(KeyboardInterrupt):
        save(number, written)
    assert written == ["all of it"]
    with pytest.raises(KeyboardInterrupt):
        interrupt(number)


@SIGNALS
def test_after_the_last_of_the_work_it_is_forgotten(number):
    save(number, written := [], forget=True)
    assert written == ["all of it"]


def fail(number):
    with uninterrupted():
        interrupt(number)
        raise ValueError("disk")


@SIGNALS
def test_an_error_while_writing_is_raised_rather_than_the_interrupt(number):
    with pytest.raises(ValueError, match="disk"):
        fail(number)


def test_handlers_are_those_of_before():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not handlers[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_other_threads_can_write_too():
    """Only the main thread may set handlers."""
    written = []

    def work():
        with uninterrupted():
            written.append("all of it")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=10)
    assert written == ["all of it"]
