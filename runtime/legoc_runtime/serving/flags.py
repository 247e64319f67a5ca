"""The flags of the server, which load nothing."""

import argparse

from legoc_runtime.serving.limits import Limits


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What both commands take beside the bundle."""
    most = Limits()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen at (8000)")
    parser.add_argument(
        "--threads", type=int, default=2, metavar="N", help="calls of the model at a time (2)"
    )
    parser.add_argument(
        "--catalogue", metavar="FILE",
        help="keep the items there: read at the start, written at the end and by POST /items/save",
    )  # fmt: skip
    parser.add_argument(
        "--window", type=float, default=1000 * most.window, metavar="MS",
        help="milliseconds in which requests are answered together (2); 0 answers each alone",
    )  # fmt: skip
    parser.add_argument(
        "--body", type=int, default=most.body, metavar="BYTES",
        help="the largest request (8388608)",
    )  # fmt: skip
    parser.add_argument("--k", type=int, default=most.k, help="the most items asked for (1000)")
    parser.add_argument(
        "--waiting", type=int, default=most.waiting, metavar="N",
        help="requests that may wait; more are told to come again (1024)",
    )  # fmt: skip
