"""Counts and times, as Prometheus reads them: text, one line a value."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from threading import Lock


SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Histogram:
    """How many observations are at most so large, for each bound, their sum and their count."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def see(self, value: float) -> None:
        place = next((n for n, bound in enumerate(self.bounds) if value <= bound), -1)
        self.counts[place] += 1
        self.sum += value

    def lines(self, name: str, labels: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            total += count
            inner = ",".join(filter(None, [labels, f'le="{bound}"']))
            yield f"{name}_bucket{{{inner}}} {total}"
        outer = f"{{{labels}}}" if labels else ""
        yield f"{name}_sum{outer} {self.sum:.6f}"
        yield f"{name}_count{outer} {total}"


class Measures:
    """What a server has done since it started. Safe to use from several threads."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.requests: dict[tuple[str, int], int] = defaultdict(int)
        self.seconds: dict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS))
        self.joined = Histogram(SIZES)
        self.counts: dict[str, int] = {"unknown_clicks": 0, "cold_users": 0, "swaps": 0}

    def answered(self, route: str, status: int, seconds: float) -> None:
        with self.lock:
            self.requests[route, status] += 1
            self.seconds[route].see(seconds)

    def together(self, size: int) -> None:
        with self.lock:
            self.joined.see(size)

    def count(self, name: str, more: int = 1) -> None:
        with self.lock:
            self.counts[name] += more

    def text(self, *, items: int, waiting: int) -> str:
        with self.lock:
            return "\n".join(self.lines(items, waiting)) + "\n"

    def lines(self, items: int, waiting: int) -> Iterator[str]:
        yield "# HELP legoc_requests_total Answered requests."
        yield "# TYPE legoc_requests_total counter"
        for (route, status), count in sorted(self.requests.items()):
            yield f'legoc_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# HELP legoc_request_seconds Time from a request's last byte to its answer."
        yield "# TYPE legoc_request_seconds histogram"
        for route, histogram in sorted(self.seconds.items()):
            yield from histogram.lines("legoc_request_seconds", f'route="{route}"')
        yield "# HELP legoc_joined_requests Requests that were answered together."
        yield "# TYPE legoc_joined_requests histogram"
        yield from self.joined.lines("legoc_joined_requests", "")
        told = {
            "unknown_clicks": "Clicks on items that the bundle does not know.",
            "cold_users": "Answers for users of whom nothing is known.",
            "swaps": "Bundles that took the place of another.",
        }
        for name, help in told.items():
            yield f"# HELP legoc_{name}_total {help}"
            yield f"# TYPE legoc_{name}_total counter"
            yield f"legoc_{name}_total {self.counts[name]}"
        for name, help, value in (
            ("items", "Items that can be recommended.", items),
            ("waiting", "Requests that wait for an answer.", waiting),
        ):
            yield f"# HELP legoc_{name} {help}"
            yield f"# TYPE legoc_{name} gauge"
            yield f"legoc_{name} {value}"
