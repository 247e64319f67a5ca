"""Two systems on a log of MIND-large's size: 2,200,000 impressions, 5 metrics, 10,000 draws.

Every impression is a cluster of its own, the hardest case: with users as clusters there are fewer.
`python -m benchmarks.comparison` prints CPU seconds, the memory at most, and the same draws in a
plain loop over draws, of which a few are made.
"""

import resource
import time

import numpy as np

from legoc.evaluation.comparison import DRAWS, compare
from legoc.evaluation.measured import combine


IMPRESSIONS = 2_200_000
METRICS = 5
PLAIN = 20


def run(impressions: int = IMPRESSIONS, metrics: int = METRICS) -> None:
    rng = np.random.default_rng(0)
    ones = np.ones(impressions)
    values = [rng.random(impressions) for _ in range(metrics)]
    others = [np.clip(v + rng.normal(0, 0.1, impressions), 0, 1) for v in values]
    began, wall = time.process_time(), time.perf_counter()
    pairs = [
        (combine([(one, ones)], "higher"), combine([(other, ones)], "higher"))
        for one, other in zip(values, others, strict=True)
    ]
    found = compare(pairs)
    spent, passed = time.process_time() - began, time.perf_counter() - wall
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    began = time.process_time()
    plain = np.stack([one - other for one, other in zip(values, others, strict=True)], axis=1)
    drawn = [plain[rng.integers(0, impressions, impressions)].mean(0) for _ in range(PLAIN)]
    loop = (time.process_time() - began) / PLAIN * DRAWS
    spread = np.std([row[0] for row in drawn])
    width = found[0].interval.high - found[0].interval.low
    print(
        f"compare: {impressions:,} impressions, {metrics} metrics, {DRAWS:,} draws: "
        f"{spent:.1f} CPU seconds ({passed:.1f} of the clock), {most:.1f} GiB at most"
    )
    print(f"  drawn one by one: {loop:,.0f} CPU seconds, {loop / spent:,.0f} times as many")
    print(f"  interval {width:.2e} wide; from the draws one by one {spread * 3.92:.2e}")


if __name__ == "__main__":
    run()
