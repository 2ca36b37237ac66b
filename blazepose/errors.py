"""End the scripts with a one-line message after an error or a signal.

The exit status is then 1, 130 after Ctrl-C, 143 after SIGTERM. BLAZEPOSE_TRACEBACK=1 shows the traceback of
the error.
"""

import errno
import functools
import io
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, ParamSpec

from tqdm import tqdm

from blazepose.atomic import exception_chain, full_disk
from blazepose.exceptions import BlazePoseError
from blazepose.rank import is_first_process, is_launched

P = ParamSpec("P")

log = logging.getLogger("blazepose")

_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_SAME_SIGNAL_S = 0.2
"""`timeout` and shells send a signal to the process and to its group: within this time they count as one."""
_RAISE_AGAIN_S = 1.0
"""Seconds after which an interrupt that a library swallowed is raised again."""
_BLOCKED_S = 10.0
_RUN_AGAIN = "run the command again"
_resume_hints: list[Callable[[], str]] = []
"""Functions that return the user's way to resume the current work; the innermost is last."""


def friendly_errors(task: Callable[P, None]) -> Callable[P, None]:
    """Decorate a script's function to end with a one-line message and the right exit status.

    This applies to Ctrl-C and SIGTERM, to the package's own errors (blazepose.exceptions), and to a full disk
    anywhere. Anything else is a bug and keeps its traceback.
    """

    @functools.wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        _log_to_console()
        with _interrupts() as received:
            try:
                task(*args, **kwargs)
                if received:
                    raise KeyboardInterrupt  # a library has swallowed it
            except BaseException as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                if isinstance(error, KeyboardInterrupt):
                    received += error.args or [signal.SIGINT]
                if received:  # even if a library has raised another error
                    end(received[0], _how_to_resume(error) or _RUN_AGAIN)
                message = _error_message(error)
                if message is None or isinstance(error, SystemExit):
                    raise
                exit_with(error, message)

    return run


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt for both signals, and yield the list of received signals."""
    received: list[int] = []
    process = os.getpid()

    def interrupt(number: int) -> None:
        if received or os.getpid() != process:  # a second time, or in a forked worker
            os._exit(128 + number)
        received.append(number)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch raises an error there for each worker that ends
        signal.signal(signal.SIGALRM, raise_again)
        signal.setitimer(signal.ITIMER_REAL, _RAISE_AGAIN_S, _RAISE_AGAIN_S)
        raise KeyboardInterrupt(number)

    def raise_again(*_: Any) -> None:
        if not any(isinstance(error, KeyboardInterrupt) for error in exception_chain(sys.exception())):
            raise KeyboardInterrupt(received[0])

    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = _in_thread, _in_destructor
    try:
        with on_signals(interrupt):
            yield received
    finally:
        threading.excepthook, sys.unraisablehook = hooks


@contextmanager
def on_signals(handle: Callable[[int], None]) -> Iterator[None]:
    """Call `handle` with the number of Ctrl-C's or SIGTERM's signal, unless these are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last, handled = -math.inf, threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        nonlocal last
        handled.set()
        before, last = last, time.monotonic()
        if last - before > _SAME_SIGNAL_S:
            handle(number)

    before = {kind: signal.getsignal(kind) for kind in _SIGNALS}
    for kind, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(kind, signal.SIG_IGN if is_launched() else on_signal)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    previous_fd = signal.set_wakeup_fd(writer)
    threading.Thread(target=_end_if_blocked, args=(reader, handled), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous_fd)
        os.close(writer)
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _end_if_blocked(reader: int, handled: threading.Event) -> None:
    """End the script for a signal that the main thread does not handle, as when blocked by a lock."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # the main thread handles them
    with open(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] in _SIGNALS and not handled.wait(_BLOCKED_S):
                _print_signal(number[0], _resume_hints[-1]() if _resume_hints else _RUN_AGAIN)
                os._exit(128 + number[0])


@contextmanager
def resuming(how: Callable[[], str]) -> Iterator[None]:
    """Add the way to resume to the message of an error or a signal inside this block."""
    _resume_hints.append(how)
    try:
        yield
    except BaseException as error:
        error.add_note(how())
        raise
    finally:
        _resume_hints.pop()


def end(number: int, how: str) -> NoReturn:
    """End the script as after a signal: a message on stderr, and exit status 128 + its number."""
    _print_signal(number, how)
    sys.exit(128 + number)


def _print_signal(number: int, how: str) -> None:
    if is_first_process():
        _print_message(f"ended by {_SIGNALS[signal.Signals(number)]}: {how}")


def exit_with(error: BaseException, message: str) -> NoReturn:
    """End the script with this message on stderr and exit status 1."""
    if os.environ.get("BLAZEPOSE_TRACEBACK", "0") != "0":
        raise error
    how = _how_to_resume(error)
    _print_message(f"{message}; {how}" if how else message)
    sys.exit(1)


def leave_at_once(message: str) -> NoReturn:
    """End the script from another thread, when the main thread may be blocked forever."""
    _print_message(message)
    sys.stdout.flush()
    os._exit(1)


def _print_message(message: str) -> None:
    tqdm.write(message, file=sys.stderr)  # on a line of its own, even with a progress bar
    log.critical(message)  # for the log of a run


def _how_to_resume(error: BaseException) -> str | None:
    """Return the innermost note of `resuming`."""
    notes = [note for e in exception_chain(error) for note in getattr(e, "__notes__", [])[:1]]
    return notes[-1] if notes else None


def _log_to_console() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that are not valid text
    # In distributed training only the first process logs.
    log.setLevel(logging.INFO if is_first_process() else logging.ERROR)
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.addFilter(lambda record: record.levelno < logging.CRITICAL)  # these go to stderr
        log.addHandler(handler)


def _error_message(error: BaseException) -> str | None:
    """Return the message for an error, or None for a bug."""
    if isinstance(error, BlazePoseError):
        return str(error)
    if full := full_disk(error):
        remedy = "raise the limit of file sizes" if full.errno == errno.EFBIG else "free some space"
        return f"{full.filename or 'a file'} cannot be written ({full.strerror}): {remedy}"
    return None


def _in_thread(thread: threading.ExceptHookArgs) -> None:
    """Ignore a full disk in a thread, since the main thread reports it."""
    if not full_disk(thread.exc_value):
        threading.__excepthook__(thread)


def _in_destructor(unraisable: Any) -> None:
    """Ignore an interrupt in a destructor, since `raise_again` repeats it."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
