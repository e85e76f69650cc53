"""One pass finds hits and structure; both ways to find lines agree; a flood is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.logs import bundled
from cicd_agents.analysis.logs.finders import EveryLine, HyperscanFinder
from cicd_agents.analysis.logs.reader import Log
from cicd_agents.analysis.logs.scan import KEEP_FIRST, KEEP_LAST, Catalogue, Scan, catalogue, scan
from cicd_agents.analysis.logs.signature import Signature

hyperscan = pytest.importorskip("hyperscan", reason="hyperscan has no wheel for this machine")

SMALL = catalogue(
    Signature(id=f"t.{name}", tool="t", category="other", weight=80, match=match, title="t", cause="c")
    for name, match in {
        "anchored": r"^E   (?P<message>\w+Error: .*)",
        "unanchored": r"code ERESOLVE\b",
        "ended": r"^no space left$",
        "nocase": r"(?i)\bconnection refused",
        "spread": r"^src/[\w/]+\.c:\d+: error: ",
    }.items()
)


def fast_finder(rules: Catalogue, sample: bytes = b"") -> HyperscanFinder:
    return HyperscanFinder(rules.patterns, rules.literals, sample)


FAST = fast_finder(SMALL)


def both(data: bytes) -> tuple[Scan, Scan]:
    data = b"Started\n" + data
    return scan(Log(data), SMALL, EveryLine()), scan(Log(data), SMALL, FAST, tail=0)


TEXTS = st.sampled_from(
    [
        b"E   ValueError: x", b"\x1b[31mE   KeyError: y\x1b[0m", b"npm error code \x1b[1mERESOLVE\x1b[0m", b"no space left", b"no space left here",
        b"Connection Refused", b"src/a/b.c:12: error: bad", b"2026-06-08T14:47:03.6281400Z E   OSError: z", b"2026-06-08T14:47:03.6281400Z ##[error]boom",
        b"2026-05-10T09:24:32.814280Z 01O \x1b[31mno space left\x1b[0m", b"section_start:1778405062:step_script\r\x1b[0K", b"ok",
        b"", b"\r", b"10%\rE   ValueError: w",
        b"[Pipeline] { (Test)", b"Finished: FAILURE", b"$ make", b"\xff\xfe",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXTS, max_size=30))
def test_hyperscan_finds_the_same_as_looking_at_every_line(lines: list[bytes]) -> None:
    every, fast = both(b"\n".join(lines))
    assert fast.hits == every.hits
    assert fast.events == every.events
    assert (fast.lines, fast.size) == (every.lines, every.size)


def test_the_bundled_rules_agree_on_their_own_examples() -> None:
    """Only rules without a rare literal may be missed by the fast way, and they are looked for in the tail of the log."""
    known = zip(bundled.signatures(), bundled.bundled().literals, strict=False)
    found = [(rule, literals) for rule, literals in known if literals]
    assert len(found) > 0.95 * len(bundled.signatures())
    some = found[::4]  # signature_check looks for the literals in the examples of all
    rules = catalogue(rule for rule, _ in some)
    data = b"\n".join(sample.encode() for rule in rules.signatures for sample in (*rule.examples, *rule.near_misses))
    every_scan = scan(Log(data), rules, EveryLine())
    for sample in (b"", data):  # with the data as the sample, common literals give way to rarer ones
        assert scan(Log(data), rules, fast_finder(rules, sample), tail=0).hits == every_scan.hits


def test_line_numbers_and_offsets_are_exact_across_blocks() -> None:
    filler = b"x" * 99 + b"\n"
    data = filler * 30_000 + b"E   ValueError: late\n" + filler * 5
    for found in both(data):
        (hit,) = found.hits
        assert hit.line == 30_002
        assert data[hit.offset - 8 :].startswith(b"E   ValueError: late")


def test_a_flood_is_counted_but_not_stored() -> None:
    found, _ = both(b"E   ValueError: again\n" * 5000)
    assert len(found.hits) == KEEP_FIRST + KEEP_LAST
    assert [hit.line for hit in found.hits[:2]] == [2, 3]
    assert found.hits[-1].line == 5001
    assert found.counts[0] == 5000


def test_a_literal_that_floods_the_log_gives_way_to_a_rarer_one() -> None:
    """The pattern needs "connection" and "refused for good"; where every line says "refused for good", the other one finds it."""
    rules = catalogue([Signature(id="t.two", tool="t", category="other", weight=80, match=r"^connection \w+ refused for good$", title="t", cause="c")])
    flood = b"nobody was refused for good\n" * 50
    assert [literal.text for literal in rules.literals[0]] == [b" refused for good"]
    data = flood + b"connection x refused for good\n"
    unaware, aware = fast_finder(rules), fast_finder(rules, flood)
    assert [data[begin:end] for begin, end in aware.lines(data)] == [b"connection x refused for good"]
    assert list(aware.lines(data)) == list(unaware.lines(data))
    assert b"connection " in aware.texts
    assert b"connection " not in unaware.texts


def test_the_same_text_is_decided_the_same_under_other_stamps_and_after_the_memory_is_full() -> None:
    lines = [b"2026-06-08T14:47:03.%07dZ E   OSError: %d" % (number, number % 3) for number in range(90_000)]
    data = b"\n".join([*lines[:3], b"nothing", *lines[3:]])
    assert sum(1 for _ in FAST.lines(data)) == len(lines)
