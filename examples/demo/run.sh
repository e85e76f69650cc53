#!/bin/sh
# Runs the failing tests of the small project beside this file, keeps their log, and lets the doctor read it; then lets the guardian judge a table of numbers.
# usage: run.sh FOLDER_WITH_PYTHON_AND_CICD_AGENTS
set -u
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
log=.demo/ledger.log
mkdir -p "$root/.demo"

echo '$ python -m unittest discover -v tests      (in examples/demo; a real test run with a real bug)'
(cd "$here" && PYTHONDONTWRITEBYTECODE=1 "$bin/python" -m unittest discover -v -t . tests) >"$root/$log" 2>&1
status=$?
if [ "$status" -eq 0 ]; then
    echo "The demo's tests passed, but they hold a bug; please report this." >&2
    exit 70
fi
echo "The tests failed with exit code $status; their log has $(wc -l <"$root/$log") lines."
echo
echo "\$ cicd-agents doctor $log"
cd "$root" && "$bin/cicd-agents" doctor "$log"
code=$?
echo "exit code $code (the doctor advises; with --fail-on fail it would close the gate)"

numbers='Error rate: 5.2% (baseline: 0.10%) / P95 latency: 450ms (baseline: 150ms)'
echo
echo "\$ echo '$numbers' | cicd-agents guardian check --metrics-table -"
echo "$numbers" | "$bin/cicd-agents" guardian check --metrics-table -
gate=$?
echo "exit code $gate (NO-GO closes the gate; with a Prometheus it judges counts, docs/deployment-guardian.md)"
if [ "$gate" -ne 1 ]; then
    echo "The guardian should have closed the gate; please report this." >&2
    exit 70
fi
exit "$code"
