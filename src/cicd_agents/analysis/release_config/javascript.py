"""Plain literals out of JavaScript configuration: what `module.exports` or `export default` holds, as far as it is data. Nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

# Stands for an expression that would have to be run.
CODE: Final = object()
_MAX_DEPTH = 40
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NUMBER = re.compile(r"[0-9][0-9_]*(?:\.[0-9]+)?")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None}
_OPENING, _CLOSING = {"{": "}", "[": "]", "(": ")"}, {"}", "]", ")"}
# A value that one of these follows is part of a larger expression.
_OPERATORS = frozenset(".?|&+(*%/<>=") | {"-"}
# A slash after one of these begins a regular expression, not a division.
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+") | {"return", ""}
_DECLARATIONS = ("const", "let", "var")


class Unreadable(Exception):
    """The text is no JavaScript that can be split into words: an open string, or nesting beyond bounds."""


class Token(NamedTuple):
    """A word, a sign, or a value (a text, a number or CODE)."""

    kind: str
    text: str
    value: Any = None


@dataclass(slots=True)
class Literals:
    """A cursor over the tokens, and the values of the names that were declared at the top."""

    tokens: list[Token]
    at: int = 0
    names: dict[str, Any] = field(default_factory=dict)

    def peek(self, ahead: int = 0) -> Token:
        """The token at the cursor, or an empty one at the end."""
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("end", "")

    def expression(self, depth: int = 0) -> Any:
        """The value of the expression at the cursor, CODE where it is none; the cursor is behind it then."""
        if depth > _MAX_DEPTH:
            raise Unreadable
        value = self._primary(depth)
        if value is CODE or (self.peek().kind == "sign" and self.peek().text in _OPERATORS):
            self._skip()
            return CODE
        return value

    def _primary(self, depth: int) -> Any:
        token = self.peek()
        if token.kind == "sign" and token.text in "{[":
            self.at += 1
            return self._object(depth) if token.text == "{" else self._array(depth)
        if token.kind == "value":
            self.at += 1
            return token.value
        if token.kind == "word" and (token.text in _CONSTANTS or token.text in self.names):
            self.at += 1
            return _CONSTANTS[token.text] if token.text in _CONSTANTS else self.names[token.text]
        return CODE

    def _array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while self.peek().kind != "end" and self.peek().text != "]":
            if self.peek().text == ",":
                self.at += 1
                continue
            items.append(self.expression(depth + 1))
            self._expect(",]")
        self.at += 1
        return items

    def _object(self, depth: int) -> dict[str, Any]:
        table: dict[str, Any] = {}
        while self.peek().kind != "end" and self.peek().text != "}":
            if self.peek().text == ",":
                self.at += 1
                continue
            key, value = self._entry(depth)
            if key:
                table[key] = value
            self._expect(",}")
        self.at += 1
        return table

    def _entry(self, depth: int) -> tuple[str, Any]:
        """One property; a spread, method or computed key has the key `...` and is CODE."""
        token, after = self.peek(), self.peek(1)
        key = token.text if token.kind == "word" else str(token.value) if token.kind == "value" and token.value is not CODE else ""
        if key and after.text == ":" and after.kind == "sign":
            self.at += 2
            return key, self.expression(depth + 1)
        if key and token.kind == "word" and after.text in (",", "}"):
            return key, self.expression(depth + 1)
        self._skip()
        return key or "...", CODE

    def _expect(self, ends: str) -> None:
        """Go to the next sign that ends an item; what stands before it is code that was cut short."""
        if self.peek().text not in ends:
            self._skip()

    def _skip(self) -> None:
        """Pass over the rest of an expression: to the next comma, semicolon or closing bracket of its own level."""
        waiting: list[str] = []
        while self.peek().kind != "end":
            token = self.peek()
            if token.kind == "sign":
                if not waiting and (token.text in _CLOSING or token.text in ",;"):
                    return
                if token.text in _OPENING:
                    waiting.append(_OPENING[token.text])
                elif waiting and token.text == waiting[-1]:
                    waiting.pop()
            self.at += 1


def exported(text: str) -> Any:
    """What the file exports: data with CODE in the place of every expression, or CODE itself where it cannot be read."""
    try:
        return _exported(Literals(list(_tokens(text))))
    except Unreadable:
        return CODE


def _exported(literals: Literals) -> Any:
    depth = 0
    while literals.peek().kind != "end":
        token = literals.peek()
        if depth == 0 and token.kind == "word":
            if token.text in _DECLARATIONS and literals.peek(1).kind == "word":
                _declare(literals)
                continue
            if _at_export(literals):
                return literals.expression()
        if token.kind == "sign":
            depth = max(0, depth + (token.text in _OPENING) - (token.text in _CLOSING))
        literals.at += 1
    return CODE


def _declare(literals: Literals) -> None:
    """Remember `const name = value`, with or without a type between."""
    name = literals.peek(1).text
    literals.at += 2
    while literals.peek().kind != "end" and literals.peek().text not in "=;":
        literals.at += 1
    if literals.peek().text == "=":
        literals.at += 1
        literals.names[name] = literals.expression()


def _at_export(literals: Literals) -> bool:
    """Step behind `module.exports =` or `export default`."""
    following = [literals.peek(ahead).text for ahead in range(4)]
    length = 4 if following == ["module", ".", "exports", "="] else 2 if following[:2] == ["export", "default"] else 0
    literals.at += length
    return length > 0


def _tokens(text: str) -> Iterator[Token]:
    """The words, signs and values of the text, without comments. Each character is looked at a bounded number of times."""
    at, last = 0, ""
    while at < len(text):
        sign = text[at]
        if sign.isspace():
            at += 1
            continue
        if text.startswith(("//", "/*"), at):
            at = _after(text, "\n" if text[at + 1] == "/" else "*/", at + 2)
            continue
        token, at = _token(text, at, last)
        last = token.text
        yield token


def _token(text: str, at: int, last: str) -> tuple[Token, int]:
    sign = text[at]
    if sign in "\"'":
        value, end = _string(text, at)
        return Token("value", "text", value), end
    if sign == "`":
        return _template(text, at)
    if sign == "/" and last in _BEFORE_REGEX:
        return Token("value", "regex", CODE), _regex_end(text, at)
    word = _WORD.match(text, at)
    if word:
        return Token("word", word[0]), word.end()
    number = _NUMBER.match(text, at)
    if number:
        plain = number[0].replace("_", "")
        return Token("value", "number", float(plain) if "." in plain else int(plain[:18])), number.end()
    if text.startswith("...", at):
        return Token("spread", "..."), at + 3
    return Token("sign", sign), at + 1


def _after(text: str, end: str, start: int) -> int:
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _string(text: str, at: int) -> tuple[str, int]:
    """The text of a string in single or double quotes, and where it ends."""
    quote, parts, at = text[at], [], at + 1
    while at < len(text) and text[at] not in (quote, "\n"):
        if text[at] == "\\":
            parts.append(_ESCAPES.get(text[at + 1 : at + 2], text[at + 1 : at + 2]))
            at += 2
        else:
            parts.append(text[at])
            at += 1
    if text[at : at + 1] != quote:
        raise Unreadable
    return "".join(parts), at + 1


def _template(text: str, at: int) -> tuple[Token, int]:
    """A template: a text without `${…}`, else CODE."""
    start, depth, code, at = at, 0, False, at + 1
    while at < len(text) and (text[at] != "`" or depth):
        if text[at] == "\\":
            at += 1
        elif text.startswith("${", at):
            depth, code = depth + 1, True
        elif text[at] == "}" and depth:
            depth -= 1
        at += 1
    if at >= len(text):
        raise Unreadable
    return Token("value", "text", CODE if code else text[start + 1 : at]), at + 1


def _regex_end(text: str, at: int) -> int:
    """Where a regular expression ends; a slash in a character class does not end it."""
    inside, at = False, at + 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] in "[]":
            inside = text[at] == "["
        elif text[at] == "/" and not inside:
            flags = _WORD.match(text, at + 1)
            return flags.end() if flags else at + 1
        at += 1
    raise Unreadable
