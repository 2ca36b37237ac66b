"""Helpers of the speed benchmark."""

from torch.utils.tensorboard import SummaryWriter

from benchmarks.speed import absolute_paths, logged_rates


def test_rates_of_thousands_are_not_rounded(tmp_path):
    """A progress bar would show 5.23e+03."""
    with SummaryWriter(str(tmp_path)) as writer:
        for step, rate in enumerate((4891.0, 5234.0)):
            writer.add_scalar("train/images_per_second", rate, step)
    assert logged_rates(tmp_path) == [4891.0, 5234.0]


def test_paths_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["data.train=['lsp:my set:train',coco:/abs]", "data.val=lsp:x", "data.negatives=[empty]"]
    assert absolute_paths(arguments) == [
        f"data.train=['lsp:{tmp_path}/my set:train','coco:/abs']",
        f"data.val=['lsp:{tmp_path}/x']",
        f"data.negatives=['{tmp_path}/empty']",
    ]
