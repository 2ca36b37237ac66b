"""Torso sizes in shoulder widths."""

from benchmarks import torso_sizes


def test_a_line_for_each_definition(tiny_lsp, capsys):
    torso_sizes.main([f"lsp:{tiny_lsp}"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["across", "diagonals", "midline"]
    assert all("24 people, median" in line for line in lines)
