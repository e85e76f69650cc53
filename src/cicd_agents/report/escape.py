"""The one place where untrusted text is made safe for the place where it is shown: a terminal, a CI log, Markdown, XML, Slack, a workflow command.

Secrets are hidden before (domain.redaction). Of these functions `workflow_safe` comes last, on what is printed.
"""

from __future__ import annotations

import re

from cicd_agents.domain.invisible import INVISIBLE, LINE_BREAKS, SURROGATE, seen


def plain(text: str, limit: int) -> str:
    """Text for a terminal: at most `limit` visible characters, line feeds and tabs; what is cut ends in `…`."""
    return _cut(seen(text), limit)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 1] + "…" if limit > 0 else ""


def truncate_utf8(text: str, budget: int) -> str:
    """The longest beginning of the text that fits `budget` bytes of UTF-8."""
    data = SURROGATE.sub("\ufffd", text).encode()
    return data[: max(budget, 0)].decode(errors="ignore")


_LINES = re.compile(f"([{LINE_BREAKS}])")
_COMMAND = re.compile(rf"((?>(?:\s|{INVISIBLE.pattern})*)):(?=:)")
_LEGACY = re.compile(r"##(?=[\w.-]*+\[)")
_SECTION = re.compile(r"(section_(?:start|end)):(?=\s*+[0-9])")


def workflow_safe(text: str) -> str:
    """Text for our own output: no CI system takes a line of it for a command; a blank breaks what would be one.

    GitHub: `::name::` where a line begins, after blanks, and `##[name]` anywhere (actions/runner, ActionCommand).
    Azure: `##vso[` anywhere; TeamCity: `##teamcity[`. GitLab: `section_start:TIME:NAME`, which folds the log.
    """
    if "::" in text:
        text = "".join(_COMMAND.sub(r"\1: ", line, count=1) if _COMMAND.match(line) else line for line in _LINES.split(text))
    return _SECTION.sub(r"\1 :", _LEGACY.sub("## ", text))


# What GitHub or GitLab bring to life after Markdown is parsed, so that neither a backslash nor an entity stops it (cmark-gfm#181):
# mentions and addresses, references of every kind, URLs, commit ids, maths, placeholders, and quick actions.
_LIVE = re.compile(
    r"@\w|[#!&]\d|[~%^][\w\"]|%\{|\$|\[\w+:|://|www\.|(?:mailto|xmpp):|(?<!\w)gh-\d|^/\w"
    r"|(?<![0-9a-z_])(?=\d{0,63}[a-f])(?=[a-f]{0,63}\d)[0-9a-f]{7,64}(?![0-9a-z_])",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[\\*_\[\]~]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&#96;"})
_AROUND = "()[]{},.;:!?\"'"  # punctuation around a word stays outside its code
_BLOCK_START = re.compile(r"^(?=[#+=-])|^(\d{1,9})(?=[.)])")


def inline(text: str, limit: int = 300) -> str:
    """One line of Markdown prose that shows at most `limit` characters of the text as they are.

    Words that a platform would make live (mentions, references, URLs, quick actions) become code; all other markup is escaped.
    """
    words = _cut(" ".join(seen(text).split()), limit).split(" ")
    return _BLOCK_START.sub(r"\1\\", " ".join(r"\|".join(_word(part) for part in word.split("|")) for word in words))


def prose(text: str, limit: int = 600) -> str:
    """A text of ours that may quote the log: what stands in backticks becomes code, all else is escaped."""
    parts = re.split(r"`([^`\n]{1,200})`", text[:limit])
    made = ""
    for index, part in enumerate(parts):
        if part:
            next_one = code_span(part) if index % 2 else _spaced(part, limit)
            made += f" {next_one}" if made.endswith("`") and next_one.startswith("`") else next_one  # two runs of backticks must not join
    return made


def _spaced(text: str, limit: int) -> str:
    """Escaped, with the blank kept that divides it from a code span."""
    before, after = text[:1].isspace() * " ", text[-1:].isspace() * " "
    return f"{before}{inline(text, limit).strip()}{after}" if text.strip() else " "


def _word(word: str) -> str:
    if not _LIVE.search(word):
        return _escaped(word)
    core = word.strip(_AROUND)
    if not _LIVE.search(core):
        return code_span(word, len(word))
    before, _, after = word.partition(core)
    return _escaped(before) + code_span(core, len(core)) + _escaped(after)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text).translate(_ENTITIES)


def code_span(text: str, limit: int = 200) -> str:
    """Inline code on one line. A pipe is escaped for tables (elsewhere its backslash is seen)."""
    body = _cut(" ".join(seen(text).split()), limit)
    ticks = "`" * (_longest_run(body) + 1)
    pad = " " if not body or body.startswith("`") or body.endswith("`") else ""
    return ticks + pad + body.replace("|", r"\|") + pad * bool(body) + ticks


def fence(text: str, limit: int, language: str = "text") -> str:
    """A code block of at most `limit` characters of the text, cut after a whole line, with a note of the lines left out."""
    body = seen(text).rstrip("\n")
    if len(body) > limit:
        body = _cut_lines(body, limit)
    ticks = "`" * max(3, _longest_run(body) + 1)
    return f"{ticks}{re.sub(r'[^A-Za-z0-9+-]', '', language)}\n{body}\n{ticks}"


def _cut_lines(body: str, limit: int) -> str:
    head, line_feed, _ = body[: limit + 1].rpartition("\n")
    if not line_feed:
        head = _cut(body[: limit + 1].partition("\n")[0], limit)
    left_out = body.count("\n") - head.count("\n")
    note = f"… {left_out} more line{'s' if left_out > 1 else ''}"
    return "\n".join(part for part in (head, note if left_out else "") if part)


# What stands for the characters that end a workflow command's data or a property of it (actions/toolkit, packages/core/src/command.ts).
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_COMMAND_DATA = str.maketrans(_DATA)
_COMMAND_PROPERTY = str.maketrans({**_DATA, ":": "%3A", ",": "%2C"})


def command_data(text: str, limit: int) -> str:
    """The message of a GitHub workflow command: one line that shows as the lines of the text, none of them a command itself."""
    return workflow_safe(plain(text, limit)).translate(_COMMAND_DATA)


def command_property(text: str, limit: int) -> str:
    """A property of a GitHub workflow command."""
    return workflow_safe(" ".join(plain(text, limit).split())).translate(_COMMAND_PROPERTY)


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production Char
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;"})


def xml_text(text: str, limit: int) -> str:
    """The content of an XML element."""
    return _NOT_XML.sub("", workflow_safe(plain(text, limit))).translate(_XML)


def xml_attribute(text: str, limit: int) -> str:
    """The value of an XML attribute, to be put between double quotes; a line feed is kept as a reference."""
    return xml_text(text, limit).replace("\n", "&#10;")


_MRKDWN = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})  # docs.slack.dev, formatting message text: the control characters


def mrkdwn(text: str, limit: int) -> str:
    """One line of Slack's mrkdwn of at most `limit` characters as they are sent. Links and mentions need `<`, so the text has none; it may be bold."""
    return _whole_entities(" ".join(seen(text).split()).translate(_MRKDWN), limit)


def mrkdwn_code(text: str, limit: int) -> str:
    """Inline code of Slack's mrkdwn, of at most `limit` characters as they are sent."""
    body = " ".join(seen(text).split()).replace("`", "'").translate(_MRKDWN)  # there is no escape for a backtick
    return f"`{_whole_entities(body, limit - 2) or ' '}`"


def _whole_entities(text: str, limit: int) -> str:
    """Cut so that no entity is halved."""
    return re.sub(r"&[a-z]{0,3}…$", "…", _cut(text, limit))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
