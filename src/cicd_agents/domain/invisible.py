"""What is in a text but not seen by its reader: terminal control sequences, control characters, zero-width and bidi characters."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 without the line breaks and the tab; soft hyphen, joiners, direction marks, fillers, variation selectors, tags.
_CHARACTERS = (
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What follows the first character of a sequence (ECMA-48): CSI; OSC, DCS, SOS, PM and APC up to their end; other escapes.
# Jenkins hides a console note between ESC[8mha: and ESC[0m.
_CSI = r"[0-?]*+[ -/]*+[@-~]"
_STRING = r"[^\x07\x1b\x9c\n]*+(?:\x07|\x1b\\|\x9c)"
_SEQUENCES = (
    rf"(?<=\x1b)(?:\[8mha:[A-Za-z0-9+/=]*+\x1b\[0m|\[{_CSI}|[\]PX^_]{_STRING}|[ -/]*+[0-~])"
    rf"|(?<=\x9b){_CSI}|(?<=[\x90\x98\x9d-\x9f]){_STRING}"
)
INVISIBLE = re.compile(f"{_CHARACTERS}(?:{_SEQUENCES})?")

# Whatever some reader takes for the end of a line (str.splitlines and more readers agree on these).
LINE_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
LINE_BREAK = re.compile(f"\r\n|[{LINE_BREAKS}]")

SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_MARKS = 8  # combining marks on one character; more are a prank, and normalisation takes quadratic time for them


def seen(text: str) -> str:
    """What a reader sees of a text: whole characters in their usual composition, every line break as a line feed, nothing invisible."""
    if SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = INVISIBLE.sub("", LINE_BREAK.sub("\n", text))
    return text if text.isascii() else unicodedata.normalize("NFC", _few_marks(text))


def _few_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)
