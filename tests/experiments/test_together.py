"""Trials that are under way together, with processes that are played and end in any order."""

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from legoc.experiments import together
from legoc.experiments.proposing import propose, seen
from legoc.experiments.search import Trial, spaces
from legoc.experiments.study import TRIALS, Identity, open_study, read_trials
from legoc.experiments.together import GIB, train_together
from legoc.experiments.trials import Search
from legoc.language.checking import check
from legoc.language.declaring.catalog import catalog
from legoc.language.diagnosing.diagnostics import LegoError, fail
from legoc.language.diagnosing.document import Document
from legoc.language.typing.lower import Lowering
from legoc.model.run import Run
from legoc.training.jobs.crew import Crew
from legoc.training.jobs.known import Known
from legoc.training.jobs.messages import write_error
from legoc.training.settings import Settings


TEXT = """data d { source = Demo }
model m =
  content Pooling(hidden in {8, 12})
  -> behavior Attention(heads in {3, 4})
  -> predict Dot
train base { lr in 1e-4..1e-1 log }
run m on d with base where valid
"""
# A few more than optuna draws at random.
TRIALS_ASKED = 16


@dataclass(kw_only=True)
class Lines:
    """Progress that keeps what is said."""

    said: list[str] = field(default_factory=list)

    def say(self, text):
        self.said.append(text)


@dataclass(frozen=True, kw_only=True)
class Played(Search):
    """A search whose trials have a figure that follows from their choices."""

    def enter(self, trial, run):
        chosen = {choice.key: choice.value for choice in trial.choices}
        value = -abs(math.log10(chosen["lr"]) + 3) + 0.1 * (chosen["hidden"] == "12")
        return self.study.end(trial, "trained", value=value, folder=run.folder.name)


class PlayedCrew(Crew):
    """Ends one of what it was given, whichever chance chooses. `strange` may answer otherwise."""

    chance = random.Random(0)
    strange = staticmethod(lambda crew, does, place: None)
    need = GIB
    ids = staticmethod(lambda place: f"{place:012x}")

    def __init__(self, *words):
        super().__init__(*words)
        self.now = []
        self.history = []
        self.stopped = False

    @property
    def busy(self):
        return []

    def give(self, does, place, *, again=True):
        self.now.append((does, place))
        self.history.append((does, place))
        self.most = max(getattr(self, "most", 0), sum(d == "train" for d, _ in self.now))

    def answer(self):
        if self.stopped:
            return None
        does, place = self.now.pop(self.chance.randrange(len(self.now)))
        folder = f"runs/m-{self.ids(place)}"
        message = self.strange(self, does, place)
        if message is None and does == "survey":
            known = Known(folder=folder, finished=False, need=self.need, work=1.0, resident=0)
            message = {"known": known.to_json()}
        return place, 1.0, message or {"folder": folder}

    def stop(self, sweep):
        self.stopped = True

    def end(self):
        assert self.stopped or not self.now


@pytest.fixture
def crews(monkeypatch):
    """The crews that were made."""
    made = []

    class Made(PlayedCrew):
        def __init__(self, *words):
            super().__init__(*words)
            made.append(self)

    monkeypatch.setattr(together, "Crew", Made)
    monkeypatch.setattr(together, "free_memory", lambda: 100 * GIB)
    Made.chance = random.Random(0)
    return made, Made


def search_in(folder):
    (space,) = spaces(check(Document("m.lego", TEXT)).points)
    identity = Identity(name="m", spec="s", data="d", seed=0)
    return Played(
        space=space, study=open_study(Path(folder), identity), seed=0, monitor="GAUC", lower=False,
        settings=Settings(), lowering=Lowering(catalog()), progress=Lines(),
    )  # fmt: skip


def found(folder):
    return [(t.number, t.asked, t.state, t.value) for t in read_trials(Path(folder) / TRIALS)]


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The trials of a search, by the number of jobs, whose trainings end in their order."""
    trials = {}
    for jobs in (1, 2, 3):
        search = search_in(tmp_path_factory.mktemp("calm"))
        study = search.study
        while len(study.trained) < TRIALS_ASKED:
            # In plain words: what lies more than twice the jobs back has ended, the rest is open.
            models = [t for t in study.trials if t.state != "no model"]
            late = {t.number for t in models[max(len(models) - 2 * jobs + 2, 0) :]}
            known = [
                Trial(number=t.number, name=t.name, choices=t.choices) if t.number in late else t
                for t in study.trials
            ]
            choices = propose(search.space, known, seed=0, lower=False)
            trial = study.enter("m", choices)
            if search.model_of(trial) is not None:
                search.enter(trial, Run(Path("runs/m")))
        trials[jobs] = found(study.folder)
    return trials


@pytest.mark.parametrize("jobs", [2, 3])
def test_whichever_ends_first_the_trials_are_the_same(tmp_path, crews, calm, jobs):
    made, kind = crews
    orders = set()
    for seed in range(6):
        kind.chance = random.Random(seed)
        assert train_together(search_in(tmp_path / str(seed)), TRIALS_ASKED, jobs)
        assert found(tmp_path / str(seed)) == calm[jobs]
        assert made[-1].most == jobs
        ends = [
            line for line in (tmp_path / str(seed) / TRIALS).read_text().splitlines()
            if '"trained"' in line
        ]  # fmt: skip
        orders.add(tuple(ends))
    # They did end in other orders, and what is proposed hangs on the number of jobs alone.
    assert len(orders) > 3
    assert calm[1] != calm[jobs]
    assert any(state == "no model" for _, _, state, _ in calm[jobs])


def test_killed_anywhere_nothing_is_lost_or_repeated(tmp_path, crews, calm):
    _, kind = crews

    class Killed(BaseException):
        pass

    def strange(crew, does, place):
        if len(crew.history) > 7:
            raise Killed
        return None

    kind.strange = staticmethod(strange)
    kills = 0
    for _ in range(TRIALS_ASKED):
        kind.chance = random.Random(kills)
        try:
            train_together(search_in(tmp_path), TRIALS_ASKED, 3)
            break
        except Killed:
            kills += 1
    assert kills > 3
    assert found(tmp_path) == calm[3]
    ends = [line for line in (tmp_path / TRIALS).read_text().splitlines() if '"end"' in line]
    assert len(ends) == len(calm[3])


def test_a_lost_process_is_replaced_once(tmp_path, crews, calm):
    made, kind = crews
    kind.strange = staticmethod(
        lambda crew, does, place: (
            {"ended": -9}
            if place in (1, 4) and crew.history.count((does, place)) == 1 and does == "train"
            else None
        )
    )
    search = search_in(tmp_path)
    train_together(search, TRIALS_ASKED, 2)
    assert found(tmp_path) == calm[2]
    lost = [line for line in search.progress.said if "another one goes on" in line]
    assert len(lost) == 2
    assert all("its process was ended by SIGKILL; another one goes on" in line for line in lost)
    kind.strange = staticmethod(
        lambda crew, does, place: {"ended": -9} if (does, place) == ("train", 1) else None
    )
    again = search_in(tmp_path / "again")
    with pytest.raises(LegoError) as caught:
        train_together(again, TRIALS_ASKED, 2)
    assert caught.value.diagnostics[0].code == "E0580"
    assert made[-1].stopped
    # It is open still, and the first to be trained next time.
    kind.strange = staticmethod(lambda crew, does, place: None)
    train_together(search_in(tmp_path / "again"), TRIALS_ASKED, 2)
    assert found(tmp_path / "again") == calm[2]


@pytest.mark.parametrize(("code", "ends"), [("E0550", False), ("E0552", True)])
def test_what_one_trial_fails_by_ends_it_and_what_all_would_ends_the_search(
    tmp_path, crews, code, ends
):
    _, kind = crews
    error = write_error(fail(code, "it went wrong", "do it otherwise"))
    kind.strange = staticmethod(
        lambda crew, does, place: {"failed": error} if (does, place) == ("train", 2) else None
    )
    search = search_in(tmp_path)
    if ends:
        with pytest.raises(LegoError):
            train_together(search, 6, 2)
        assert any(trial.state == "open" for trial in search.study.trials)
    else:
        assert train_together(search, 6, 2)
        states = [trial.state for trial in search.study.trained]
        assert sorted(states) == ["failed"] + ["trained"] * 5


def test_memory_and_equal_models_wait(tmp_path, crews, monkeypatch):
    made, kind = crews
    kind.need = 60 * GIB
    search = search_in(tmp_path)
    train_together(search, 6, 3)
    assert made[-1].most == 1
    warned = [line for line in search.progress.said if line.startswith("warning: ")]
    assert len(warned) == 1
    assert "takes about 60.0 GiB of memory, 40.0 GiB are left: it waits" in warned[0]
    # One that no machine like this could hold is trained all the same.
    kind.need = 160 * GIB
    train_together(search_in(tmp_path / "large"), 6, 3)
    assert made[-1].most == 1
    kind.need = GIB
    kind.ids = staticmethod(lambda place: "0" * 12)
    train_together(search_in(tmp_path / "alike"), 6, 3)
    assert made[-1].most == 1


def test_what_there_is_to_propose_may_end(tmp_path, crews, monkeypatch):
    monkeypatch.setattr(
        "tests.experiments.test_together.TEXT", TEXT.replace("lr in 1e-4..1e-1 log", "lr = 1e-3")
    )
    monkeypatch.setattr(
        Played, "enter",
        lambda self, trial, run: self.study.end(trial, "trained", value=0.5, folder="f"),
    )  # fmt: skip
    search = search_in(tmp_path)
    assert not train_together(search, 9, 2)
    # 8 is no multiple of 3.
    assert sorted(trial.state for trial in search.study.trials) == ["no model"] + ["trained"] * 3


def test_what_is_known_of_the_latest():
    states = ["trained", "no model", "open", "failed", "no model", "trained"]
    trials = [Trial(number=n, name="m", choices=(), state=s) for n, s in enumerate(states)]
    assert seen(trials, 1) == (trials, False)
    known, ended = seen(trials, 2)
    assert [t.state for t in known] == ["trained", "no model", "open", "open", "no model", "open"]
    # Of the last two nothing is known, and the one before them has not ended.
    assert not ended
    known, ended = seen(trials, 3)
    assert ended
    assert [t.state for t in known] == ["open", "no model", "open", "open", "no model", "open"]
