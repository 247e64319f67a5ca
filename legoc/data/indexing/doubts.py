"""What a user should change or know before training on converted tables, told by their counts: each
doubt is one sentence with what to write."""

from legoc.data.staging.report import Part, Report
from legoc.data.staging.source import Extracted, Ratings
from legoc.language.ir.spec import Call


def doubt(report: Report, extracted: Extracted, split: Call) -> tuple[str, ...]:
    """The warnings of tables that were just converted."""
    found = [*lacking_parts(report, extracted, split)]
    feedback, train = extracted.feedback, report.parts.get("train")
    if feedback is not None and feedback.graded and train is not None:
        found += one_class(train, extracted.ratings, feedback.neutral)
    if extracted.ratings is not None:
        found += unrated(extracted.ratings)
    return tuple(found)


def lacking_parts(report: Report, extracted: Extracted, split: Call) -> list[str]:
    """Parts that the split was asked for and that got no rows."""
    wanted = ["valid", "test"]
    if split.op == "publisher" and any(part.named for part in extracted.parts):
        # Two parts of one's own may be train and valid; of train and test, valid is cut.
        there = {part.name for part in extracted.parts}
        wanted = ["valid", *(["test"] if "test" in there else [])]
    lack = {
        "valid": "early stopping and the best epoch have nothing to go by",
        "test": "there is nothing to measure on",
    }
    return [
        f"the part {part} is empty under `split = {split.op}`: {lack[part]}; write another split, "
        "or larger shares"
        for part in wanted
        if part not in report.parts and split.args.get(part, 1) != 0
    ]


def one_class(train: Part, ratings: Ratings | None, neutral: float | None) -> list[str]:
    """Labels of which all say the same."""
    if train.clicks not in (0, train.rows):
        return []
    every = train.clicks > 0
    if ratings is None:
        setting = "label" if neutral is None else f"neutral={neutral:g}"
        what = "every labelled row of train is a click" if every else "no row of train is a click"
        remedy = (
            f"`{setting}` decides" if neutral is not None
            else "leave the column of labels out, and non-clicks are drawn" if every
            else "name the column that says what was clicked"
        )  # fmt: skip
        return [f"{what}: {remedy}"]
    scale = f"ratings are {ratings.low:g} to {ratings.high:g}"
    side = "every rating is above" if every else "no rating is above"
    follows = "every row is a click" if every else "nothing is a click"
    if ratings.low == ratings.high:
        scale = f"all ratings are {ratings.low:g}"
        remedy = f"take the column `{ratings.column}` out, and non-clicks are drawn"
    else:
        remedy = f"write `neutral={(ratings.low + ratings.high) / 2:g}`, or what divides them"
    return [f"{side} `neutral={ratings.neutral:g}`, so {follows} ({scale}): {remedy}"]


def unrated(ratings: Ratings) -> list[str]:
    """Ratings of 0 and less beside a scale that begins at 1."""
    if not ratings.unrated or ratings.least is None or ratings.least < 1 or ratings.high <= 1:
        return []
    return [
        f"{ratings.unrated:,} of {ratings.total:,} ratings are 0 or less beside ratings of "
        f"{ratings.least:g} to {ratings.high:g}, and count as non-clicks: do they mean `not "
        f"rated`? Then leave these rows out of the table, or `{ratings.column}` empty in them"
    ]
