"""Last.fm: what people listened to, as plays with times (1K) or artists with weights (HetRec)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from legoc.data.formats.delimited import read_split
from legoc.data.formats.opened import decode, find_file, missing_file, need_file, read_lines
from legoc.data.formats.times import read_iso
from legoc.data.staging.clicked import Clicked
from legoc.data.staging.clicks import build_clicks
from legoc.data.staging.first_records import OTHER, POLICY, build_users
from legoc.data.staging.graded import scan, stage_items, stage_log, stage_users
from legoc.data.staging.losses import Losses
from legoc.data.staging.report import Drop
from legoc.data.staging.source import Extracted, Feedback, Published
from legoc.language.declaring.declare import Attribute, operator
from legoc.language.diagnosing.diagnostics import fail
from legoc.progress import Progress


if TYPE_CHECKING:
    import duckdb


PAGE = "http://ocelma.net/MusicRecommendationDataset (1K) or https://grouplens.org/datasets/hetrec-2011"
LICENCE = "Last.fm data is for non-commercial use."
PLAYS = "userid-timestamp-artid-artname-traid-traname.tsv"
PROFILES = "userid-profile.tsv"
COLUMNS = ("user id", "timestamp", "artist id", "artist", "track id", "track")
PROFILE = ("user id", "gender", "age", "country", "registered")


@operator(
    "source",
    "LastFM",
    version=1,
    paper="LastFM",
    primary="path",
    attributes=(
        Attribute(name="track", kind="text", length=12),
        Attribute(name="artist", kind="text", length=8),
    ),
    users=(
        Attribute(name="gender", kind="category", length=1),
        Attribute(name="age", kind="number", length=10),
        Attribute(name="country", kind="category", length=1),
    ),
    group="user",
    splits=("recbench", "legommenders"),
    content="[track, artist]",
    facts={
        "page": PAGE,
        "licence": LICENCE,
        "candidates": "drawn",
        "untimed": ["user_artists.dat", PLAYS],
    },
)
class LastFM(Clicked):
    """Last.fm, the 1K set of plays or the HetRec 2K set of artists, without impressions.

    The folder holds `userid-timestamp-artid-artname-traid-traname.tsv` and, if wanted,
    `userid-profile.tsv`; or `artists.dat` and `user_artists.dat`. A track without an id is known by
    the names of artist and track. HetRec has no times: it is split by user unless the
    spec says otherwise, the order of a user's artists is taken for time, and its items have no
    `track`.
    """

    example = 'source = LastFM("raw/lastfm-dataset-1K")'
    licence = LICENCE

    def files(self) -> Sequence[Path]:
        root = Path(self.config.path)
        plays = find_file(root, [PLAYS])
        if plays is not None:
            people = find_file(root, [PROFILES])
            return [plays, people] if people is not None else [plays]
        log = find_file(root, ["user_artists.dat"])
        if log is None:
            raise missing_file(root / PLAYS, "Last.fm", PAGE, ("user_artists.dat",))
        return [log, need_file(root, ["artists.dat"], "Last.fm", PAGE)]

    def extract(
        self, connection: "duckdb.DuckDBPyConnection", staging: Path, progress: Progress
    ) -> Extracted:
        log, *others = self.files()
        losses = Losses()
        progress.say(f"reading {log.name} of Last.fm")
        listed, staged = staging / "items.parquet", staging / "log.parquet"
        plays = log.name.startswith(PLAYS)
        if plays:
            named = read_plays(log, listed, staged, losses)
            notes = (f"{named:,} plays without a track id are known by artist and track",)
        else:
            read_artists(log, others[0], listed, staged, losses)
            notes = ("HetRec has no times: the order of a user's artists is taken for it",)
        drops = build_clicks(
            connection, scan(listed), scan(staged), ("track", "artist"), listed=not plays
        )
        if people := others if plays else []:
            drops += add_people(connection, people[0], staging / "users.parquet", losses)
        return Extracted(
            parts=(Published(name="log", labelled=True),),
            drops=(*losses.drops(), *drops),
            notes=notes,
            order="time" if plays else "list",
            feedback=Feedback(
                graded=False, negatives=self.config.negatives, seed=self.config.seed,
                last=10, unseen=100, rows=100, text="track" if plays else "artist",
            ),
            users=bool(people),
        )  # fmt: skip


def read_plays(path: Path, listed: Path, staged: Path, losses: Losses) -> int:
    """Stage tracks and plays; how many plays name a track without an id.

    The file is newest first; times put the plays in order. A lone quote is a character, and an
    empty last column is a column. Every play says its track and artist again: only another text
    under the same id is a loss.
    """
    known: dict[str, int] = {}
    named = 0
    with (
        stage_items(listed, {"track": "text", "artist": "text"}) as items,
        stage_log(staged) as log,
    ):
        for line, fields in read_split(path, path.name, COLUMNS, losses, "log", separator="\t"):
            user, time, _, artist, track_id, track = fields
            item = track_id
            if not track_id:
                named += 1
                item = f"{artist} / {track}" if track else ""
            text = hash((track, artist))
            if item and item not in known:
                known[item] = text
                items.add(path.name, line, item, track, artist)
            elif item and known[item] != text:
                losses.add(f"item id {OTHER}", POLICY, "items", f"{path.name}:{line}: {item}")
            log.add(path.name, line, user, item, None, read_iso(time))
    return named


def read_artists(path: Path, artists: Path, listed: Path, staged: Path, losses: Losses) -> None:
    """Stage the artists of HetRec as items and whom each user listened to."""
    with stage_items(listed, {"track": "text", "artist": "text"}) as items:
        for line, (item, name, *_) in read_rows(artists, ("id", "name"), losses):
            items.add(artists.name, line, item, "", name)
    with stage_log(staged) as log:
        columns = ("userID", "artistID", "weight")
        for line, (user, item, _) in read_rows(path, columns, losses):
            log.add(path.name, line, user, item, None, None)


def read_rows(
    path: Path, columns: Sequence[str], losses: Losses
) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of a tab-separated file with a header and without quoting."""
    names: list[str] = []
    for number, raw in read_lines(path, path.name):
        fields = decode(raw, number, path.name).rstrip("\r\n").split("\t")
        if number == 1:
            names = fields
            if names[: len(columns)] != list(columns):
                raise fail(
                    "E0621",
                    f"`{path.name}` line 1 is not the header `{' '.join(columns)}`",
                    "use the publisher's file: tabs between columns, a header, no quoting",
                    notes=(f"the file is {path}",),
                )
        elif len(fields) >= len(columns):
            yield number, fields[: len(columns)]
        elif any(fields):
            place = f"{path.name}:{number}: {fields[0][:40]}"
            losses.add("row with another number of columns", "dropped", "log", place)


def add_people(
    connection: "duckdb.DuckDBPyConnection", path: Path, target: Path, losses: Losses
) -> tuple[Drop, ...]:
    """Make the table users out of `userid-profile.tsv`; what is lost of it."""
    kinds = {"gender": "text", "age": "number", "country": "text"}
    with stage_users(target, kinds) as staged:
        for line, fields in read_split(path, path.name, PROFILE, losses, "users", separator="\t"):
            user, gender, age, country, _ = fields
            if user.startswith("#"):
                continue
            number = float(age) if age.isdecimal() else None
            if age and number is None:
                place = f"{path.name}:{line}: {age[:40]}"
                losses.add("value that is not a number", "left empty", "users", place)
            staged.add(path.name, line, user, gender, number, country)
    return build_users(connection, scan(target), tuple(kinds))
