"""The conditions of AnalysisTemplates: a part of the expr language, parsed here and never given to Python (pure; expression_values.py evaluates them).

Read: numbers, texts, true, false, nil, result with indexes, slices and fields, arithmetic, comparisons, && || ! and or not, in, ?:, ??, contains, startsWith,
endsWith, and the functions of FUNCTIONS with closures such as {# < 1}. Source: expr-lang.org/docs/language-definition, and utils/evaluate of Argo Rollouts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cicd_agents.domain.errors import UsageError

LONGEST, DEEPEST = 2000, 40
# Name: the number of arguments; those of CLOSURES take an array and a closure.
FUNCTIONS = {
    "len": 1, "isNaN": 1, "isInf": 1, "isNil": 1, "default": 2, "asInt": 1, "asFloat": 1, "abs": 1, "ceil": 1, "floor": 1, "round": 1, "int": 1, "float": 1,
    "min": 1, "max": 1, "sum": 1, "mean": 1, "median": 1, "first": 1, "last": 1,
}  # fmt: skip
CLOSURES = ("all", "any", "none", "one", "filter", "map", "count")
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_BINDING = {
    "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "contains": 4, "startsWith": 4, "endsWith": 4,
    "+": 6, "-": 6, "*": 7, "/": 7, "%": 7, "**": 9, "^": 9, "??": 10,
}  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d[\d_]*\.\d[\d_]*|\.\d+|\d[\d_]*)(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_$][\w$]*)"""
    r"""|(?P<sign>\?\.|\?\?|\*\*|&&|\|\||[=!<>]=|[-+*/%^<>!?:()\[\]{}.,#]))"""
)


class ConditionError(UsageError):
    """A condition that was read cannot be evaluated on a value; Argo Rollouts calls such a measurement an Error."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition: `kind` is number, text, constant, result, item (#), field, index, slice, call, unary, binary, choice or list."""

    kind: str
    value: str | float | bool | None = None
    parts: tuple[Node | None, ...] = ()


def parse_condition(text: str) -> Node:
    """The condition as a tree. Raises UsageError, with what stands in the way, for what is no condition or uses what is not read here."""
    if len(text) > LONGEST:
        raise UsageError(f"The condition {text[:40]!r}… is longer than {LONGEST} characters.")
    parser = _Parser(text, _tokens(text))
    node = parser.expression(0)
    if parser.kind() != "end":
        raise parser.wrong()
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found or found.end() == at:
            raise UsageError(f"The condition {text[:120]!r} cannot be read at {text[at:].strip()[:20]!r}.")
        kind = found.lastgroup or ""
        value = found[kind]
        if kind == "name" and value in _WORDS:
            kind, value = "sign", _WORDS[value]
        tokens.append((kind, value))
        at = found.end()
    return [*tokens, ("end", "")]


class _Parser:
    """Precedence climbing; `closure` counts the closures around, since # is known only inside of one."""

    def __init__(self, text: str, tokens: list[tuple[str, str]]) -> None:
        self.text, self.tokens, self.at, self.depth, self.closure = text, tokens, 0, 0, 0

    def kind(self) -> str:
        return self.tokens[self.at][0]

    def sign(self) -> str:
        kind, value = self.tokens[self.at]
        return value if kind in {"sign", "name"} else ""

    def take(self) -> tuple[str, str]:
        token = self.tokens[self.at]
        self.at += token[0] != "end"
        return token

    def taken(self, sign: str) -> bool:
        if self.sign() == sign:
            self.at += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.taken(sign):
            raise self.wrong(f"{sign!r} is missing")

    def wrong(self, why: str = "") -> UsageError:
        there = self.tokens[self.at][1] or "its end"
        return UsageError(f"The condition {self.text[:120]!r} cannot be read at {there[:20]!r}{': ' + why if why else ''}.")

    def expression(self, least: int) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UsageError(f"The condition {self.text[:120]!r} is nested too deeply.")
        node = self.unary()
        while (sign := self.operator()) and _BINDING[sign[-1]] >= max(least, 1):
            self.at += len(sign)
            power = _BINDING[sign[-1]]
            right = self.expression(power if sign[-1] in {"**", "^"} else power + 1)
            node = Node("binary", sign[-1], (node, right))
            node = Node("unary", "!", (node,)) if len(sign) > 1 else node
        if least == 0 and self.taken("?"):
            yes = self.expression(0)
            self.need(":")
            node = Node("choice", None, (node, yes, self.expression(0)))
        self.depth -= 1
        return node

    def operator(self) -> tuple[str, ...]:
        """The tokens of the binary operator that comes next: one, or two for `not in`."""
        sign = self.sign()
        if sign == "!" and self.tokens[self.at + 1][1] in {"in", "contains", "startsWith", "endsWith"}:
            return (sign, self.tokens[self.at + 1][1])
        return (sign,) if sign in _BINDING else ()

    def unary(self) -> Node:
        if self.sign() in {"!", "-", "+"} and self.kind() == "sign":
            sign = self.take()[1]
            return Node("unary", sign, (self.expression(7 if sign == "!" else 8),))
        return self.postfix(self.primary())

    def primary(self) -> Node:
        kind, value = self.take()
        if kind == "number":
            digits = value.replace("_", "")
            return Node("number", float(digits) if re.search(r"[.eE]", digits) else int(digits[:30]))
        if kind == "text":
            return Node("text", re.sub(r"\\(.)", r"\1", value[1:-1]))
        if kind == "name":
            return self.named(value)
        if value == "(":
            node = self.expression(0)
            self.need(")")
            return node
        if value == "[":
            return Node("list", None, self.several("]"))
        if value in {"#", "."} and self.closure:
            self.at -= value == "."
            return Node("item")
        self.at -= kind != "end"
        raise self.wrong("# stands only inside of a closure" if value == "#" else "")

    def named(self, name: str) -> Node:
        if name in {"true", "false", "nil"}:
            return Node("constant", {"true": True, "false": False, "nil": None}[name])
        if name == "result":
            return Node("result")
        if (name in FUNCTIONS or name in CLOSURES) and self.taken("("):
            return self.call(name)
        self.at -= 1
        known = ", ".join([*FUNCTIONS, *CLOSURES])
        raise self.wrong(f"only result and these functions are known: {known}")

    def call(self, name: str) -> Node:
        if name not in CLOSURES:
            parts = self.several(")")
            if len(parts) != FUNCTIONS[name] and not (name in {"min", "max"} and parts):
                raise self.wrong(f"{name} takes {FUNCTIONS[name]}")
            return Node("call", name, parts)
        over = self.expression(0)
        self.need(",")
        braces = self.taken("{")
        self.closure += 1
        body = self.expression(0)
        self.closure -= 1
        if braces:
            self.need("}")
        self.need(")")
        return Node("call", name, (over, body))

    def several(self, end: str) -> tuple[Node, ...]:
        parts: list[Node] = []
        while not self.taken(end):
            if parts:
                self.need(",")
            parts.append(self.expression(0))
        return tuple(parts)

    def postfix(self, node: Node) -> Node:
        while True:
            if self.taken(".") or self.taken("?."):
                optional = self.tokens[self.at - 1][1] == "?."
                kind, name = self.take()
                if kind != "name" or self.sign() == "(":
                    raise self.wrong("methods are not read" if kind == "name" else "")
                node = Node("field", name, (node, Node("constant", optional)))
            elif self.taken("["):
                node = self.indexed(node)
            else:
                return node

    def indexed(self, node: Node) -> Node:
        low = None if self.sign() == ":" else self.expression(1)
        if not self.taken(":"):
            self.need("]")
            return Node("index", None, (node, low))
        high = None if self.sign() == "]" else self.expression(1)
        self.need("]")
        return Node("slice", None, (node, low, high))
