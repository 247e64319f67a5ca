"""What a check says of a source's candidates is what its tables are found to hold."""

import random

import pytest

from legoc.data.indexing.tables import convert
from legoc.data.sources.demo import Demo
from legoc.data.sources.lastfm import LastFM
from legoc.data.sources.movielens import MovieLens
from legoc.language.declaring.catalog import catalog
from legoc.language.ir.negatives import TESTED, find_difference
from legoc.language.ir.spec import Call
from legoc.language.typing.recipes import find_candidates
from tests.data.clickstreams import LEAVE, write


KINDS = {
    "Adressa": "drawn", "AmazonBooks": "rated", "AmazonCDs": "rated",
    "AmazonElectronics": "rated", "Demo": "shown", "EBNeRD": "shown",
    "Goodreads": "rated", "HM": "drawn", "HotelRec": "rated", "LastFM": "drawn", "MIND": "shown",
    "MicroLens": "drawn", "MovieLens": "rated", "Netflix": "rated", "PENS": "shown",
    "POG": "drawn", "Yelp": "rated", "xMIND": "shown",
}  # fmt: skip


def test_every_source_that_can_tell_declares_it():
    """Steam and own tables tell it in their files, a library's output does not tell it at all."""
    declared = {d.name: d.facts.get("candidates") for d in catalog().role("source")}
    unknown = {"Steam", "Tables", "Legommenders", "RecBench"}
    assert declared == {**KINDS, **dict.fromkeys(unknown)}


@pytest.mark.parametrize("negatives", [0, 3])
def test_it_is_what_the_tables_hold(tmp_path, negatives):
    rng = random.Random(1)
    films = "".join(f"{i},film {i},Drama\n" for i in range(1, 30))
    stars = "".join(
        f"{u},{rng.randrange(1, 30)},{rng.choice((1, 5))}.0,{10**9 + n}\n"
        for n, u in enumerate(rng.randrange(9) for _ in range(200))
    )
    lens = write(
        tmp_path / "lens",
        movies__csv=f"movieId,title,genres\n{films}",
        ratings__csv=f"userId,movieId,rating,timestamp\n{stars}",
    )
    artists = "".join(f"{i}\tartist {i}\tu\tp\n" for i in range(1, 30))
    heard = "".join(f"{u}\t{rng.randrange(1, 30)}\t1\n" for u in range(9) for _ in range(12))
    het = write(
        tmp_path / "het",
        artists__dat=f"id\tname\turl\tpictureURL\n{artists}",
        user_artists__dat=f"userID\tartistID\tweight\n{heard}",
    )
    for source, folder in ((MovieLens, lens), (LastFM, het)):
        given = {"path": str(folder), "negatives": negatives}
        tables = convert(source(source.Config(**given)), LEAVE, tmp_path / "cache")
        declared = source.declaration.facts["candidates"]
        found = find_candidates(declared, Call(op=source.declaration.name, args=given))
        assert (found or "none") == tables.report.candidates


def test_demo_shows_its_candidates(tmp_path):
    config = Demo.Config(items=100, users=20, impressions=100)
    split = Call(op="publisher", args={})
    tables = convert(Demo(config, cache=tmp_path), split, tmp_path)
    assert find_candidates(Demo.declaration.facts["candidates"], Call(op="Demo", args={})) == (
        tables.report.candidates
    )


@pytest.mark.parametrize("candidates", [*TESTED, "given", ""])
@pytest.mark.parametrize(
    "pool", ["impression", "uniform", "popularity", "category", "batch", "mixed"]
)
def test_kinds_by_hand(candidates, pool):
    """Drawn candidates are like uniform negatives, and like those corrected to count as uniform;
    all others are like the log's own."""
    found = find_difference(Call(op="matching", args={"negatives": 4, "pool": pool}), candidates)
    alike = {
        "shown": {"impression"}, "rated": {"impression"}, "rated and drawn": {"impression"},
        "drawn": {"impression", "uniform", "batch", "mixed"},
    }  # fmt: skip
    assert (found is None) == (pool in alike.get(candidates, {pool}))
    assert (
        found is None
        or find_difference(
            Call(op="matching", args={"negatives": 4, "pool": found.remedy.removeprefix("pool=")}),
            candidates,
        )
        is None
    )
