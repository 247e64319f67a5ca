#!/usr/bin/env bash
# codecarbon 3.3.2 (Python 3.11).
# Expected: a tracker that is made with log_level="critical" writes nothing of level INFO or WARNING, its first
#   words included.
# Seen: two lines come before the level is set, one of INFO and one of WARNING; the rest is silent. A program
#   that promises clean output has to quiet the logger "codecarbon" before it makes a tracker.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q codecarbon==3.3.2
cat > try.py <<'PY'
from codecarbon import OfflineEmissionsTracker

tracker = OfflineEmissionsTracker(country_iso_code="USA", log_level="critical", save_to_file=False)
tracker.start()
tracker.stop()
PY
venv/bin/python try.py > written 2>&1
sed 's/@ [0-9:]*\]/@ TIME]/' written
test "$(grep -c 'codecarbon INFO' written)" = 1
test "$(grep -c 'codecarbon WARNING' written)" = 1
