#!/usr/bin/env bash
# ray 2.60.0 (Python 3.11, Linux).
# Expected: what a signal handler raises while the main thread waits in ray.get reaches the caller as it is, as
#   it does out of time.sleep.
# Seen: a subclass of KeyboardInterrupt leaves time.sleep as itself and ray.get as a plain KeyboardInterrupt,
#   without cause or context: whoever tells SIGTERM from Ctrl-C by the type of the exception no longer can.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q ray==2.60.0
cat > try.py <<'PY'
import os
import signal
import sys
import threading
import time

import ray


class Terminated(KeyboardInterrupt):
    pass


def terminate(number, frame):
    raise Terminated


def interrupted(wait):
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        wait()
    except KeyboardInterrupt as error:
        return type(error).__name__, error.__cause__, error.__context__
    finally:
        timer.join()


@ray.remote(num_cpus=1)
def nap():
    time.sleep(20)


ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
signal.signal(signal.SIGTERM, terminate)
plain = interrupted(lambda: time.sleep(20))
reference = nap.remote()
waited = interrupted(lambda: ray.get(reference))
print("out of time.sleep:", *plain)
print("out of ray.get:   ", *waited)
ray.shutdown()
sys.exit(plain != ("Terminated", None, None) or waited != ("KeyboardInterrupt", None, None))
PY
RAY_USAGE_STATS_ENABLED=0 venv/bin/python try.py
