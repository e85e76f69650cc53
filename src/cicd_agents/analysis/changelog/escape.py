"""Words of commit messages made safe for Markdown: nothing in them is markup, and nothing comes to life on GitHub or GitLab.

The rules are those of `report.escape`, which this room may not import.
"""

from __future__ import annotations

import re

from cicd_agents.domain.invisible import seen

# What is brought to life after Markdown is parsed, so that neither a backslash nor an entity stops it: mentions and addresses, references of
# every kind, URLs, commit ids, maths, placeholders, quick actions.
LIVE = re.compile(
    r"@\w|[#!&]\d|[~%^][\w\"]|%\{|\$|\[\w+:|\*iteration:|://|www\.|(?:mailto|xmpp):|(?<!\w)gh-\d|^/\w"
    r"|(?<![0-9a-z_])(?=\d{0,63}[a-f])(?=[a-f]{0,63}\d)[0-9a-f]{7,64}(?![0-9a-z_])",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[\\*_\[\]~|]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&#96;"})
_AROUND = "()[]{},.;:!?\"'"  # punctuation around a word stays outside its code


def visible(text: str, limit: int) -> str:
    """At most `limit` characters that a reader sees, with line feeds for all line breaks; what is cut ends in `…`."""
    text = text[: 4 * limit + 100]  # what is unseen may be more than what is seen, but not without end
    if text.isascii() and text.isprintable():
        return cut(text, limit)
    return cut(seen(text), limit)


def cut(text: str, limit: int) -> str:
    """The beginning of a text, ending in `…` where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def word(text: str) -> str:
    """A word without blanks: as code where a platform would make it live, else escaped."""
    if not LIVE.search(text):
        return escaped(text)
    core = text.strip(_AROUND)
    if not LIVE.search(core):
        return code(text)
    before, _, after = text.partition(core)
    return escaped(before) + code(core) + escaped(after)


def escaped(text: str) -> str:
    """Text whose markup is shown as it is written."""
    return _MARKUP.sub(r"\\\g<0>", text).translate(_ENTITIES)


def code(text: str) -> str:
    """Inline code on one line."""
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """A block of code; of the language only letters, digits and signs are kept."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{re.sub(r'[^A-Za-z0-9+-]', '', language)[:20]}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0) if "`" in text else 0
