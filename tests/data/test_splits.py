"""Every split against plain Python, on a log whose impressions are easy to follow."""

import hashlib
from datetime import datetime, timedelta

import pytest

from legoc.data.splitting.splits import CHOICES
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.language.ir.spec import Call


def lines(part, count, users, first):
    begin = datetime(2019, 11, 1)
    rows = []
    for number in range(count):
        moment = begin + timedelta(minutes=37 * ((number * 7919) % count) + first)
        text = f"{moment.month}/{moment.day}/{moment.year} {moment.strftime('%I:%M:%S %p')}"
        rows.append((str(number), f"U{(number * 13) % users}", text, "N1", "N3-1 N4-0"))
    return rows


@pytest.fixture
def logs():
    return {"train": lines("train", 50, 11, 0), "dev": lines("dev", 20, 11, 10**5)}


@pytest.fixture
def folder(write_mind, logs):
    texts = {
        f"{part}_behaviors": "".join("\t".join(row) + "\n" for row in rows)
        for part, rows in logs.items()
    }
    return write_mind(**texts)


def assigned(tables):
    frame = tables.interactions()
    found = frame.groupby("impression_id")["split"].agg(set)
    assert all(len(one) == 1 for one in found)  # an impression is never divided
    return {name: one.pop() for name, one in found.items()}


def impressions(logs, parts=("train", "dev")):
    found = []
    for part in parts:
        for number, user, time, *_ in logs[part]:
            moment = datetime.strptime(time, "%m/%d/%Y %I:%M:%S %p")
            found.append((f"{part}/{number}", user, moment))
    return found


def test_publisher_keeps_the_second_part_and_cuts_the_first_by_time(folder, logs, read_mind):
    ordered = sorted(impressions(logs, ["train"]), key=lambda one: one[2])
    expected = {
        name: "valid" if place >= 45 else "train" for place, (name, *_) in enumerate(ordered)
    }
    expected |= {name: "test" for name, *_ in impressions(logs, ["dev"])}
    assert assigned(read_mind(folder)) == expected


def test_time_cuts_the_whole_log(folder, logs, read_mind):
    ordered = sorted(impressions(logs), key=lambda one: one[2])
    expected = {
        name: "train" if place < 49 else "valid" if place < 63 else "test"
        for place, (name, *_) in enumerate(ordered)
    }
    call = Call(op="time", args={"valid": 0.2, "test": 0.1})
    assert assigned(read_mind(folder, call)) == expected


def test_everything_at_the_cut_belongs_to_the_later_split(write_mind, read_mind):
    row = "{}\tU{}\t11/{}/2019 9:00:00 AM\tN1\tN3-1 N4-0\n"
    text = "".join(row.format(n, n, 1 if n < 4 else 2) for n in range(10))
    tables = read_mind(
        write_mind(train_behaviors=text, dev_behaviors=row.format(0, 0, 2)),
        Call(op="time", args={"valid": 0.0, "test": 0.1}),
    )
    assert list(assigned(tables).values()).count("test") == 7


def test_user_keeps_users_apart(folder, logs, read_mind):
    users = sorted(
        {user for _, user, _ in impressions(logs)},
        key=lambda user: hashlib.md5(user.encode()).hexdigest(),
    )
    place = {user: number for number, user in enumerate(users)}
    expected = {
        name: "test" if place[user] < 2 else "valid" if place[user] < 5 else "train"
        for name, user, _ in impressions(logs)
    }
    tables = read_mind(folder, Call(op="user", args={"valid": 0.3, "test": 0.2}))
    assert assigned(tables) == expected
    assert "training period" in tables.report.notes[0]


def test_leave_one_out_takes_the_last_two_impressions(folder, logs, read_mind):
    expected = {}
    for user in {user for _, user, _ in impressions(logs)}:
        mine = sorted((one for one in impressions(logs) if one[1] == user), key=lambda one: one[2])
        names = [name for name, *_ in mine]
        expected |= dict.fromkeys(names, "train")
        if len(names) >= 3:
            expected |= {names[-1]: "test", names[-2]: "valid"}
    tables = read_mind(folder, "leave_one_out")
    assert assigned(tables) == expected
    assert "leaks" in tables.report.notes[0]


def test_unlabelled_parts_are_predict_under_every_split(write_mind, read_mind):
    root = write_mind(test=True)
    calls = [
        Call(op="publisher"), Call(op="leave_one_out"),
        Call(op="time", args={"valid": 0.1, "test": 0.1}),
        Call(op="user", args={"valid": 0.2, "test": 0.2}),
    ]  # fmt: skip
    assert {call.op for call in calls} == set(CHOICES)
    for call in calls:
        found = assigned(read_mind(root, call))
        assert {name for name, split in found.items() if split == "predict"} == {"test/1", "test/2"}


def test_three_labelled_parts_stay_as_published(write_mind, read_mind):
    root = write_mind(test=True)
    path = root / "test" / "behaviors.tsv"
    path.write_text("1\tU7\t11/20/2019 9:05:58 AM\tN1\tN8-1 N3-0\n")
    for name, split in assigned(read_mind(root)).items():
        assert split == {"train": "train", "dev": "valid", "test": "test"}[name.split("/")[0]]


def test_a_split_that_leaves_no_training_rows_is_refused(write_mind, read_mind, tmp_path):
    root = write_mind()
    for call, said in (
        (Call(op="time", args={"valid": 0.6, "test": 0.4}), "leaves nothing for training"),
        (Call(op="user", args={"valid": 0.6, "test": 0.4}), "leaves nothing for training"),
    ):
        with pytest.raises(LegoError, match=said) as error:
            read_mind(root, call)
        assert error.value.diagnostics[0].code == "E0623"
    (root / "dev").rename(tmp_path / "elsewhere")
    with pytest.raises(LegoError, match="two or three labelled parts") as error:
        read_mind(root)
    assert error.value.diagnostics[0].code == "E0623"
    assert not list((tmp_path / "cache").glob("tables/*"))
