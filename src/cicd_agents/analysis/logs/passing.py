"""Lines that report passing tests and hooks, whatever their names speak of (pure)."""

from __future__ import annotations

import re2

from cicd_agents.analysis.logs.pattern import raw_options

# pytest -v, unittest, cargo; go test; pre-commit; surefire; TAP; node.
_ENDS = (b" PASSED", b" PASSED\r", b" ... ok", b" ... ok\r", b" ... PASSED", b"\x1b[32mPASSED\x1b[0m")
_INSIDE = re2.compile(
    rb"--- PASS: |\.{6}[^.]*(?:Passed|Skipped)(?:\x1b|\s*$)|Failures: 0, Errors: 0,|(?:^|[Zm+] )ok \d+ |\b0 errors, 0 failures"
    rb"| PASSED +\[ *\d+%\]|(?:^|[Zm+] )\s*(?:\x1b\[32m)?\xe2\x9c[\x93\x94] ",
    raw_options(),
)


def passed(raw: bytes) -> bool:
    """Whether the raw line says that something passed."""
    return raw.endswith(_ENDS) or _INSIDE.search(raw) is not None
