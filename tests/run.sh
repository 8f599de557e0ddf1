#!/bin/sh
# Run all tests, in two parts (tests/parts.py): files that may run beside each other, two at a time; then the others, one
# by one. Both are run even if the first fails, for one run shall tell all that is wrong. The arguments are pytest's.
set -u
python=.venv/bin/python
FAILED=1
NOTHING_FOUND=5

# With two processes on two cores, threads of one matrix product would mostly wait for each other, and burn both.
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
    "$python" -m pytest --part together -n 2 --dist loadfile --no-loadscope-reorder "$@"
together=$?
case $together in
    0 | "$NOTHING_FOUND") ;;
    "$FAILED") case " $* " in *" -x "* | *" --exitfirst "* | *" --maxfail"*) exit "$together" ;; esac ;;
    *) exit "$together" ;; # Ctrl-C, or options that pytest does not know
esac
"$python" -m pytest --part alone "$@" -n 0
alone=$?
if [ "$together" = "$NOTHING_FOUND" ]; then exit "$alone"; fi
if [ "$alone" = "$NOTHING_FOUND" ] || [ "$together" != 0 ]; then exit "$together"; fi
exit "$alone"
