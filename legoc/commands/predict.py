"""`legoc predict`: the scores of a part of the data, as rows or as a submission."""

import sys
from argparse import ArgumentParser, Namespace

from legoc.commands.console import choose
from legoc.commands.flags import Command, caches
from legoc.commands.output import opened


def predict_flags(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="BUNDLE|RUN")
    parser.add_argument(
        "--split", choices=("train", "valid", "test", "predict"), default="predict",
        help="the part of the data (default: predict, the one without labels)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True,
        help=".parquet, .csv, .tsv or .jsonl: a row per candidate; .zip: ranks per impression, as "
        "MIND and EB-NeRD take them",
    )  # fmt: skip
    parser.add_argument(
        "--data", metavar="FOLDER", default=None,
        help="where the files and folders that the spec names are found",
    )  # fmt: skip
    caches(parser)


def run_predict(arguments: Namespace) -> int:
    from legoc.evaluation.predicted import ending_of
    from legoc.evaluation.public import predict

    ending = ending_of(arguments.output)
    with opened(arguments.output) as made:
        found = predict(
            arguments.folder, split=arguments.split, ending=ending, cache=arguments.cache,
            data=arguments.data, progress=choose(arguments.quiet),
        )  # fmt: skip
        found.write(made, ending)
    print(f"{arguments.output}: {len(found.scores):,} scores", file=sys.stderr)
    return 0


COMMANDS = {"predict": Command(predict_flags, run_predict)}
