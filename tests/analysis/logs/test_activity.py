"""What a job was doing is read from what its tools print, the nearest line first."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.activity import phase_before


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("============================= test session starts ==============================", "test"), ("collected 12 items", "test"),
        ("=== RUN   TestX", "test"),
        ("ok  \texample.com/a/b\t0.01s", "test"), ("running 3 tests", "test"), ("test store::keeps ... ok", "test"), (" T E S T S", "test"),
        ("> Task :app:testDebugUnitTest", "test"),
        ("[INFO] --- maven-surefire-plugin:3.2.5:test (default-test) @ app ---", "test"), ("PASS src/a.test.ts", "test"), (" RUN  v3.0.1 /srv/app", "test"),
        ("TAP version 13", "test"),
        ("tests/test_a.py ..F.", "test"), ("Randomized with seed 4711", "test"), ("      Start 3: filter", "test"),
        ("   Compiling serde v1.0.1", "build"), ("[ 50%] Building C object a.o", "build"), ("Collecting numpy", "build"),
        ("23:18:07 [vite] dist/a.js  41.52 kB", "build"), ("✓ built in 2.02s", "build"), ("✓ 1204 modules transformed.", "build"),
        ("✓ adds two numbers", "test"),
        ("added 120 packages in 3s", "build"), ("Step 3/7 : RUN make", "build"),
        ("checking for gcc... gcc", "build"), ("gcc -O2 -c a.c", "build"),
        ("[INFO] --- maven-compiler-plugin:3.11.0:compile (default-compile) @ app ---", "build"),
        ("Uploading distributions to https://upload.example/", "deploy"), ("deployment.apps/web configured", "deploy"), ("TASK [restart web]", "deploy"),
        ("$ npm ci", "build"), ("+ pytest -q", "test"), ("> shop@1.0.0 lint", "test"), ("> build", "build"), ("$ cd x && kubectl apply -f k8s", "deploy"),
    ],
)  # fmt: skip
def test_a_line_that_only_a_working_tool_prints(line: str, expected: str) -> None:
    assert phase_before([line]) == expected
    assert phase_before(["Traceback (most recent call last):", "", line]) == expected


def test_the_nearest_line_decides() -> None:
    assert phase_before(["=== RUN   TestX", "$ npm ci"]) == "test"
    assert phase_before(["$ npm ci", "=== RUN   TestX"]) == "build"


def test_nothing_is_told_by_other_lines() -> None:
    assert phase_before([]) is None
    assert (
        phase_before(["hello", "error: it broke", "$ echo $HOME", "> quoted text", "  × Getting requirements to build wheel did not run successfully."]) is None
    )
