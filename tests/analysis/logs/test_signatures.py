"""Every bundled signature keeps what it promises."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from cicd_agents.analysis.logs import bundled, clean
from cicd_agents.analysis.logs.matching import match_at
from cicd_agents.analysis.logs.signature import Signature, fill, parse_file
from cicd_agents.analysis.logs.signature_check import problems
from cicd_agents.domain.errors import SignatureError

RULES = bundled.signatures()


FAMILIES = {name: list(rules) for name, rules in groupby(sorted(RULES, key=lambda rule: rule.family), key=lambda rule: rule.family)}
by_family = pytest.mark.parametrize("rules", FAMILIES.values(), ids=FAMILIES)


@by_family
def test_rules(rules: list[Signature]) -> None:
    assert {rule.id: found for rule in rules if (found := problems(rule))} == {}


def test_there_are_many_and_their_ids_are_unique() -> None:
    assert len(RULES) >= 200
    assert [name for name, count in Counter(rule.id for rule in RULES).items() if count > 1] == []


@by_family
def test_every_pattern_runs_in_linear_time(rules: list[Signature]) -> None:
    """RE2 runs every pattern that it accepts in time linear in the text, so it is enough that RE2 alone compiles and runs them.

    https://github.com/google/re2/wiki/WhyRE2. The baits below make backtracking engines explode; RE2 must just answer.
    """
    for rule in rules:
        patterns = [rule.compiled, *rule.compiled_nearby, *([rule.compiled_unless] if rule.compiled_unless else [])]
        assert [compiled for compiled in patterns if not type(compiled).__module__.startswith("re2")] == [], rule.id
        for bait in _baits(rule):
            match_at(rule, [clean.text_of(bait).decode()], 0)


def _baits(rule: Signature) -> list[bytes]:
    """An example's beginning, repeated so that nested and neighbouring quantifiers have much to try."""
    line = max(rule.examples[0].split("\n"), key=len).encode()
    pieces = {line[:size] for size in (1, 3, 8, len(line) // 2, len(line))}
    return [piece * (8000 // max(1, len(piece))) + b"\x00" for piece in pieces if piece]


def test_the_catalogue_finds_what_each_rule_finds() -> None:
    ready = bundled.bundled()
    for index, rule in enumerate(RULES):
        for sample in (*rule.examples, *rule.near_misses):
            for raw in sample.encode().split(b"\n"):
                text = clean.text_of(raw)
                if text:
                    assert bool(rule.compiled.search(text.decode())) == (index in ready.exact.match(text)), (rule.id, text)


GOOD = r"""
[[signature]]
id = "acme.broken"
tool = "acme"
category = "other"
weight = 80
match = '''^acme: broken (?P<thing>\w+)'''
title = "{thing|A thing} is broken"
cause = "acme says so."
fixes = [{ kind = "quick", title = "Mend {thing}", commands = ["acme mend {thing}"] }]
examples = ["acme: broken wheel"]
near_misses = ["acme: mended wheel"]
"""

BAD = [
    ("not TOML", "= 1", "not valid TOML"),
    ("nothing in it", "", "no [[signature]] table"),
    ("a stray key", "extra = 1\n" + GOOD, "unknown key 'extra'"),
    ("an unknown field", GOOD + 'color = "red"\n', "rule acme.broken: unknown key 'color'"),
    ("no title", re.sub("title = .*", "", GOOD, count=1), "'title' must be a text"),
    ("a bad id", GOOD.replace("acme.broken", "Acme"), "'id' must look like"),
    ("a weight that is text", GOOD.replace("weight = 80", 'weight = "80"'), "'weight' must be a whole number"),
    ("an unknown category", GOOD.replace('"other"', '"others"'), "'category' is 'others'"),
    ("an unknown role", GOOD + 'role = "boss"\n', "'role' is 'boss'"),
    ("an unknown phase", GOOD + 'phase = "later"\n', "'phase' is 'later'"),
    ("docs that are no text", GOOD + "docs = 1\n", "'docs' must be a text"),
    ("place that is no text", GOOD + "place = 1\n", "'place' must be a text"),
    ("transient that is no truth value", GOOD + 'transient = "yes"\n', "'transient' must be true or false"),
    ("a nearby without lines", GOOD + "nearby = [{ match = 'x' }]\n", "needs 'match' and 'lines"),
    ("a nearby out of reach", GOOD + "nearby = [{ match = 'x', lines = [0, 9999] }]\n", "two numbers in order"),
    ("a nearby with a stray key", GOOD + "nearby = [{ match = 'x', line = 1 }]\n", "each 'nearby' is"),
    ("a nearby that is no list", GOOD + "nearby = 'x'\n", "'nearby' must be a list"),
    ("a fix of no kind", GOOD.replace('kind = "quick"', 'kind = "slow"'), "'kind' is 'slow'"),
    ("a fix with a stray key", GOOD.replace("kind =", "x = 1, kind ="), "each fix is"),
    ("a fix without title", GOOD.replace('title = "Mend {thing}"', "title = 1"), "a fix needs a 'title'"),
    ("commands that are no list", GOOD.replace('["acme mend {thing}"]', '"acme mend"'), "'commands' of a fix"),
    ("examples that are numbers", GOOD.replace('["acme: broken wheel"]', "[1]"), "'examples' must hold texts"),
]


@pytest.mark.parametrize(("text", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_is_refused_with_file_rule_and_reason(text: str, reason: str) -> None:
    with pytest.raises(SignatureError) as refusal:
        parse_file(text, "own.toml")
    assert "own.toml" in str(refusal.value)
    assert reason in str(refusal.value)


BROKEN = [
    ("an example that does not match", GOOD.replace('"acme: broken wheel"', '"acme: fine"'), "does not match its example"),
    ("a near miss that matches", GOOD.replace('"acme: mended wheel"', '"acme: broken heart"'), "matches its near miss"),
    ("no example", GOOD.replace('["acme: broken wheel"]', "[]"), "has no example"),
    ("no near miss", GOOD.replace('["acme: mended wheel"]', "[]"), "has no near miss"),
    ("a look-ahead", GOOD.replace("broken ", "(?=b)broken "), "not valid RE2 syntax"),
    ("a back-reference", GOOD.replace(r"\w+)", r"\w+)\1"), "not valid RE2 syntax"),
    ("an anchor in the middle", GOOD.replace("^acme", "x|^acme"), "only at the very start"),
    ("an anchor that binds one alternative", GOOD.replace("broken (?P<thing>\\w+)", "x|broken"), "binds only the first"),
    ("a class with a non-ASCII character", GOOD.replace("broken ", "[é]?broken "), "non-ASCII"),
    ("a pattern for anything", GOOD.replace(r"^acme: broken (?P<thing>\w+)", r"\w*"), "matches the empty line"),
    ("a text without its capture", GOOD.replace("{thing|A thing}", "{other}"), "needs a capture"),
]


@pytest.mark.parametrize(("text", "reason"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_rule_that_breaks_its_promise_is_found(text: str, reason: str) -> None:
    (rule,) = parse_file(text, "own.toml")
    assert any(reason in problem for problem in problems(rule)), problems(rule)


def test_the_good_one_is_good() -> None:
    (rule,) = parse_file(GOOD, "own.toml")
    assert problems(rule) == []


def test_placeholders() -> None:
    assert fill("{a} and {b|two}", {"a": "one"}) == "one and two"
    assert fill("{a} and {b}", {"a": "one"}) is None
    assert fill("no braces", {}) == "no braces"


def test_the_files_are_named_by_family() -> None:
    folder = Path(bundled.__file__).parent / "signatures"
    assert {file.suffix for file in folder.iterdir() if file.is_file()} == {".toml"}
