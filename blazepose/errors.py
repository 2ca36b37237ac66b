"""End the scripts with one sentence where something is wrong, or where a signal asks for it.

The exit status is then 1, 130 after Ctrl-C, 143 after SIGTERM. BLAZEPOSE_TRACEBACK=1 shows where the
sentence of an error came from.
"""

import dis
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
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn, ParamSpec

from tqdm import tqdm

from blazepose.atomic import chain, full_disk
from blazepose.rank import is_first_process, is_launched

P = ParamSpec("P")

log = logging.getLogger("blazepose")

_PACKAGE = Path(__file__).resolve().parent
_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_ONCE_S = 0.2
"""`timeout` and shells send a signal to the process and to its group: closer ones are one."""
_LOST_S = 1.0
"""Seconds after which an interrupt that was lost is raised again."""
_PATIENCE_S = 10.0
_AGAIN = "run the command again"
_ways: list[Callable[[], str]] = []
"""Functions that describe how the user resumes what runs now; the innermost is last."""


def friendly_errors(task: Callable[P, None]) -> Callable[P, None]:
    """Decorator that ends a script with one sentence and the right exit status.

    So end Ctrl-C and SIGTERM, ValueError, OSError and ImportError raised in this repository, and a full disk
    wherever it is noticed. Anything else is a bug and keeps its traceback.
    """

    @functools.wraps(task)
    def speak(*args: P.args, **kwargs: P.kwargs) -> None:
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
                if received:  # whatever libraries have made of it
                    end(received[0], _how_to_resume(error) or _AGAIN)
                sentence = _sentence(error, task.__code__)
                if sentence is None or isinstance(error, SystemExit):
                    raise
                exit_with(error, sentence)

    return speak


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt for both signals, and yield the list of those that came."""
    received: list[int] = []
    process = os.getpid()

    def interrupt(number: int) -> None:
        if received or os.getpid() != process:  # a second time, or in a forked worker
            os._exit(128 + number)
        received.append(number)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where torch raises an error for each worker that ends
        signal.signal(signal.SIGALRM, again)
        signal.setitimer(signal.ITIMER_REAL, _LOST_S, _LOST_S)
        raise KeyboardInterrupt(number)

    def again(*_: Any) -> None:
        if not any(isinstance(error, KeyboardInterrupt) for error in chain(sys.exception())):
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
    """Call `handle` with the number of a signal that asks the process to end, unless these are ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last, noted = -math.inf, threading.Event()

    def note(number: int, frame: Any) -> None:
        nonlocal last
        noted.set()
        before, last = last, time.monotonic()
        if last - before > _ONCE_S:
            handle(number)

    before = {kind: signal.getsignal(kind) for kind in _SIGNALS}
    for kind, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(kind, signal.SIG_IGN if is_launched() else note)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    woken = signal.set_wakeup_fd(writer)
    threading.Thread(target=_end_if_blocked, args=(reader, noted), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        os.close(writer)
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _end_if_blocked(reader: int, noted: threading.Event) -> None:
    """End the script for a signal that the main thread never notes, as while it waits for other processes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # they are for the main thread
    with open(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] in _SIGNALS and not noted.wait(_PATIENCE_S):
                _say_end(number[0], _ways[-1]() if _ways else _AGAIN)
                os._exit(128 + number[0])


@contextmanager
def resuming(how: Callable[[], str]) -> Iterator[None]:
    """Let the sentence that ends the script inside this block say how the user resumes."""
    _ways.append(how)
    try:
        yield
    except BaseException as error:
        error.add_note(how())
        raise
    finally:
        _ways.pop()


def end(number: int, how: str) -> NoReturn:
    """End the script as a signal does: a sentence on stderr, and exit status 128 + its number."""
    _say_end(number, how)
    sys.exit(128 + number)


def _say_end(number: int, how: str) -> None:
    if is_first_process():
        _say(f"ended by {_SIGNALS[signal.Signals(number)]}: {how}")


def exit_with(error: BaseException, sentence: str) -> NoReturn:
    """End the script with this sentence on stderr and exit status 1."""
    if os.environ.get("BLAZEPOSE_TRACEBACK", "0") != "0":
        raise error
    how = _how_to_resume(error)
    _say(f"{sentence}; {how}" if how else sentence)
    sys.exit(1)


def leave_at_once(sentence: str) -> NoReturn:
    """End the script from another thread, where the main thread may be blocked for ever."""
    _say(sentence)
    sys.stdout.flush()
    os._exit(1)


def _say(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)  # on a line of its own, also beside a progress bar
    log.critical(sentence)  # for the log of a run


def _how_to_resume(error: BaseException) -> str | None:
    """Return the innermost note of `resuming`."""
    notes = [note for one in chain(error) for note in getattr(one, "__notes__", [])[:1]]
    return notes[-1] if notes else None


def _log_to_console() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # of files whose names are no text
    # Of several processes of one training, the first speaks.
    log.setLevel(logging.INFO if is_first_process() else logging.ERROR)
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.addFilter(lambda record: record.levelno < logging.CRITICAL)  # which stderr has
        log.addHandler(handler)


def _sentence(error: BaseException, script_code: CodeType) -> str | None:
    """Return the sentence for an error, or None for a bug."""
    if isinstance(error, ValueError | OSError | ImportError) and _raised_on_purpose(error, script_code):
        return str(error)
    if full := full_disk(error):
        way = "raise the limit of file sizes" if full.errno == errno.EFBIG else "free some space"
        return f"{full.filename or 'a file'} cannot be written ({full.strerror}): {way}"
    return None


def _in_thread(thread: threading.ExceptHookArgs) -> None:
    """Ignore a full disk in a thread, since the main thread reports it."""
    if not full_disk(thread.exc_value):
        threading.__excepthook__(thread)


def _in_destructor(lost: Any) -> None:
    """Ignore an interrupt in a destructor, since `again` repeats it."""
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)


def _raised_on_purpose(error: BaseException, script_code: CodeType) -> bool:
    """A `raise` statement of this repository made the error, rather than a call that went wrong."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    code = last.tb_frame.f_code
    ours = code.co_filename == script_code.co_filename or _PACKAGE in Path(code.co_filename).resolve().parents
    return ours and dis.opname[code.co_code[last.tb_lasti]] == "RAISE_VARARGS"
