"""Lines that report passing tests and hooks, whatever their names speak of (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


_GO_TEST = re.compile(rb"^(?:=== (?:RUN|CONT|NAME) +|\s*--- (?P<verdict>PASS|FAIL|SKIP): )(?P<test>\S+)")


def of_passing_test(before: Sequence[bytes], text: bytes, after: Sequence[bytes]) -> bool:
    """Whether the line was printed by a Go test that passed: `go test -v` shows what those print, too."""
    owner = next(filter(None, map(_GO_TEST.match, reversed(before))), None)
    if owner is None or _GO_TEST.match(text):
        return False
    if owner["verdict"]:
        return owner["verdict"] == b"PASS" and text.startswith(b"    ")  # Go before 1.14 prints them below
    verdicts = (found for line in after if (found := _GO_TEST.match(line)) and found["verdict"] and found["test"] == owner["test"])
    return (verdict := next(verdicts, None)) is not None and verdict["verdict"] == b"PASS"
