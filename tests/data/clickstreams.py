"""What the tests of click streams share: reading a source, and the slow reading of a stream."""

from legoc.data.indexing.tables import convert
from legoc.language.ir.spec import Call


LEAVE = Call(op="leave_one_out", args={})


def read(source, root, cache, split=LEAVE, **settings):
    """The tables of a folder; no negatives unless asked for, so that clicks stand alone."""
    config = source.Config(path=str(root), **{"negatives": 0, **settings})
    return convert(source(config), split, cache)


def write(root, **files):
    """Files by name, `__` for the dot, in a folder."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        raw = text if isinstance(text, bytes) else text.encode()
        (root / name.replace("__", ".")).write_bytes(raw)
    return root


def rows_of(tables):
    """(user, history, item, label, split) of every row, in a fixed order."""
    histories = {
        h: (u, tuple(c)) for h, u, c in tables.histories().itertuples(index=False, name=None)
    }
    names = ["history_id", "item_id", "label", "split"]
    frame = tables.interactions()[names]
    return sorted((*histories[h], i, int(y), s) for h, i, y, s in frame.itertuples(index=False))


def slow_rows(clicks):
    """The same under leave_one_out by plain loops; clicks are (user, item, time) with any equal
    times of a user as one moment."""
    found = []
    for user in sorted({user for user, _, _ in clicks}):
        own = [(time, item) for name, item, time in clicks if name == user]
        moments = sorted({time for time, _ in own})
        for place, moment in enumerate(moments):
            # Sorting is stable: what has one time keeps the order of the file.
            past = [item for time, item in sorted(own, key=lambda c: c[0]) if time < moment]
            back = len(moments) - place
            split = {1: "test", 2: "valid"}.get(back, "train") if len(moments) >= 3 else "train"
            found += [(user, tuple(past), item, 1, split) for t, item in own if t == moment]
    return sorted(found)


def losses(tables):
    """Count and first place by reason."""
    return {d.reason: (d.count, d.examples[0] if d.examples else "") for d in tables.report.drops}
