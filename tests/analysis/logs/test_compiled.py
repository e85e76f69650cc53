"""The compiled form of the signatures says what the TOML files say, and is not used for others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

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


def test_threads_may_match_at_the_same_time() -> None:
    """Two logs read at once in one process share the bundled catalogue."""
    pytest.importorskip("hyperscan")
    patterns = [text.encode() for text in patterns_of(RULES)]
    needed = literals_of(RULES)
    data = bundled.compiled_database()
    assert data is not None
    digest = compiled.digest(bundled._sources()).encode()
    lines = [clean.text_of(rule.examples[0].encode().partition(b"\n")[0]) for rule in RULES[::40]]
    for matcher in (LiteralMatcher(patterns, list(owners_of(needed).values()), data[len(digest) :]), FilterMatcher(patterns)):
        alone = [matcher.match(line) for line in lines]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(matcher.match, lines * 50))
        assert together == alone * 50


def test_a_database_of_another_make_is_refused() -> None:
    pytest.importorskip("hyperscan")
    for damaged in (b"", b"not a database", b"\0" * 5000):
        with pytest.raises(ValueError, match="cannot be used here"):
            LiteralMatcher([b"abc"], [[0]], damaged)


def test_without_the_files_it_diagnoses_the_same_beside_own_signatures_too(tmp_path: Path) -> None:
    """The image has no signature files: they are a quarter of the package, and all that they say stands in the compiled form."""
    package = Path(bundled.__file__).parents[2]
    shutil.copytree(package, tmp_path / "cicd_agents", ignore=shutil.ignore_patterns("__pycache__", bundled.COMPILED, bundled.DATABASE))
    folder = tmp_path / "cicd_agents/analysis/logs"
    (folder / bundled.COMPILED).write_bytes(bundled.compiled_form())
    (folder / bundled.DATABASE).write_bytes(bundled.compiled_database() or b"")
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(package / "analysis/logs/signatures/npm.toml", own / "npm.toml")
    log = tmp_path / "failed.log"
    log.write_text("\n".join(rule.examples[0] for rule in RULES[::60] if rule.examples), encoding="utf-8")
    before = [told(tmp_path, log), told(tmp_path, log, "--signatures", own)]
    shutil.rmtree(folder / "signatures")
    assert [told(tmp_path, log), told(tmp_path, log, "--signatures", own)] == before
    assert before[0]["details"]["candidates"]


def told(path: Path, *arguments: str | Path) -> Any:
    """The report of the package in the folder, without what differs from run to run."""
    program = f"import sys; sys.path.insert(0, {str(path)!r}); from cicd_agents.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-B", "-c", program, "doctor", *map(str, arguments), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=path)
    report = json.loads(done.stdout)
    report.pop("duration_seconds")
    return report
