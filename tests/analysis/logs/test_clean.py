"""One raw line becomes the text that a person reads."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs import clean

CASES = [
    ("a GitHub stamp and a byte-order mark", b"\xef\xbb\xbf2026-06-08T14:47:03.6281400Z Current runner", b"", b"Current runner"),
    ("an error annotation", b"2026-06-08T14:47:03.6281400Z ##[error]Process completed", b"error", b"Process completed"),
    ("a group", b"2026-06-08T14:47:03.6281400Z ##[group]Run make", b"group", b"Run make"),
    ("gh run view --log columns", b"build\tRun make\t2026-06-08T14:47:03.6281400Z boom", b"", b"boom"),
    ("a GitLab stamp with stream mark", b"2026-05-10T09:24:32.814280Z 01E boom", b"", b"boom"),
    ("a GitLab continuation", b"2026-05-10T09:24:32.814280Z 00O+\x1b[31;1mERROR: Job failed\x1b[0;m", b"", b"ERROR: Job failed"),
    ("GitLab keeps indentation", b"2026-05-10T09:24:32.814280Z 01O     indented", b"", b"    indented"),
    ("Jenkins timestamper", b"[2026-01-28T14:56:21.257Z] Finished: ABORTED", b"", b"Finished: ABORTED"),
    ("Jenkins short time", b"14:23:01  boom", b"", b"boom"),
    ("a Jenkins console note", b"\x1b[8mha:AAAA+/==\x1b[0mStarted by user", b"", b"Started by user"),
    ("colours inside a word", b"\x1b[91merr\x1b[0m\x1b[31mor\x1b[0m", b"", b"error"),
    ("an OSC link", b"\x1b]8;;https://example.com\x07text\x1b]8;;\x07", b"", b"text"),
    ("a progress line shows its last state", b"10%\r50%\r100% done\r", b"", b"100% done"),
    ("CRLF", b"boom\r", b"", b"boom"),
    ("BuildKit with time", b"#12 0.711 npm error code EUSAGE", b"", b"npm error code EUSAGE"),
    ("BuildKit summary", b"0.711 npm error code", b"", b"npm error code"),
    ("docker compose", b"web-1  | listening", b"", b"listening"),
    ("ant", b"    [junit] Tests run: 1", b"", b"Tests run: 1"),
    ("Taskcluster", b"[task 2025-02-13T21:36:55.905Z] 21:36:55     INFO -  PID 2029 | boom", b"", b"boom"),
    ("a log stamp of an application", b"2017-01-01 10:00:00,123 ERROR boom", b"", b"ERROR boom"),
    ("a path of the workspace that Jenkins made a link", b"<https://ci.example/job/m/ws/v4l/core.c>:2:5: error: x", b"", b"v4l/core.c:2:5: error: x"),
    ("a link that is no path of the workspace", b"see <https://ci.example/job/media/3/>", b"", b"see <https://ci.example/job/media/3/>"),
    ("npm shows what node-gyp printed", b"npm error gyp ERR! build error", b"", b"gyp ERR! build error"),
    ("npm shows what pkg-config printed", b"npm ERR! Package pixman-1 was not found in the x", b"", b"Package pixman-1 was not found in the x"),
    ("npm shows what a compiler printed", b"npm error ../src/a.cc:3:5: error: x", b"", b"../src/a.cc:3:5: error: x"),
    ("npm's own words", b"npm error code ERESOLVE", b"", b"npm error code ERESOLVE"),
    ("turbo", b"@acme/ui:test: FAIL src/a.test.ts", b"", b"FAIL src/a.test.ts"),
    ("pnpm -r", b"packages/a build: error TS2322", b"", b"error TS2322"),
    ("lerna", b"@acme/web: Error: x", b"", b"Error: x"),
    ("concurrently", b"[0] npm error code 1", b"", b"npm error code 1"),
    ("a place is no prefix of a runner", b"src/a.c:12: error: x", b"", b"src/a.c:12: error: x"),
    ("a tool before its message is none", b"npm test: it failed", b"", b"npm test: it failed"),
    ("colours written out", b"^[[96msrc/a.ts^[[0m:^[[93m55^[[0m", b"", b"src/a.ts:55"),
    ("nothing to take away", b"plain", b"", b"plain"),
    ("an empty line", b"", b"", b""),
]


@pytest.mark.parametrize(("raw", "marker", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_line(raw: bytes, marker: bytes, text: bytes) -> None:
    assert clean.undecorated(clean.visible(raw)) == (marker, text)


def test_a_line_of_megabytes_is_matched_by_its_ends() -> None:
    text = clean.text_of(b"begin " + b"x" * (5 << 20) + b" end")
    assert len(text) <= clean.MAX_TEXT
    assert text.startswith(b"begin ")
    assert text.endswith(b" end")
