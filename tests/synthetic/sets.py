"""Small rendered sets and their contents."""

from pathlib import Path

from blazepose.synthetic.dataset import workers
from blazepose.synthetic.dataset.render_set import render_set


def contents(folder: Path) -> dict[str, bytes]:
    """Return {path: bytes} of every file below a folder but the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def render_small(folder: Path, num: int = 3, val: int = 0, **options) -> Path:
    """Render a set of tiny images in this process."""
    render_set(folder, num=num, val=val, **{"size": 64, "workers": 1} | options)
    return folder


def stop_at(monkeypatch, chunk: int, error: BaseException) -> None:
    """Make rendering raise an error at a chunk, after its third image."""
    real = workers.render_chunk

    def render_chunk(recipe, split, index):
        for k, image in enumerate(real(recipe, split, index)):
            if index == chunk and k == 3:
                raise error
            yield image

    monkeypatch.setattr(workers, "render_chunk", render_chunk)
