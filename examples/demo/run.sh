#!/bin/sh
# Runs the failing tests of the small project beside this file, keeps their log, and lets the doctor read it.
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
exit "$code"
