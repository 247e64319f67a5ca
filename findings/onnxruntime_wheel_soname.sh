#!/usr/bin/env bash
# onnxruntime 1.31.1 (wheel for Python 3.11, Linux x86-64), gcc and glibc of the system.
# Expected: a C program that is linked with the wheel's own library, with a run path to its folder, starts.
# Seen: the file is libonnxruntime.so.1.31.1 and calls itself libonnxruntime.so.1, a name the wheel does not
#   hold (wheels hold no links): linking succeeds and the program ends with 127. With a link of that name
#   made by hand, or by dlopen of the path, it works.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q onnxruntime==1.31.1
place=$(venv/bin/python -c 'import onnxruntime, pathlib; print(pathlib.Path(onnxruntime.__file__).parent / "capi")')
ls "$place" | grep '^libonnxruntime\.so'
cat > try.c <<'C'
#include <stdio.h>
struct base { const void *(*api)(unsigned); const char *(*version)(void); };
const struct base *OrtGetApiBase(void);
int main(void) { printf("started with %s\n", OrtGetApiBase()->version()); return 0; }
C
cc try.c "$place/libonnxruntime.so.1.31.1" -Wl,-rpath,"$place" -Wl,-rpath,"$folder/links" -o try
status=0
./try > said 2>&1 || status=$?
echo "as the wheel is: exit $status: $(grep -o 'lib[a-z.0-9]*: cannot open shared object file' said || true)"
mkdir links && ln -s "$place/libonnxruntime.so.1.31.1" links/libonnxruntime.so.1
./try
test "$status" = 127
