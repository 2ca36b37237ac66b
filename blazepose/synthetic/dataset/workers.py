"""Render on several processes; the images do not depend on their number."""

import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import cv2
import torch
from anny.paths import get_anny_cache_path
from tqdm import tqdm

from blazepose.exceptions import FileError
from blazepose.image import ImageError
from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk

log = logging.getLogger(__name__)

_MAX_WORKERS = 16
"""Chosen: a worker takes a gigabyte of memory."""


def announce_first_use() -> None:
    """Log that anny has to fill its cache, if no cache exists yet."""
    if not any(get_anny_cache_path().rglob("build_compact_model_data*")):
        log.info("preparing the body model (once on this machine, about a minute) ...")


def render_split(split: Split, recipe: Recipe, workers: int) -> None:
    """Render the missing images of a split, with a progress bar.

    Args:
        split: folder, name and number of images.
        recipe: recipe of the set.
        workers: processes; 1 renders in this one.

    Raises:
        OSError: if no space is left, or a worker was killed.
        KeyboardInterrupt: finished chunks stay, and the next call resumes.
    """
    chunks = split.missing_chunks()
    if chunks:
        with tqdm(total=split.count, desc=split.name, unit=" people", disable=None) as progress:
            progress.update(max(0, split.count - len(chunks) * CHUNK))
            render = _render_serial if workers == 1 else _render_parallel
            for people in render(split, recipe, chunks, workers):
                progress.update(people)
    split.finish()


def default_workers() -> int:
    """Return the number of cores this process may use, limited by the memory that workers take."""
    return min(len(os.sched_getaffinity(0)), _MAX_WORKERS)


def _render_job(job: tuple[Split, Recipe, int]) -> int:
    split, recipe, chunk = job
    return split.save(chunk, list(render_chunk(recipe, split.index, chunk)))


def _render_serial(split: Split, recipe: Recipe, chunks: list[int], _: int) -> Iterator[int]:
    # As in a worker: sums over several threads differ in their last bits.
    threads = torch.get_num_threads(), cv2.getNumThreads()
    _use_one_thread()
    try:
        for chunk in chunks:
            yield _render_job((split, recipe, chunk))
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])


def _render_parallel(split: Split, recipe: Recipe, chunks: list[int], workers: int) -> Iterator[int]:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_init_worker)
    pending = iter(chunks)
    running: set[Future[int]] = set()
    try:
        while True:
            # Few at a time, so that an interrupt waits for few chunks.
            while len(running) < 2 * workers and (chunk := next(pending, None)) is not None:
                running.add(pool.submit(_render_job, (split, recipe, chunk)))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except (OSError, ImageError) as error:
        # Raised anew, without the worker's traceback; an error of the system keeps its errno.
        raise type(error)(*error.args) from error
    except BrokenProcessPool as error:
        raise FileError(
            "a rendering process was killed; if memory ran out, run `blazepose synth` with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _init_worker() -> None:
    # Only the parent handles an interrupt; workers finish their chunk.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _use_one_thread()


def _use_one_thread() -> None:
    # The processes are the parallelism.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
