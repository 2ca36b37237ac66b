"""Small rendered sets, and what is in them."""

from pathlib import Path

from blazepose.synthetic.dataset import workers
from blazepose.synthetic.dataset.starter import render_set


def contents(folder: Path) -> dict[str, bytes]:
    """{path: bytes} of every file below a folder but the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def small(folder: Path, num: int = 3, val: int = 0, **options) -> Path:
    """A set of tiny pictures, in this process."""
    render_set(folder, num=num, val=val, **{"size": 64, "workers": 1} | options)
    return folder


def stop_at(monkeypatch, chunk: int, error: BaseException) -> None:
    """Make rendering raise an error at a chunk, after its third picture."""
    real = workers.shoot

    def shoot(recipe, split, number):
        for k, shot in enumerate(real(recipe, split, number)):
            if number == chunk and k == 3:
                raise error
            yield shot

    monkeypatch.setattr(workers, "shoot", shoot)
