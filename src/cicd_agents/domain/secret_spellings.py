"""The other spellings under which a known secret may appear in a log: encoded, escaped, quoted."""

from __future__ import annotations

import base64
import json
import math
import re

MIN_LENGTH = 6  # shorter values would also hide ordinary words
MIN_LINE = 12  # a line of a multi-line secret; shorter ones are braces and the like

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What the usual encoders leave as it is: nothing, a path, JavaScript's encodeURIComponent, encodeURI.
_KEPT = (b"", b"/", b"!'()*", b";,/?:@&=+$-_.!~*'()#")
_SHELL_SPECIAL = re.compile(r"([^\w@%+=:,./-])")
_GO_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def spellings(value: str) -> frozenset[str]:
    """Every spelling of one secret value that is long enough to be looked for; empty for a short value."""
    whole = value.strip()
    if len(whole) < MIN_LENGTH:
        return frozenset()
    forms = {whole, value} | _base64(whole) | _percent(whole) | _json(whole) | _shell(whole) | _hex(whole)
    forms.add(whole.translate(_HTML))
    forms.update(_long_lines(whole))
    return frozenset(form for form in forms if len(form) >= MIN_LENGTH)


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _base64(value: str) -> set[str]:
    """Base64 at the three alignments: only the characters that do not depend on what stands before and after the secret."""
    forms: set[str] = set()
    raw = _bytes(value)
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        core = encoded[math.ceil(8 * shift / 6) : 8 * (shift + len(raw)) // 6]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms | {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}


def _percent(value: str) -> set[str]:
    """Percent-encoded, with either case of the digits, and with + for a blank as forms do."""
    forms: set[str] = set()
    for kept in _KEPT:
        plain = _UNRESERVED | frozenset(kept)
        for digits in ("%{:02X}", "%{:02x}"):
            encoded = "".join(chr(byte) if byte in plain else digits.format(byte) for byte in _bytes(value))
            forms |= {encoded, encoded.replace("%20", "+")}
    return forms


def _json(value: str) -> set[str]:
    """As the inside of a JSON string (also Go's and PHP's escapes), and as JSON inside JSON."""
    once = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    once |= {form.translate(_GO_JSON) for form in once} | {form.replace("/", "\\/") for form in once}
    return once | {json.dumps(form, ensure_ascii=False)[1:-1] for form in once}


def _shell(value: str) -> set[str]:
    """Inside single quotes, inside double quotes, and with a backslash before each special character."""
    doubled = re.sub(r'([\\"$`])', r"\\\1", value)
    return {value.replace("'", "'\\''"), value.replace("'", "'\"'\"'"), doubled, _SHELL_SPECIAL.sub(r"\\\1", value)}


def _hex(value: str) -> set[str]:
    digits = _bytes(value).hex()
    return {digits, digits.upper()}


def _long_lines(value: str) -> set[str]:
    """A log prefixes every line, so a multi-line secret is also known by its lines (but not by a PEM border)."""
    lines = (line.strip() for line in value.splitlines())
    return {line for line in lines if len(line) >= MIN_LINE and not line.startswith("-----")}
