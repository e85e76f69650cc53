"""Stack frames: the place in the project's own code that a traceback, stack or message points to (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.domain.finding import Location

_PATH = rb"(?P<path>(?:[A-Za-z]:[\\/])?[\w@.+~$-]*[\\/]?(?:[\w@.+~$-]+[\\/])*[\w@.+~$-]+\.[A-Za-z]\w{0,8})"
_BEFORE = (re.compile(rb'^\s*File "(?P<path>[^"\n]{1,400})", line (?P<line>\d+)'),)
_AFTER = (
    re.compile(rb"^\s*at (?:[^()\n]{0,300}\()?(?:file://)?(?P<path>(?:[A-Za-z]:)?[^():\n]{1,300}):(?P<line>\d+)(?::(?P<column>\d+))?\)?$"),
    re.compile(rb"^\s*(?:at|from) [^\n]{1,400} in (?P<path>[^\n]{1,300}):(?:line )?(?P<line>\d+)"),
    re.compile(rb"^\s*(?:# |from )?(?P<path>(?:\./|/)?[\w@./+-]{1,300}\.(?:rb|rake|erb|php|exs?|erl)):(?P<line>\d+)(?::in |$|:)"),
    re.compile(rb"^\s+(?P<path>/?[\w@./+-]{1,300}\.go):(?P<line>\d+)(?: \+0x|$)"),
    re.compile(rb"^\s*(?:-->|at) +(?P<path>[\w@./+-]{1,300}\.\w{1,8}):(?P<line>\d+)(?::(?P<column>\d+))?"),
    re.compile(rb"^\s*#\d+ [^\n]{1,200} (?P<path>/[\w@./+-]{1,300}\.\w{1,8}):(?P<line>\d+)(?::(?P<column>\d+))?"),
    re.compile(rb"^(?P<path>[\w@./+-]{1,300}\.py):(?P<line>\d+): [A-Z]\w*"),
    re.compile(rb"^\s*at [\w.$/<>]{1,300}\((?P<path>[\w$]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)\)"),
)
_IN_TEXT = re.compile(rb"(?:^|[\s\"'`(\[>])(?:file://)?" + _PATH + rb"(?:[:(\[](?P<line>\d{1,6})(?:[:,](?P<column>\d{1,5}))?|:? line (?P<other>\d{1,6}))")
# A place stands near the beginning of a message; the pattern takes time quadratic in what it sees.
_LONGEST = 600
# Frames of the tools themselves and of installed packages are not the project's own.
_FOREIGN = re.compile(
    rb"site-packages|dist-packages|/lib/python\d|<frozen|<string>|<stdin>|node_modules|node:|internal/|\(native\)|/usr/lib|/usr/local/lib|/opt/hostedtoolcache"
    rb"|/gems/|/ruby/\d|vendor/bundle|/vendor/|\.cargo/registry|/rustc/|/rustlib/|/go/src/|/usr/local/go|go/pkg/mod|_testmain|/libexec/"
    rb"|^(?:Assert|Assertions|TestCase|Method|NativeMethodAccessorImpl|FrameworkMethod|Runner|ParentRunner|Suite|Thread|ThreadPoolExecutor|Unsafe)\.java"
)


def location_in(text: bytes) -> Location | None:
    """A `path:line[:column]` in a message itself."""
    found = _IN_TEXT.search(text[:_LONGEST])
    if not found or b"://" in found["path"] or _FOREIGN.search(found["path"]):
        return None
    line = found["line"] or found["other"]
    return _location(found["path"], line, found["column"])


def location_around(before: Sequence[bytes], after: Sequence[bytes]) -> Location | None:
    """The nearest frame of the project's own code: above the line for Python, below it for the others; else any frame."""
    foreign: Location | None = None
    for text in reversed(before):
        for shape in _BEFORE:
            if found := shape.match(text):
                here = _location(found["path"], found["line"], None)
                if not _FOREIGN.search(found["path"]):
                    return here
                foreign = foreign or here
        if text.startswith((b"Traceback (most recent", b"  + Exception Group")):
            break
    for text in after:
        for shape in _AFTER:
            if found := shape.match(text):
                if not _FOREIGN.search(text) and not _FOREIGN.search(found["path"]):
                    return _location(found["path"], found["line"], found.groupdict().get("column"))
                break
    return foreign


def _location(path: bytes, line: bytes | None, column: bytes | None) -> Location:
    return Location(path.decode(errors="replace").strip(), int(line) if line else None, int(column) if column else None)
