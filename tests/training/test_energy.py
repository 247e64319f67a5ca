"""The electricity of trainings: sums by hand, sittings, and codecarbon where it is."""

import json
import logging
import socket
import sys
from types import ModuleType, SimpleNamespace

import pytest

from legoc.commands.energy_flags import chosen_energy
from legoc.language.diagnosing.diagnostics import LegoError
from legoc.training import meter
from legoc.training.cost import counted
from legoc.training.energy import ESTIMATE, INTENSITY, WORLD, Energy, emit, estimate, join
from tests.product.conftest import run


def clock(monkeypatch, cpu, wall):
    """A block that takes these seconds."""
    for name, seconds in (("process_time", cpu), ("perf_counter", wall)):
        told = iter([100.0, 100.0 + seconds])
        monkeypatch.setattr(f"legoc.training.cost.time.{name}", lambda told=told: next(told))


def take(folder, monkeypatch, *, cpu, wall, begun=False, energy=ESTIMATE, gpu=False):
    with monkeypatch.context() as patched:
        clock(patched, cpu, wall)
        with counted(folder, begun=begun, energy=energy, gpu=gpu):
            pass
    return json.loads((folder / "cost.json").read_text())["energy"]


def test_an_hour_of_a_core_is_its_watts(tmp_path, monkeypatch):
    found = take(tmp_path, monkeypatch, cpu=3600, wall=100)
    # 12 W for an hour are 12 Wh; 475 g for each 1000 of them are 5.7 g.
    assert found["kwh"] == pytest.approx(0.012)
    assert found["kg_co2e"] == pytest.approx(0.0057)
    assert (found["how"], found["by"]) == ("estimated", "12 W per core at work")
    assert (found["intensity"], found["source"]) == (475, WORLD)
    assert "without memory, data preparation, export and test" in found["scope"]


def test_a_gpu_is_paid_for_as_long_as_the_training_lasts(tmp_path, monkeypatch):
    energy = Energy(core=10, gpu=400, intensity=56, source="as given")
    found = take(tmp_path, monkeypatch, cpu=1800, wall=7200, energy=energy, gpu=True)
    # Half an hour of 10 W and two hours of 400 W.
    assert found["kwh"] == pytest.approx(0.005 + 0.8)
    assert found["kg_co2e"] == pytest.approx(0.805 * 0.056)
    assert found["by"] == "10 W per core at work and 400 W of the GPU"
    assert take(tmp_path, monkeypatch, cpu=1800, wall=7200, energy=energy)["kwh"] < 0.01


def test_sittings_add_up_and_a_new_training_begins_anew(tmp_path, monkeypatch):
    take(tmp_path, monkeypatch, cpu=3600, wall=1)
    again = Energy(core=20, intensity=100, source="as given")
    found = take(tmp_path, monkeypatch, cpu=3600, wall=1, begun=True, energy=again)
    assert found["kwh"] == pytest.approx(0.032)
    assert found["by"] == "12 W per core at work; 20 W per core at work"
    # One intensity for the whole.
    assert found["kg_co2e"] == pytest.approx(0.0032)
    assert take(tmp_path, monkeypatch, cpu=3600, wall=1)["kwh"] == pytest.approx(0.012)


def test_a_sitting_of_before_is_estimated_by_its_seconds(tmp_path, monkeypatch):
    (tmp_path / "cost.json").write_text(json.dumps({"cpu": 7200, "wall": 9000}))
    found = take(tmp_path, monkeypatch, cpu=3600, wall=1, begun=True)
    assert found["kwh"] == pytest.approx(0.036)


def test_what_is_known_in_two_ways_says_so():
    assert join(["estimated", "estimated"]) == "estimated"
    assert join(["measured", "measured"]) == "measured"
    assert join(["estimated", "measured"]) == "partly measured"
    assert join(["partly measured", "measured"]) == "partly measured"
    assert emit(2.0, 500) == 1.0
    assert estimate(ESTIMATE, 0, 0, gpu=True).kwh == 0


class Tracker:
    """What codecarbon's tracker shows of itself: Wh of the processor, the GPU and memory."""

    mode = "intel_rapl"
    kinds = ("CPU",)
    starts = True
    ends = True

    def __init__(self, **given):
        self.given = given
        self._hardware = [type(kind, (), {"_mode": self.mode})() for kind in self.kinds]

    def start(self):
        if self.starts:
            self._start_time = 1.0

    def stop(self):
        if self.ends:
            self.final_emissions_data = SimpleNamespace(
                cpu_energy=0.25, gpu_energy=0.5, ram_energy=4.0, emissions=99.0
            )


@pytest.fixture
def tracker(monkeypatch):
    """A codecarbon of which each part is as the test says."""
    module = ModuleType("codecarbon")
    module.OfflineEmissionsTracker = type("Tracker", (Tracker,), {})
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    monkeypatch.setattr(meter, "find_spec", lambda name: True)
    monkeypatch.setattr(meter.importlib.metadata, "version", lambda name: "3.9")
    return module.OfflineEmissionsTracker


MEASURED = Energy(measured=True, intensity=100, source="as given")


@pytest.mark.parametrize(
    ("mode", "kinds", "gpu", "kwh", "how"),
    [
        ("intel_rapl", ("RAM", "CPU"), False, 0.25, "measured"),
        ("cpu_load", ("RAM", "CPU"), False, 0.25, "estimated"),
        ("constant", ("CPU", "GPU"), False, 0.25, "estimated"),
        ("cpu_load", ("CPU", "GPU"), True, 0.75, "partly measured"),
        ("intel_rapl", ("CPU", "GPU"), True, 0.75, "measured"),
        ("intel_rapl", ("CPU",), True, 0.25, "partly measured"),
        ("", ("AppleSiliconChip", "AppleSiliconChip"), False, 0.25, "measured"),
    ],
)
def test_only_what_a_meter_told_is_measured(
    tracker, tmp_path, monkeypatch, mode, kinds, gpu, kwh, how
):
    tracker.mode, tracker.kinds = mode, kinds
    found = take(tmp_path, monkeypatch, cpu=3600, wall=1, energy=MEASURED, gpu=gpu)
    # Never memory, which it reckons by its size, and never its own emissions.
    assert found["kwh"] == kwh
    assert found["kg_co2e"] == pytest.approx(kwh / 10)
    assert found["how"] == how
    assert found["by"].startswith("codecarbon 3.9")
    assert ("without a meter of the processor" in found["by"]) == (mode in ("cpu_load", "constant"))


def test_a_measured_sitting_after_an_estimated_one_is_partly_measured(
    tracker, tmp_path, monkeypatch
):
    take(tmp_path, monkeypatch, cpu=3600, wall=1)
    found = take(tmp_path, monkeypatch, cpu=9, wall=1, begun=True, energy=MEASURED)
    assert found["kwh"] == pytest.approx(0.012 + 0.25)
    assert found["how"] == "partly measured"
    assert found["by"] == "12 W per core at work; codecarbon 3.9"


def test_a_meter_that_breaks_off_leaves_the_estimate(tracker, tmp_path, monkeypatch):
    tracker.ends = False
    found = take(tmp_path, monkeypatch, cpu=3600, wall=1, energy=MEASURED)
    assert (found["kwh"], found["how"]) == (pytest.approx(0.012), "estimated")


def test_a_meter_that_does_not_start_is_said_before_anything(tracker, tmp_path, monkeypatch):
    tracker.starts = False
    with pytest.raises(LegoError) as raised, counted(tmp_path, begun=False, energy=MEASURED):
        raise AssertionError("the block has begun")
    assert raised.value.diagnostics[0].code == "E0585"
    assert not (tmp_path / "cost.json").exists()


SPEC = """
data d { source = Demo(items=200, users=50, impressions=100)  content = [title(8)]  history = 10 }
model m = content Pooling(hidden=8) -> behavior Pooling -> predict Dot
train base { epochs = 1  metrics = [GAUC, AUC] }
run m on d with base
"""


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "m.lego").write_text(SPEC, encoding="utf-8")
    return tmp_path / "m.lego"


def test_without_codecarbon_nothing_is_begun(spec, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(meter, "find_spec", lambda name: None)
    place = tmp_path / "runs"
    assert run("train", spec, "--runs", place, "--energy", "measured", "-q") == 1
    said = capsys.readouterr().err
    assert "E0585]: electricity is measured by codecarbon, which is not installed" in said
    assert "pip install 'legoc[carbon]'" in said
    assert not place.exists()


def test_a_training_records_what_the_flags_say(spec, tmp_path, capsys):
    words = ("train", spec, "--cache", tmp_path / "cache", "--until", "train", "-q")
    assert run(*words, "--runs", tmp_path / "a", "--energy", "30", "--carbon", "56") == 0
    (path,) = (tmp_path / "a").glob("m-*/cost.json")
    cost = json.loads(path.read_text())
    assert cost["energy"]["kwh"] == pytest.approx(cost["cpu"] * 30 / 3.6e6, rel=0.05, abs=1e-8)
    assert cost["energy"]["kg_co2e"] == pytest.approx(cost["energy"]["kwh"] * 0.056)
    assert cost["energy"]["source"] == "as given"
    assert run(*words, "--runs", tmp_path / "b") == 0
    (path,) = (tmp_path / "b").glob("m-*/cost.json")
    assert json.loads(path.read_text())["energy"]["intensity"] == INTENSITY


@pytest.mark.parametrize(
    ("given", "core", "gpu"), [((), 12, 300), ((20.0,), 20, 300), ((20.0, 350.0), 20, 350)]
)
def test_flags_become_constants(given, core, gpu):
    made = chosen_energy(SimpleNamespace(energy=given, carbon=None))
    assert (made.core, made.gpu, made.measured, made.source) == (core, gpu, False, WORLD)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--energy", "watts"), "`watts` is not estimated, measured or watts such as 12"),
        (("--energy", "-3"), "is not estimated, measured or watts"),
        (("--energy", "nan"), "`nan` is not estimated, measured or watts"),
        (("--energy", "1,2,3"), "`1,2,3` is not estimated, measured or watts"),
        (("--carbon", "0.475"), "`0.475` is not between 1 and 2000 grams of CO2e per kWh"),
        (("--carbon", "nan"), "`nan` is not between 1 and 2000 grams"),
    ],
)
def test_other_words_are_refused(spec, words, told, capsys):
    with pytest.raises(SystemExit):
        run("train", spec, *words)
    assert told in capsys.readouterr().err


def test_codecarbon_measures_alone_on_this_machine(tmp_path, monkeypatch):
    """The real one, without a network."""
    pytest.importorskip("codecarbon")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("asked for an address"))
    monkeypatch.setattr(
        socket.socket, "connect", lambda *a, **k: pytest.fail("opened a connection")
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    with counted(tmp_path / "run", begun=False, energy=MEASURED):
        sum(range(3_000_000))
    found = json.loads((tmp_path / "run" / "cost.json").read_text())["energy"]
    assert found["kwh"] > 0
    assert found["by"].startswith("codecarbon 3.")
    assert (found["how"] == "estimated") == ("without a meter" in found["by"])
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    logging.getLogger("codecarbon").handlers.clear()
