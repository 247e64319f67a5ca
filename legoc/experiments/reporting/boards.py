"""A page of runs of several data sets: the leaderboard, then each set as its own page has it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from legoc.experiments.boards import Board
from legoc.experiments.reporting.figures import write_figure
from legoc.experiments.reporting.markup import items, paragraph, plain, said, section, table
from legoc.experiments.reporting.material import Material
from legoc.experiments.reporting.page import write_document, write_sections
from legoc.experiments.reporting.summary import count, stamp
from legoc.experiments.table_forms import cells, columns


def write_board_page(
    board: Board, parts: Sequence[tuple[str, Material]], title: str, when: datetime | None = None
) -> str:
    """The page as a text. parts: what is told of each data set that has figures."""
    bodies = [write_leaderboard(board)]
    links = ['<a href="#leaderboard">Leaderboard</a>']
    for place, (data, material) in enumerate(parts, start=1):
        own = f"data{place}"
        links.append(f'<a href="#{own}">{plain(data)}</a>')
        bodies.append(f'<h2 id="{own}">{plain(data)}</h2>{prefixed(write_sections(material), own)}')
    head = write_board_head(parts, title, when or datetime.now(UTC))
    return write_document(title, head, "".join(links), "\n".join(bodies))


def prefixed(body: str, before: str) -> str:
    """The sections of one data set; the names of its places would be those of every other."""

    def each(found: "re.Match[str]") -> str:
        names = " ".join(f"{before}-{name}" for name in found[2].split())
        return f'{found[1]}="{names}"'

    body = re.sub(r'\b(id|aria-labelledby|aria-describedby)="([^"]+)"', each, body)
    return re.sub(r'(url\(|href=")#', rf"\1#{before}-", body)


def write_board_head(
    parts: Sequence[tuple[str, Material]], title: str, when: datetime
) -> str:  # fmt: skip
    runs = sum(len(s.results) for _, material in parts for s in material.systems)
    told = [f"{count(runs, 'run')} on {count(len(parts), 'data set')}"]
    made = dict.fromkeys(stamp(material, when) for _, material in parts)
    return f"<header><h1>{plain(title)}</h1>{''.join(map(paragraph, (*told, *made)))}</header>"


def write_leaderboard(board: Board) -> str:
    """One metric by data set; published rows in italics."""
    from legoc.experiments.boards import PUBLISHED

    rows = [cells(board, row, write_figure, plain) for row in board.rows]
    classes = ["" if row.seeds else "free" for row in board.rows]
    legend = [said(f"{text[0].upper()}{text[1:]}.") for text in board.legend()]
    if any(row.name.endswith(PUBLISHED) for row in board.rows):
        legend.append("Rows in italics are published, counted, or not here.")
    return section(
        "leaderboard", "Leaderboard",
        table(board.part, [plain(t) for t in columns(board)], rows, classes=classes),
        items(legend, "legend"),
    )  # fmt: skip
