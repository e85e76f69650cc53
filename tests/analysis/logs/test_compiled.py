"""The compiled form of the signatures says what the TOML files say, and is not used for others."""

from __future__ import annotations

from dataclasses import replace

from cicd_agents.analysis.logs import bundled, compiled
from cicd_agents.analysis.logs.literals import needed_literals

RULES = bundled.signatures()


def test_it_holds_all_but_the_examples() -> None:
    some = RULES[::40]
    needed = tuple(needed_literals(rule.match) for rule in some)
    loaded = compiled.load(compiled.dump(some, needed, "d1"), "d1")
    assert loaded == (tuple(replace(rule, examples=(), near_misses=()) for rule in some), needed)


def test_it_is_not_used_for_other_sources() -> None:
    assert compiled.load(compiled.dump(RULES[:1], [()], "d1"), "d2") is None


def test_the_digest_changes_with_names_and_contents() -> None:
    digests = {compiled.digest(files) for files in ({"a": b"1"}, {"b": b"1"}, {"a": b"2"}, {"a": b"1", "b": b""}, {"a": b"1b"})}
    assert len(digests) == 5
    assert compiled.digest({"a": b"1", "b": b"2"}) == compiled.digest({"b": b"2", "a": b"1"})


def test_the_catalogue_is_the_same_with_and_without_it() -> None:
    ready = bundled.bundled()
    assert [rule.id for rule in ready.signatures] == [rule.id for rule in RULES]
    for index in range(0, len(RULES), 40):
        assert ready.literals[index] == needed_literals(RULES[index].match), RULES[index].id
