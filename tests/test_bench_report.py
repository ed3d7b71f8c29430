"""What one bench wrote stays when another one writes."""

from __future__ import annotations

from pathlib import Path

from bench.report import Results, put_section, sections


def test_a_section_is_put_in_place_of_the_one_before(tmp_path: Path) -> None:
    """Once, between its markers, and nothing around it is touched."""
    (tmp_path / "RESULTS.md").write_text("# Results\n")
    put_section(tmp_path, "trail", "## Trail\n\nold")
    put_section(tmp_path, "other", "## Other")
    put_section(tmp_path, "trail", "## Trail\n\nnew")
    text = (tmp_path / "RESULTS.md").read_text()
    assert sections(tmp_path / "RESULTS.md")["trail"] == "## Trail\n\nnew"
    assert "old" not in text
    assert text.startswith("# Results\n")
    assert text.index("## Trail") < text.index("## Other")


def test_a_run_of_the_whole_bench_keeps_what_the_trails_wrote(tmp_path: Path) -> None:
    """The rest of RESULTS.md is written anew around it."""
    put_section(tmp_path, "trail", "## Trail")
    put_section(tmp_path, "trailview", "## View")
    results = Results([], about={"Date": "today"}, loads=[], kinds={}, gaps=[])
    results.write(tmp_path)
    results.write(tmp_path)
    text = (tmp_path / "RESULTS.md").read_text()
    assert (text.count("## Trail"), text.count("## View")) == (1, 1)
    assert text.startswith("# What fleettop costs")
