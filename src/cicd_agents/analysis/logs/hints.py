"""What a tool itself says beside its error: its own suggestions, and the values and source that it shows (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cicd_agents.analysis.logs.clean import shortened

MOST_HINTS, MOST_SHOWN = 3, 6
_LONGEST = 240
# A suggestion begins a line, or stands in the message itself.
_HINT = re.compile(
    r"^[\s|=*>-]*(?:npm (?:ERR!|error) |error: |\[\w+\] |E: )?"
    r"(?:(?:help|hint|tip|suggestion|solution|fix|possible (?:fix|solution|cause)s?|did you (?:mean|forget))\b ?[:?]? ?\S"
    r"|(?:to (?:fix|solve|resolve|address|update|ignore|bypass|force|disable|avoid|apply|allow|install|enable)|try|perhaps|maybe|consider"
    r"|please (?:run|add|install|use|set|update|upgrade|check|make sure|ensure|specify)|you (?:can|may|might|should|need to|must|have to)"
    r"|run [`'\"$]|use [`'\"-]|if (?:you|this)|make sure|ensure|either) \S)",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"(?i)did you mean|you (?:may|might) need|(?:please|try) (?:run|add|install|us|set|re-?run|updat|upgrad)"
    r"|(?:run|use|add) [`'\"]|to (?:fix|resolve|update) "
)
# Where to read more, how to report a bug, how to print more: no suggestion for this failure.
_IDLE = re.compile(
    r"(?i)more (?:info|detail|help)|--(?:stacktrace|info|debug|scan|verbose|help)\b|full (?:log|stack|trace)|complete log|report (?:this|a bug|an issue|it)"
    r"|open an issue|RUST_BACKTRACE|get more|see (?:the|https?)|backtrace|^\W*note: (?:run|the|some|this|in)\b|enable .*logging|-X switch|-e switch"
    r"|if you are (?:the|a) maintainer|if you (?:think|believe)"
)
# Lines that show what was compared, or the source at the place of the error.
_SHOWN = re.compile(
    r"^\s*(?:>\s+\S|E\s{2,}\S|(?:-\s*|\+\s*)?(?:expected|received|actual|got|want(?:ed)?|left|right|but was|found|required|note: expected|diff)\b"
    r" ?(?:value|type|result|output)?s?\s*[:=(]|[>→]?\s*\d+\s*[|│]\s*\S|Failure/Error: \S|\S+\.(?:\w{1,5}):\d+(?::\d+)?:? \S)",
    re.IGNORECASE,
)


def hints_of(root: str, after: Iterable[str]) -> tuple[str, ...]:
    """The tool's own suggestions: in the root line, or in the lines after it."""
    found = [root] if _INLINE.search(root) and not _IDLE.search(root) else []
    found += [text for text in after if (_HINT.search(text) or _INLINE.search(text)) and not _IDLE.search(text)]
    return tuple(dict.fromkeys(_cut(text) for text in found))[:MOST_HINTS]


def shown_by(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that show compared values or the source at the place, in their order."""
    return tuple(_first(_cut(text) for text in lines if _SHOWN.search(text)))


def _first(texts: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for text in texts:
        if text not in seen and len(seen) < MOST_SHOWN:
            seen.add(text)
            yield text


def _cut(text: str) -> str:
    return shortened(" ".join(text.split()), _LONGEST)
