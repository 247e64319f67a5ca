"""What an extraction amounts to: whether its tables are filled, and what their rows are."""

from legoc.data.staging.report import Report
from legoc.data.staging.source import Extracted
from legoc.language.diagnosing.diagnostics import fail


def ranked_within(extracted: Extracted) -> str:
    """What a source's rows are ranked within: an impression where it has them, else a user."""
    single = extracted.feedback is not None and not extracted.feedback.impressions
    return "user_id" if single else "impression_id"


def name_candidates(extracted: Extracted, protocol: bool) -> str:
    """What the non-clicks of valid and test are, as in `Report`."""
    feedback = extracted.feedback
    if feedback is None:
        # A folder that a library has processed does not tell what it drew.
        return "given" if extracted.bench is None else "shown"
    if feedback.impressions:
        return "shown"
    drawn = feedback.unseen and not feedback.graded if protocol else feedback.negatives
    if feedback.graded:
        return "rated and drawn" if drawn else "rated"
    return "drawn" if drawn else "none"


def check_filled(report: Report, extracted: Extracted) -> None:
    """Refuse tables that nothing could be trained or evaluated on."""
    notes = [
        f"{drop.count} x {drop.reason} in {drop.part}"
        + (f", such as {drop.examples[0]}" if drop.examples else "")
        for drop in extracted.drops
    ]
    if not report.items or not report.parts:
        raise fail(
            "E0625",
            f"the files of {report.source} hold {'no items' if not report.items else 'no rows'}",
            "write the ids as whole numbers or as text: `12.0` is not `12`"
            if any("without its `.0`" in note for note in notes)
            else "check that all files are of the same archive, and that ids kept their leading "
            "zeros"
            if not notes or any("unknown item" in note for note in notes)
            else "mend what the notes name: no row is left without it",
            notes=notes,
        )
    if "train" not in report.parts:
        raise fail(
            "E0623",
            "the split leaves no rows for training",
            "write another `split`, such as `split = user`",
            notes=notes,
        )
