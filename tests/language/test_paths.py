"""Absolute paths in texts that leave the machine."""

import pytest

from legoc.language.diagnosing.paths import shorten_paths


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ('source = MIND(path="/home/ann/data/MINDsmall")', 'source = MIND(path="…/MINDsmall")'),
        ("`~/x/y.tsv` is missing", "`…/y.tsv` is missing"),
        (r'path="C:\data\mind\"', 'path="…/mind"'),
        (r'path="\\server\share\m"', 'path="…/m"'),
        ('file="vectors/glove.txt"', 'file="vectors/glove.txt"'),
        ("/home/ann/raw/news.tsv:17: N9", "…/news.tsv:17: N9"),
        ("read (/data/x/y.csv), known/new", "read (…/y.csv), known/new"),
        (r"D:\raw\clicks.csv is empty", "…/clicks.csv is empty"),
        ("train/news.tsv:17 and https://a.org/b/c", "train/news.tsv:17 and https://a.org/b/c"),
        ("a / b, 1/2/3, </p>", "a / b, 1/2/3, </p>"),
        ('join="a / b" then "c / d"', 'join="a / b" then "c / d"'),
    ],
)
def test_absolute_paths_are_cut(text: str, short: str) -> None:
    assert shorten_paths(text) == short
