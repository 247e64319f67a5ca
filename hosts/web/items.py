"""Write what the items of a bundle say, one JSON object per line, for the page to show.

python hosts/web/items.py BUNDLE > items.jsonl

A bundle has the ids and vectors of its items, not their texts; these are read from the data that
the model was trained with, where it is found as in training.
"""

import json
import sys
from pathlib import Path

from legoc.data import prepare
from legoc.language import load


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("error: one folder is needed; python hosts/web/items.py BUNDLE > items.jsonl")
    (spec,) = load(Path(sys.argv[1]) / "model.lego")
    prepared = prepare(spec)
    for record in prepared.item_records(range(1, len(prepared.items))):
        record["id"] = record.pop("item_id")
        print(json.dumps(record, ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
