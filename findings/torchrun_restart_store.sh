#!/usr/bin/env bash
# torch 2.13.0 (CPU build, gloo), Python 3.11, Linux.
# Expected: where torchrun starts all processes again (--max-restarts), they meet in a fresh store, so a
#   script that made a process group makes it again.
# Seen: with the static rendezvous on one address the store of the first attempt is kept with its keys; a
#   second group (new_group) dials addresses of processes that have ended, and the restarted script fails
#   with a refused connection. A store prefixed with TORCHELASTIC_RESTART_COUNT works.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy "torch==2.13.0+cpu" ||
  "$folder/venv/bin/pip" install -q --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu"
cat > "$folder/job.py" <<'PY'
import datetime
import os
import sys

import torch
import torch.distributed as dist

attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
patience = datetime.timedelta(seconds=30)
if sys.argv[1] == "own":
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = dist.PrefixStore(attempt, dist.TCPStore(address, port, is_master=False, timeout=patience))
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=patience)
else:
    dist.init_process_group("gloo", timeout=patience)
group = dist.new_group(backend="gloo", timeout=patience)
value = torch.ones(1)
dist.all_reduce(value, group=group)
if attempt == "0":
    sys.exit(1 if rank else 0)
print("attempt", attempt, "rank", rank, "sum", int(value))
PY
run() { OMP_NUM_THREADS=1 timeout 240 "$folder/venv/bin/torchrun" --nproc-per-node 2 --max-restarts 1 --rdzv-backend static \
  --rdzv-endpoint 127.0.0.1:29571 "$folder/job.py" "$1" > "$folder/$1.log" 2>&1 && echo ends || echo fails; }
"$folder/venv/bin/python" -c "import torch; print('torch', torch.__version__)"
plain=$(run plain); own=$(run own)
echo "the group of the environment: $plain"; grep -m1 -io "connection refused\|timed out[^.]*" "$folder/plain.log" || true
echo "a store prefixed by the attempt: $own"; grep -o "attempt 1 rank . sum 2" "$folder/own.log" | sort || true
[ "$plain $own" = "fails ends" ] || { tail -5 "$folder/plain.log" "$folder/own.log"; echo "no longer as seen"; exit 1; }
