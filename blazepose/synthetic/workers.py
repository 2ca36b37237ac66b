"""Rendering on several processes; the same pictures with any number of them."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from tqdm import tqdm

from blazepose.synthetic.body import body_model
from blazepose.synthetic.folder import Split
from blazepose.synthetic.studio import CHUNK, Recipe, shoot

log = logging.getLogger(__name__)


def render_split(split: Split, recipe: Recipe, workers: int) -> None:
    """Render what is missing of a split, with a progress bar.

    Args:
        split: where, and how many.
        recipe: of the set.
        workers: processes; 1 renders in this one.

    Raises:
        OSError: no space left, or a worker was killed.
        KeyboardInterrupt: what is finished stays, and the next call goes on.
    """
    chunks = split.missing()
    if chunks:
        with tqdm(total=split.count, desc=split.name, unit=" people", disable=None) as progress:
            progress.update(max(0, split.count - len(chunks) * CHUNK))
            done = map(_work, ((split, recipe, chunk) for chunk in chunks))
            for people in done if workers == 1 else _side_by_side(split, recipe, chunks, workers):
                progress.update(people)
    split.finish()


def _work(job: tuple[Split, Recipe, int]) -> int:
    split, recipe, chunk = job
    return split.save(chunk, list(shoot(recipe, split.number, chunk)))


def _side_by_side(split: Split, recipe: Recipe, chunks: list[int], workers: int) -> Iterator[int]:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare)
    waiting = iter(chunks)
    running: set[Future[int]] = set()
    try:
        while True:
            # Few at a time, so that an interrupt has little to wait for.
            while len(running) < 2 * workers and (chunk := next(waiting, None)) is not None:
                running.add(pool.submit(_work, (split, recipe, chunk)))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise OSError(
            "a rendering process was killed, most likely for memory: go on with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def prepare_machine() -> None:
    """Let anny fill its cache before several processes want to: a minute, once on a machine."""
    from anny.paths import get_anny_cache_path

    if not any(get_anny_cache_path().rglob("build_compact_model_data*")):
        log.info("preparing the body model, once on this machine: about a minute ...")
        body_model()


def _prepare() -> None:
    # An interrupt is for the parent, which lets the workers finish their chunk.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # One thread each: the processes are the parallelism.
    os.environ["OMP_NUM_THREADS"] = "1"
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
