"""A distribution as bars of inline SVG: each with its range before it and its count behind it."""

from html import escape

from legoc.data.survey.portrait import Histogram


# Pixels: of the whole, of the names before the bars and the numbers behind them, and of a row.
WIDTH, BEFORE, BEHIND, ROW = 360, 96, 62, 18


def chart(name: str, histogram: Histogram, axes: tuple[str, str], said: str) -> str:
    """The longest bar takes the whole room. axes: what ranges and counts are of."""
    tallest = max(histogram.counts, default=0) or 1
    total = sum(histogram.counts) or 1
    room = WIDTH - BEFORE - BEHIND
    bars = [
        f'<text class="axis" x="{BEFORE - 6}" y="12" text-anchor="end">{escape(axes[0])}</text>'
        f'<text class="axis" x="{BEFORE}" y="12">{escape(axes[1])}</text>'
    ]
    for place, (label, value) in enumerate(
        zip(histogram.labels, histogram.counts, strict=True), start=1
    ):
        length = room * value / tallest
        middle = ROW * place + 13
        bars.append(
            f'<text x="{BEFORE - 6}" y="{middle}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{BEFORE}" y="{ROW * place + 2}" width="{length:.1f}" height="{ROW - 4}">'
            f"<title>{escape(label)}: {value:,}, {value / total:.1%}</title></rect>"
            f'<text x="{BEFORE + length + 5:.1f}" y="{middle}">{value:,}</text>'
        )
    height = ROW * (len(histogram.counts) + 1) + 4
    return (
        f"<figure><figcaption><b>{escape(name)}</b>: {escape(said)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(f"{name}: {said}")}">{"".join(bars)}</svg></figure>'
    )
