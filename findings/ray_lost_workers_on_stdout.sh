#!/usr/bin/env bash
# ray 2.60.0 (Python 3.11, Linux).
# Expected: with log_to_driver=False, and logging_level="ERROR", a driver prints nothing of workers that are lost
#   and replaced, and what it might print goes to standard error, away from the driver's own output.
# Seen: standard output has "(raylet) A worker died or was killed ..." after the first lost worker; what is said of
#   further ones is held back as a repetition and printed there at ray.shutdown(), by the thread that calls it. JSON
#   that a driver writes to standard output is no JSON any more.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q ray==2.60.0
cat > try.py <<'PY'
import contextlib
import io
import os
import signal
import sys
import threading
import time

import ray


class Watched(io.TextIOBase):
    """Standard output that notes which thread wrote what, before or while Ray ends."""

    def __init__(self):
        self.ending, self.seen = False, []

    def write(self, text):
        if text.strip():
            by = "the main thread" if threading.current_thread() is threading.main_thread() else "a thread of Ray"
            self.seen.append((self.ending, by, "A worker died" in text))
        return len(text)


@ray.remote(max_restarts=-1, max_task_retries=-1)
class Worker:
    def number(self):
        return os.getpid()


watched = Watched()
with contextlib.redirect_stdout(watched):
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    worker = Worker.remote()
    for _ in range(3):
        os.kill(ray.get(worker.number.remote()), signal.SIGKILL)
        time.sleep(2)
        ray.get(worker.number.remote())
    time.sleep(2)
    watched.ending = True
    ray.shutdown()
for ending, by, told in watched.seen:
    print("while Ray ends:" if ending else "before:", by, "told of a lost worker" if told else "wrote something else")
found = {(ending, by) for ending, by, told in watched.seen if told}
sys.exit(found != {(False, "a thread of Ray"), (True, "the main thread")})
PY
RAY_USAGE_STATS_ENABLED=0 venv/bin/python try.py
