"""One raw log line → the text that a person reads: no stamp, no stream mark, no ANSI codes, no decorations of wrappers."""

from __future__ import annotations

import re

# Longer lines are matched by their head and tail only: time per line is bounded, and an error stands at one of the ends.
MAX_TEXT = 8192
_HEAD, _TAIL = 6144, 2040
# Of a text without blanks that is cut, this much is shown.
_WORD = 12

# CSI, OSC (ended by BEL or ST), two-byte escapes (ECMA-48), Jenkins console notes (ESC[8mha:…ESC[0m), and colours whose escape
# character was written out as ^[.
ANSI = re.compile(
    rb"(?:\x1b|\^\[(?=\[[0-9;]{0,12}m))"
    rb"(?:\[8mha:[A-Za-z0-9+/=]*+\x1b\[0m|\[[0-9;:?<=>]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)|[@-Z\\^_()][0-9A-Za-z]?)"
)

STAMP = re.compile(
    rb"(?:\xef\xbb\xbf)?"
    rb"(?:[^\t\n]{1,200}\t[^\t\n]{1,200}\t(?:\xef\xbb\xbf)?(?=\d{4}-\d\d-\d\dT))?"  # gh run view --log: job, step
    rb"(?:\[task (?=\d{4}-))?"  # Taskcluster
    rb"(?:"
    rb"\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?[ ]?"
    rb"(?:(?<=Z )[0-9a-f]{2}[OE][+ ]?)?"  # GitLab runner: stream number, out or err, continuation
    rb"|\[?\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d{4})?\]?[ ]"
    rb"|\[\d\d:\d\d:\d\d(?:\.\d+)?\]:? ?"
    rb"|\d\d:\d\d:\d\d(?:\.\d+)? (?: +(?=\S))?"
    rb")?"
)
MARKER = re.compile(rb"##\[(error|warning|notice|debug|command|group|section)\]|##\[endgroup\]()")
# Tasks as runners of monorepos put them in front of each line: turbo `pkg:test: `, pnpm `packages/a build: `.
_TASK = (
    rb"(?:[\w-]{0,30}[:-])?(?:build|test|lint|check|type-?check|types|tsc|unit|e2e|coverage|format|compile|dev|start|generate|codegen|bundle|prepare)"
    rb"(?:[:-][\w:-]{1,30})?"
)
_DECORATION = re.compile(
    rb"#\d{1,4} (?:\d{1,6}\.\d{1,3} )?(?=\S)|\d{1,6}\.\d{2,3} (?=\S)"  # BuildKit, and its summary
    rb"|[\w.-]{1,60}?[-_]\d{1,3} +\| "  # docker compose
    rb"|\s{0,12}\[(?:exec|junit|javac|java|ant|artifact:\w+|testng|groovy|scalac)\] "  # ant
    rb"|(?:\d\d:\d\d:\d\d +)?(?:INFO|ERROR|WARNING|CRITICAL|DEBUG|FATAL) - "
    rb"(?: ?(?:GECKO\(\d+\) \| |PID \d+ \| )| ?(?=TEST-|PROCESS-CRASH|SUMMARY|==))|(?:INFO|DEBUG) - (?=\S)"  # mozharness, loggers
    rb"|@?[\w.-]{1,60}(?:/[\w.-]{1,60}){0,3}:" + _TASK + rb": |@?[\w.-]{1,60}(?:/[\w.-]{1,60}){1,3} " + _TASK + rb": "
    rb"|@(?!parcel/)[\w.-]{1,60}/[\w.-]{1,60}: |\[\d{1,2}\] (?=\S)"  # lerna, concurrently
    rb"|\[[^\]/\n]{1,80}/[^\]\n]{1,80}\] {1,4}(?:\| |(?=\xe2[\xad\x9c\x9d]|\xf0\x9f))"  # act
    rb"|(?:DEBUG|INFO) util\.py:\d+: {1,2}"  # mock
    rb"|\s?npm (?:ERR!|error) (?="  # what an install script and the build tools that it starts print, as npm shows it
    rb"gyp:? |node-pre-gyp |prebuild-install |node-gyp-build:? |Package '?[\w.+-]{1,60}'?(?:,| was not found)|No package '|Perhaps you should add the directory"
    rb"|[\w./+@~-]{1,200}\.[A-Za-z]\w{0,4}:\d+(?::|$)|In file included from |(?:/bin/)?(?:ba)?sh: "
    rb"|(?:g\+\+|gcc|cc|c\+\+|clang(?:\+\+)?|collect2|cc1plus|ld|cmake): "
    rb"|\S*make(?:\[\d+\])?: |Traceback \(most|  File \"|(?:ModuleNotFound|Import)Error: )"
)
# Jenkins writes paths of the workspace as links into mails and pages that show the console.
_WORKSPACE_LINK = re.compile(rb"<https?://[^\s<>]{1,300}/ws/([^\s<>]{1,300})>")


def text_of(raw: bytes) -> bytes:
    """The cleaned text of one raw line without its line feed (valid UTF-8, about MAX_TEXT bytes at most)."""
    return undecorated(visible(raw))[1]


def visible(raw: bytes) -> bytes:
    """The line as a terminal shows it: stamp and ANSI codes gone, the last state of a carriage-return progress line."""
    if len(raw) > MAX_TEXT * 4:
        raw = raw[: MAX_TEXT * 2] + b" ... " + raw[-MAX_TEXT * 2 :]
    stamp = STAMP.match(raw)
    line = raw[stamp.end() :] if stamp else raw
    if b"\x1b" in line or b"^[[" in line:
        line = ANSI.sub(b"", line)
    if b"\r" in line:
        line = next((part for part in reversed(line.split(b"\r")) if part.strip()), b"")
        again = STAMP.match(line)
        line = line[again.end() :] if again else line
    if len(line) > MAX_TEXT:
        line = line[:_HEAD] + b" ... " + line[-_TAIL:]
    if not line.isascii():
        line = line.decode("utf-8", "replace").encode()
    return line.rstrip()


def undecorated(line: bytes) -> tuple[bytes, bytes]:
    """(marker, text): the GitHub marker of the line ("error", "group", …, or empty) and its text without decorations."""
    kind = b""
    marker = MARKER.match(line)
    if marker:
        kind, line = marker[1] or b"endgroup", line[marker.end() :]
    if b"/ws/" in line:
        line = _WORKSPACE_LINK.sub(rb"\1", line)
    for _ in range(2):
        decoration = _DECORATION.match(line)
        if not decoration:
            break
        line = line[decoration.end() :]
    return kind, line


def shortened(text: str, most: int) -> str:
    """At most about `most` characters, cut between words: the beginning of a token that is cut could not be known as a secret any more."""
    if len(text) <= most:
        return text
    words, _, cut = text[:most].rpartition(" ")
    return (words or cut[:_WORD]) + " …"
