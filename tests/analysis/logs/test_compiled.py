"""The compiled form of the signatures says what the TOML files say, and is not used for others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cicd_agents.analysis.logs import bundled, clean, compiled
from cicd_agents.analysis.logs.literals import needed_literals
from cicd_agents.analysis.logs.matchers import FilterMatcher, LiteralMatcher, owners_of
from cicd_agents.analysis.logs.scan import literals_of, patterns_of

RULES = bundled.signatures()


def test_it_holds_all_but_the_examples() -> None:
    some = RULES[::40]
    needed = literals_of(some)
    loaded = compiled.load(compiled.dump(some, needed, "d1"), "d1")
    assert loaded is not None
    assert loaded.signatures == tuple(replace(rule, examples=(), near_misses=()) for rule in some)
    assert loaded.literals() == needed
    assert list(loaded.owners) == list(owners_of(needed).values())


def test_it_is_not_used_for_other_sources() -> None:
    assert compiled.load(compiled.dump(RULES[:1], ((),), "d1"), "d2") is None


def test_the_digest_changes_with_names_and_contents() -> None:
    digests = {compiled.digest(files) for files in ({"a": b"1"}, {"b": b"1"}, {"a": b"2"}, {"a": b"1", "b": b""}, {"a": b"1b"})}
    assert len(digests) == 5
    assert compiled.digest({"a": b"1", "b": b"2"}) == compiled.digest({"b": b"2", "a": b"1"})


def test_the_catalogue_is_the_same_with_and_without_it() -> None:
    ready = bundled.bundled()
    assert [rule.id for rule in ready.signatures] == [rule.id for rule in RULES]
    for index in range(0, len(RULES), 40):
        assert ready.literals[index] == needed_literals(RULES[index].match), RULES[index].id


def test_both_matchers_find_the_same() -> None:
    """The quick one is used wherever hyperscan can load what was compiled; the other one everywhere else."""
    pytest.importorskip("hyperscan")
    patterns = [text.encode() for text in patterns_of(RULES)]
    data = bundled.compiled_database()
    assert data is not None
    digest = compiled.digest(bundled._sources()).encode()
    quick = LiteralMatcher(patterns, list(owners_of(literals_of(RULES)).values()), data[len(digest) :])
    certain = FilterMatcher(patterns)
    matched = 0
    for rule in RULES[::7]:
        for sample in (*rule.examples, *rule.near_misses):
            for raw in sample.encode().split(b"\n"):
                text = clean.text_of(raw)
                found = certain.match(text) if text else []
                matched += len(found)
                assert not text or quick.match(text) == found, text
    assert matched > 500


def test_a_database_of_another_make_is_refused() -> None:
    pytest.importorskip("hyperscan")
    for damaged in (b"", b"not a database", b"\0" * 5000):
        with pytest.raises(ValueError, match="cannot be used here"):
            LiteralMatcher([b"abc"], [[0]], damaged)
