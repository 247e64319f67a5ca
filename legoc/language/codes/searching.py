"""Codes of searches: E0570 and on, and E0906."""

from legoc.language.codes import Code


CODES = (
    Code(
        code="E0570",
        title="the search of another spec",
        explanation=(
            "A search is kept in a folder, so that it can go on. The one that was named holds "
            "trials of other points, ranges, data or another seed: what they say would not count "
            "here."
        ),
        bad="legoc tune a.lego --study found; legoc tune b.lego --study found",
        good="legoc tune a.lego --study found_a; legoc tune b.lego --study found_b",
    ),
    Code(
        code="E0571",
        title="a search that cannot be read",
        explanation=(
            "`study.json` or `trials.jsonl` in the folder of a search is damaged, or another "
            "version of legoc wrote it. The runs of its trials lie elsewhere and are not lost: a "
            "new search that comes to the same parameters takes them as they are."
        ),
        bad="legoc tune naml.lego --study somewhere",
        good="rm -r somewhere; legoc tune naml.lego --study somewhere",
    ),
    Code(
        code="E0572",
        title="nothing to judge trials by",
        explanation=(
            "A search compares trials by the monitor on the validation part. Here is no such part, "
            "or nothing that trains."
        ),
        bad='data mine { source = Tables("folder")  split = time(valid=0%, test=10%) }',
        good='data mine { source = Tables("folder")  split = time(valid=10%, test=10%) }',
    ),
    Code(
        code="E0573",
        title="a search that found nothing",
        explanation=(
            "Every training of the search failed, or hundreds of its proposals in a row were no "
            "models, such as heads that do not divide a width."
        ),
        bad="train base { lr in 10.0..100.0 log }",
        good="train base { lr in 1e-5..1e-2 log }",
    ),
    Code(
        code="E0574",
        title="trials that are measured differently",
        explanation=(
            "What decides how a figure is made (the monitor, the source, the split, the grouping) "
            "cannot be searched: a better figure would only be a figure of something else."
        ),
        bad="train base { monitor in {GAUC, MRR}  lr in 1e-5..1e-2 log }",
        good="train base { monitor = GAUC  lr in 1e-5..1e-2 log }",
    ),
    Code(
        code="E0575",
        title="the sampler is not installed",
        explanation=(
            "`legoc tune` proposes values with the help of optuna, which comes with the extra "
            "`tune`. Everything else works without it."
        ),
        bad="legoc tune naml.lego    # after `pip install legoc`",
        good="pip install 'legoc[tune]'",
    ),
    Code(
        code="E0906",
        title="a value that a search is to find",
        explanation=(
            "A range with `log`, fractions or units, or a set in braces, is for `legoc tune`, "
            "which looks for the best of it. What trains, compiles or prepares needs values: one, "
            "or those of an axis."
        ),
        bad="legoc train naml.lego    # with `lr in 1e-5..1e-2 log`",
        good="legoc tune naml.lego",
    ),
)
