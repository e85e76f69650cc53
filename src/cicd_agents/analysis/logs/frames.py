"""Stack frames: the place in the project's own code that a traceback, stack or message points to (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cicd_agents.domain.finding import Location

# Platforms show secrets as asterisks, in the middle of a path too.
_PATH = rb"(?P<path>(?:[A-Za-z]:[\\/])?[\w@.+~$-]*[\\/]?(?:(?:[\w@.+~$-]+|\*\*\*+)[\\/])*(?:[\w@.+~$-]+\.[A-Za-z]\w{0,8}|[A-Z][A-Za-z]{2,20}file))"
_FRAMES_ABOVE = (
    re.compile(rb'^\s*File "(?P<path>[^"\n]{1,400})", line (?P<line>\d+)'),
    re.compile(rb"^(?P<path>[\w@./+-]{1,300}\.py):(?P<line>\d+): ?(?:in \S+|[A-Z]\w*)?$"),
)
_FRAMES_BELOW = (
    re.compile(rb"^\s*at (?:[^()\n]{0,300}\()?(?:file://)?(?P<path>(?:[A-Za-z]:)?[^():\n]{1,300}):(?P<line>\d+)(?::(?P<column>\d+))?\)?$"),
    re.compile(rb"^\s*(?:at|from) [^\n]{1,400} in (?P<path>[^\n]{1,300}):(?:line )?(?P<line>\d+)"),
    re.compile(rb"^\s*(?:# |from )?(?P<path>(?:\./|/)?[\w@./+-]{1,300}\.(?:rb|rake|erb|php|exs?|erl)):(?P<line>\d+)(?::in |$|:)"),
    re.compile(rb"^\s+(?P<path>/?[\w@./+-]{1,300}\.go):(?P<line>\d+)(?: \+0x|$)"),
    re.compile(rb"^\s*(?:-->|at|\xe2\x9d\xaf) +(?:\S+ )?(?P<path>[\w@./+-]{1,300}\.\w{1,8}):(?P<line>\d+)(?::(?P<column>\d+))?"),
    re.compile(rb"^\s*#\d+ [^\n]{1,200} (?P<path>/[\w@./+-]{1,300}\.\w{1,8}):(?P<line>\d+)(?::(?P<column>\d+))?"),
    re.compile(rb"^(?P<path>[\w@./+-]{1,300}\.py):(?P<line>\d+): [A-Z]\w*"),
    re.compile(rb"^\s*at [\w.$/<>]{1,300}\((?P<path>[\w$]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)\)"),
    re.compile(rb"^==\d+== +(?:at|by) 0x[^\n]{1,300}\((?P<path>[\w./+-]+\.\w+):(?P<line>\d+)\)$"),
    re.compile(rb"^\s*(?:in )?(?P<path>[\w@./+-]{1,300}\.lua):(?P<line>\d+):"),
    re.compile(rb"^\s*\([a-z]\w{0,60} [\w.+-]{1,40}\) (?P<path>[\w@./+-]{1,300}\.(?:exs?|erl)):(?P<line>\d+): "),  # Elixir: (app version) place
    re.compile(rb"^(?P<path>(?:[\w@.+-]+/)*(?:[Dd]ockerfile|[Cc]ontainerfile)[\w.-]*|[\w@./+-]{1,300}\.[Dd]ockerfile):(?P<line>\d+)$"),  # BuildKit
)
# Where the compiler says from which place of the project a library's code was asked for.
_ASKED_FROM = re.compile(rb"^(?P<path>[^\s:]{1,300}):(?P<line>\d+):(?P<column>\d+):\s+(?:required from here|note: (?:in instantiation of|candidate|while))")
_IN_TEXT = re.compile(
    rb"(?:^|[\s\"'`(\[>@])(?:file://)?" + _PATH + rb"(?:(?:[:(]|\[(?=\d+, ?\d))(?P<line>[1-9]\d{0,5})(?![\dx/])(?:[:,] ?(?P<column>\d{1,5}))?"
    rb"|[\"'`]?[:,]? (?:at |on |near )?\(?[Ll]ine:? (?P<other>\d{1,6}))"
)
# A name with a number behind it that is a host with its port.
_HOST = re.compile(
    rb"^(?:[\w.-]+@)?[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|local|localdomain|localhost|internal|intranet|example|test|invalid|lan|corp|cloud|svc|cluster)$"
)
# A file is named, and its line further on: "Failed to parse pyproject.toml: unclosed array (at line 10, column 3)".
_FILE_THEN_LINE = re.compile(rb"(?:^|[\s\"'`(\[])" + _PATH + rb"[\"'`:,)]{1,2} [^\n]{1,160}?\b[Ll]ine:? (?P<other>\d{1,6})")
# The source of the tool that logs: in front of the message (klog), behind it (gitlab-runner, rsync). No place of the project.
_LOGGER = re.compile(rb"^[EWIF]\d{4} [\d:.]+ +\d+ \w+\.go:\d+\] |\([\w-]+\.go:\d+:\d+s\)| at \w+\.c\(\d+\) \[\w+=|\(_\w+\.c:\d+\)")
# A place stands near the beginning of a message; the pattern takes time quadratic in what it sees.
_LONGEST = 600
# Frames of the tools themselves and of installed packages are not the project's own.
_FOREIGN = re.compile(
    rb"site-packages|dist-packages|/lib/python\d|<frozen|<string>|<stdin>|node_modules|node:|(?:^|\()internal/(?:modules|process|main|bootstrap|streams|timers|util|fs|errors|deps|async)|\(native\)|/usr/lib|/usr/local/lib|/opt/hostedtoolcache"
    rb"|/gems/|/ruby/\d|vendor/bundle|/vendor/|\.cargo/registry|/rustc/|/rustlib/|/go/src/[a-z0-9]+/(?:[a-z0-9_]+/)*[a-z0-9_]+\.go|/usr/local/go|go/pkg/mod|_testmain|/libexec/"
    rb"|^/usr/include|/include/c\+\+/|vg_replace_\w+\.c|^(?:str\w*dup|v?asprintf|v?f?printf\w*|libc[-_]start\w*|raise|abort|assert)\.c$|/nix/store"
    rb"|^\s*\((?:elixir|ex_unit|stdlib|kernel|compiler|mix|logger|iex|eex|ecto\w*|phoenix\w*|plug\w*|db_connection|postgrex|myxql|jason|telemetry\w*|finch|mint"
    rb"|tesla|httpoison|hackney|absinthe\w*|oban|gen_stage|broadway|swoosh|bamboo|mox|bypass|nimble_\w+|cowboy\w*|ranch|gettext|ex_machina|floki|wallaby) [\d.]"
    rb"|\.nuget/packages|\.gradle/caches|\.m2/|<filename unknown>|\.targets$|Program Files|<internal:|<eval|eval\)|\.rustup/"
    rb"|^(?:Assert|Assertions|TestCase|Method|NativeMethodAccessorImpl|FrameworkMethod|Runner|ParentRunner|Suite|Thread|ThreadPoolExecutor|Unsafe)\.java"
)
# The Java runtime, test frameworks and the server that runs the job: a stack shows them above the project's own frames.
_LIBRARY_FRAME = re.compile(
    rb"^\s*at (?:[\w.$-]*(?:@[\w.+-]+)?/{1,2})?(?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|org\.codehaus\.groovy|junit|org\.junit"
    rb"|org\.testng|org\.hamcrest|org\.assertj|org\.mockito|org\.opentest4j|org\.apache\.maven\.surefire|hudson|jenkins|com\.cloudbees|org\.jvnet"
    rb"|org\.kohsuke|org\.eclipse\.jetty|org\.jenkinsci\.plugins\.(?:workflow|gitclient|pipeline|docker))\.[\w.$/<>]{1,300}\("
)
# Scripts that a runner makes for a step and throws away, and the code of actions: never a place in the project.
_THROWN_AWAY = re.compile(
    r"/_temp/|/_actions/|/\.travis/|@tmp/durable-|^/tmp/(?:jenkins|hudson)\d+|/scripts-\d+-\d+/|^/opt/runner-hooks/|/runner/hook-extensions/"
)


def location_in(text: bytes) -> Location | None:
    """A `path:line[:column]` of the project in a message itself."""
    head = _LOGGER.sub(b"", text[:_LONGEST])
    found = _IN_TEXT.search(head) or _FILE_THEN_LINE.search(head)
    if not found or b"://" in found["path"] or _FOREIGN.search(found["path"]) or _HOST.match(found["path"]):
        return None
    groups = found.groupdict()
    return _location(found["path"], groups.get("line") or groups["other"], groups.get("column"))


def location_around(before: Sequence[bytes], after: Sequence[bytes]) -> Location | None:
    """The nearest frame of the project's own code: above the line for Python, below it for the others; else any frame."""
    foreign: Location | None = None
    for text in reversed(before):
        for shape in _FRAMES_ABOVE:
            if here := _frame(shape.match(text)):
                if not is_foreign(here):
                    return here
                foreign = foreign or here
        if text.startswith((b"Traceback (most recent", b"  + Exception Group")):
            break
    for text in after:
        for shape in _FRAMES_BELOW:
            if found := shape.match(text):
                if not _FOREIGN.search(text) and not _FOREIGN.search(found["path"]) and not _LIBRARY_FRAME.match(text):
                    place = _location(found["path"], found["line"], found.groupdict().get("column"))
                    return place if place.column else _in_full(place, after)
                break
    return foreign


def _in_full(place: Location, after: Sequence[bytes]) -> Location:
    """The same place as a frame further down names it: Playwright shows it above, relative to the folder of the tests."""
    ends = ("/" + place.path).encode()
    for text in after:
        for shape in _FRAMES_BELOW:
            if (found := shape.match(text)) and found["path"].endswith(ends) and found["line"] == str(place.line).encode():
                return _location(found["path"], found["line"], found.groupdict().get("column"))
    return place


def best_location(captured: Location | None, before: Sequence[bytes], root: bytes, after: Sequence[bytes], *, beside: bool = True) -> Location | None:
    """The place to look at for a message: what it names itself, else the project's frame around it, else a place named right beside it.

    `before` and `after` are the lines around the root line in their order. Places of installed packages and of the system are used last,
    places beside the message only where `beside` says so.
    """
    place = _best(captured, before, root, after, beside)
    return None if place and _THROWN_AWAY.search(place.path) else place


def _best(captured: Location | None, before: Sequence[bytes], root: bytes, after: Sequence[bytes], beside: bool) -> Location | None:
    own = captured if captured and not is_foreign(captured) else None
    here = location_in(root)
    if _GUARDS.search(root) and (asked := _asked_from(before, after)):
        return asked
    for place in (own, here):
        if place and place.line is not None:
            return place
    around = _chained(location_around(before, after), after)
    if around and not is_foreign(around):
        return around
    if captured and not own and (asked := _asked_from(before, after)):
        return asked
    close = (*after[:2], *reversed(before[-2:]), *after[2:12]) if beside else ()
    near = (place for text in close if (place := location_in(text)) and place.line is not None and "." in place.path)
    return own or _project_of(root) or next(near, None) or here or captured


# MSBuild names the project at the end of a message whose place is in its own files.
_PROJECT = re.compile(rb" \[(?P<path>[^\[\]\n]{1,300}\.\w{0,8}proj)(?:::[^\]\n]{1,100})?\]$")


def _project_of(root: bytes) -> Location | None:
    project = _PROJECT.search(root)
    return _location(project["path"], None, None) if project else None


# What a library says to those who use its templates.
_GUARDS = re.compile(rb"error: static(?: assertion|_assert) failed")


def _asked_from(before: Sequence[bytes], after: Sequence[bytes]) -> Location | None:
    asked = next(filter(None, map(_ASKED_FROM.match, (*reversed(before[-12:]), *after[:24]))), None)
    return _location(asked["path"], asked["line"], asked["column"]) if asked and not _FOREIGN.search(asked["path"]) else None


# Python prints the exception that was raised while another one was handled, or because of it, below that one.
_CHAINED = (b"The above exception was the direct cause", b"During handling of the above exception")


def _chained(found: Location | None, after: Sequence[bytes]) -> Location | None:
    """The project's deepest frame of the traceback that follows on this one, where this one has frames of libraries only."""
    if not found or not is_foreign(found) or not any(text.startswith(_CHAINED) for text in after[:3]):
        return found
    own = [place for text in after for shape in _FRAMES_ABOVE if (place := _frame(shape.match(text))) and not is_foreign(place)]
    return own[-1] if own else found


def _frame(found: re.Match[bytes] | None) -> Location | None:
    return _location(found["path"], found["line"], None) if found else None


def is_foreign(place: Location) -> bool:
    """Whether the place is in an installed package, the language's own library or the system."""
    return _FOREIGN.search(place.path.encode()) is not None


def _location(path: bytes, line: bytes | None, column: bytes | None) -> Location:
    name = path.decode(errors="replace").strip()
    return Location("Jenkinsfile" if name == "WorkflowScript" else name, int(line) if line else None, int(column) if column else None)
