"""A model behind an interface: what goes wrong on the way, and what is done about it."""

import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from legoc.generating import api
from legoc.generating.answering import Question, Reply
from legoc.generating.api import Client, Pace, settings_of
from legoc.generating.exchange import Busy, Closed, Refused
from legoc.language.diagnosing.diagnostics import LegoError
from tests.generating.servers import Asked, serving


SECRET = "sk-very-secret-0123456789"
ASK = ({"role": "user", "content": "how are you?"},)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FIRST", 0.01)


def client(base: str, **given: Any) -> Client:
    return Client.of(settings_of("small", base, {"retries": 3, "timeout": 5.0, **given}))


def questions(count: int) -> list[Question]:
    return [
        Question(subject=f"N{n}", messages=({"role": "user", "content": f"about N{n}"},))
        for n in range(count)
    ]


def test_what_is_sent_and_what_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGOC_API_KEY", SECRET)
    with serving(lambda asked: asked.say("fine", finish_reason="stop")) as server:
        reply = client(server.base, max=9, temperature=0.5, seed=4).ask(ASK)
    assert (reply.text, reply.tokens.read, reply.tokens.written) == ("fine", 7, 3)
    assert not reply.cut
    assert server.asked[0].body == {
        "model": "small", "messages": [dict(ASK[0])], "max_tokens": 9, "temperature": 0.5,
        "seed": 4, "stream": False,
    }  # fmt: skip
    assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEGOC_API_KEY", raising=False)
    with serving(lambda asked: asked.say("fine")) as server:
        client(server.base).ask(ASK)
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    "trouble",
    [
        lambda asked: asked.fail(429, Retry_After="0"),
        lambda asked: asked.fail(500),
        lambda asked: asked.fail(503),
        lambda asked: asked.half(),
        lambda asked: asked.hang_up(),
        lambda asked: asked.send(b"<html>not what was asked for</html>"),
        lambda asked: asked.send(b"\xff\xfe[" * 50),
        lambda asked: asked.send(b'{"choices": []}'),
        lambda asked: asked.send(b'{"choices": [{"message": {"content": 7}}]}'),
        lambda asked: asked.send(b"null"),
        lambda asked: asked.send(b"[" * 100_000),
    ],
    ids=[
        "429", "500", "503", "half", "hangs up", "html", "bytes", "no choice", "no text", "null",
        "deep",
    ],
)  # fmt: skip
def test_trouble_that_passes_is_asked_again(trouble: Any) -> None:
    def script(asked: Asked) -> None:
        trouble(asked) if asked.count < 3 else asked.say("at last")

    with serving(script) as server:
        assert client(server.base).ask(ASK).text == "at last"
    assert len(server.asked) == 3


def test_trouble_that_stays_is_given_up() -> None:
    with (
        serving(lambda asked: asked.fail(500, "out of order")) as server,
        pytest.raises(Busy, match="status 500: out of order"),
    ):
        client(server.base, retries=2).ask(ASK)
    assert len(server.asked) == 3


def test_a_late_answer_is_not_waited_for() -> None:
    def script(asked: Asked) -> None:
        if asked.count == 1:
            time.sleep(1.5)
        asked.say("in time")

    with serving(script) as server:
        began = time.monotonic()
        assert client(server.base, timeout=0.3).ask(ASK).text == "in time"
        assert time.monotonic() - began < 1.4


def test_the_waits_grow_and_heed_what_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FIRST", 0.1)

    def script(asked: Asked) -> None:
        if asked.count == 1:
            asked.fail(429, Retry_After="0.5")
        elif asked.count < 4:
            asked.fail(500)
        else:
            asked.say("now")

    with serving(script) as server:
        client(server.base).ask(ASK)
    first, second, third = (b - a for a, b in zip(server.times, server.times[1:], strict=False))
    assert first >= 0.5
    assert 0.16 <= second < third
    assert third >= 0.32


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_question_that_is_refused_is_not_asked_again(status: int) -> None:
    with (
        serving(lambda asked: asked.fail(status, "too long")) as server,
        pytest.raises(Refused, match="too long"),
    ):
        client(server.base).ask(ASK)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_server_that_refuses_all_is_not_asked_again(status: int) -> None:
    def script(asked: Asked) -> None:
        asked.fail(status, f"bad key {SECRET}", Location="http://127.0.0.1:1/elsewhere")

    with serving(script) as server, pytest.raises(Closed, match=f"status {status}"):
        client(server.base).ask(ASK)
    assert len(server.asked) == 1


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    with serving(lambda asked: asked.fail(401, f"no such key: {SECRET}")) as server:
        asking = client(server.base, key="MY_KEY")
        with pytest.raises(LegoError) as error:
            list(asking.answers(questions(4)))
    (found,) = error.value.diagnostics
    assert found.code == "E0929"
    said = repr(found) + str(error.value)
    assert SECRET not in said
    assert "`MY_KEY` is set" in said


def test_an_answer_without_an_end_is_not_read() -> None:
    def script(asked: Asked) -> None:
        asked.send(json.dumps({"choices": [{"message": {"content": "la " * 700_000}}]}).encode())

    with serving(script) as server, pytest.raises(Refused, match="more than"):
        client(server.base, max=8).ask(ASK)
    assert len(server.asked) == 1


def test_ten_thousand_tokens_are_read_and_said_to_be_cut() -> None:
    with serving(lambda asked: asked.say("la " * 10_000, finish_reason="length")) as server:
        reply = client(server.base).ask(ASK)
    assert len(reply.text.split()) == 10_000
    assert reply.cut


def test_several_questions_are_open_and_each_gets_its_answer() -> None:
    together = threading.Barrier(4)

    def script(asked: Asked) -> None:
        together.wait(30)
        asked.say(asked.question.upper())

    with serving(script) as server:
        asking = client(server.base, concurrency=4)
        found = {q.subject: reply.text for q, reply in asking.answers(questions(12))}
    assert found == {f"N{n}": f"ABOUT N{n}" for n in range(12)}
    assert server.most == 4
    assert len(server.asked) == 12


def test_a_refused_question_leaves_the_others_alone() -> None:
    def script(asked: Asked) -> None:
        asked.fail(400, "no") if "N2" in asked.question else asked.say("yes")

    with serving(script) as server:
        found = {q.subject: reply for q, reply in client(server.base).answers(questions(5))}
    assert found["N2"].refused == "status 400: no"
    assert [found[f"N{n}"].text for n in (0, 1, 3, 4)] == ["yes"] * 4


def test_a_server_that_vanishes_ends_the_work_and_keeps_what_came() -> None:
    def script(asked: Asked) -> None:
        if asked.count > 6:
            served.stop()
            asked.hang_up()
        else:
            asked.say("yes")

    came: list[str] = []
    with serving(script) as served:
        asking = client(served.base, retries=1, concurrency=2)
        with pytest.raises(LegoError) as error:
            came += [q.subject for q, _ in take(asking, 40, came)]
    assert error.value.diagnostics[0].code == "E0928"
    assert "does not answer" in error.value.diagnostics[0].message
    assert len(came) == 6


def take(asking: Client, count: int, came: list[str]) -> Iterator[tuple[Question, Reply]]:
    for question, reply in asking.answers(questions(count)):
        came.append(question.subject)
        if False:
            yield question, reply


def test_nobody_listens() -> None:
    with pytest.raises(LegoError) as error:
        list(client("http://127.0.0.1:1/v1", retries=0).answers(questions(1)))
    assert "nobody listens there" in error.value.diagnostics[0].message


def test_the_rate_is_kept() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(rate=120, sleep=sleep, now=lambda: now[0])
    for _ in range(4):
        pace.wait()
    assert slept == pytest.approx([0.5, 0.5, 0.5])


def test_chances_are_asked_for_and_read() -> None:
    told = {
        "content": [
            {
                "token": "YES", "logprob": -0.2,
                "top_logprobs": [
                    {"token": "YES", "logprob": -0.2}, {"token": "NO", "logprob": -2.5},
                ],
            }
        ]
    }  # fmt: skip
    with serving(lambda asked: asked.say("YES", logprobs=told)) as server:
        asking = client(server.base)
        asking.chances = 20
        reply = asking.ask(ASK)
    assert server.asked[0].body["logprobs"] is True
    assert server.asked[0].body["top_logprobs"] == 20
    assert reply.chances == (("YES", -0.2), ("NO", -2.5))


@pytest.mark.parametrize("told", [None, {}, {"content": []}, {"content": [{"token": 3}]}, "x"])
def test_chances_that_are_none_are_none(told: Any) -> None:
    with serving(lambda asked: asked.say("YES", logprobs=told)) as server:
        assert client(server.base).ask(ASK).chances == ()


def test_a_key_with_a_line_end_is_told_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEGOC_API_KEY", f"{SECRET}\n")
    with pytest.raises(LegoError) as error:
        client("http://127.0.0.1:1/v1")
    assert error.value.diagnostics[0].code == "E0929"
    assert not re.search(SECRET, str(error.value))
