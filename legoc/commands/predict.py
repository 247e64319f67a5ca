"""`legoc predict`: the scores of a part of the data, as rows or as a submission."""

import sys
from argparse import ArgumentParser, Namespace

from legoc.commands.chosen_runs import chosen_folder
from legoc.commands.console import choose
from legoc.commands.flags import Command, caches, finds_data, runs
from legoc.commands.output import opened


def predict_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="BUNDLE|RUN", help="a folder, or the name of a point that was trained"
    )
    parser.add_argument(
        "--split", choices=("train", "valid", "test", "predict"), default="predict",
        help="the part of the data (default: predict, the one without labels)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True,
        help=".parquet, .csv, .tsv or .jsonl: a row per candidate; .zip: ranks per impression, as "
        "MIND and EB-NeRD take them",
    )  # fmt: skip
    finds_data(parser)
    caches(parser)
    runs(parser)


def run_predict(arguments: Namespace) -> int:
    from legoc.evaluation.predicted import ending_of
    from legoc.evaluation.public import predict

    ending = ending_of(arguments.output)
    folder = chosen_folder(arguments)
    with opened(arguments.output) as made:
        found = predict(
            folder, split=arguments.split, ending=ending, cache=arguments.cache,
            data=arguments.data, progress=choose(arguments.quiet),
        )  # fmt: skip
        found.write(made, ending)
    print(f"{arguments.output}: {len(found.scores):,} scores", file=sys.stderr)
    return 0


COMMANDS = {"predict": Command(predict_flags, run_predict)}
