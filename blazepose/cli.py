"""How the scripts speak to people: one sentence and exit status 1 where something is wrong.

BLAZEPOSE_TRACEBACK=1 shows where the sentence came from.
"""

import dis
import functools
import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import NoReturn, ParamSpec

P = ParamSpec("P")

_PACKAGE = Path(__file__).resolve().parent


def say_errors(task: Callable[P, None]) -> Callable[P, None]:
    """Decorator that ends a script with one sentence where this repository raised an error on purpose.

    ValueError, OSError and ImportError raised here go to stderr, with exit status 1; anything else is a bug
    and keeps its traceback.
    """

    @functools.wraps(task)
    def speak(*args: P.args, **kwargs: P.kwargs) -> None:
        _log_to_console()
        try:
            task(*args, **kwargs)
        except (ValueError, OSError, ImportError) as error:
            if not _raised_on_purpose(error, task.__code__):
                raise
            leave(error, str(error))

    return speak


def _log_to_console() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # of files whose names are no text
    logger = logging.getLogger("blazepose")
    # Of several processes of one training, the first speaks.
    logger.setLevel(logging.INFO if os.environ.get("LOCAL_RANK", "0") == "0" else logging.ERROR)
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stdout))


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


def leave(error: BaseException, sentence: str) -> NoReturn:
    """End the script with this sentence on stderr and exit status 1."""
    if os.environ.get("BLAZEPOSE_TRACEBACK", "0") != "0":
        raise error
    print(sentence, file=sys.stderr)
    sys.exit(1)
