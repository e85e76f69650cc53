"""The doctor's dossier: our question, the evidence around what matters, everything redacted, and the same for the same evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.samples import CHANGES, FLAKY, OTHER_JOBS, SIMILAR

from cicd_agents.advisor.dossier_text import bounded, opening
from cicd_agents.agents.doctor_dossier import FailedLog, Gathered, dossier_of
from cicd_agents.agents.doctor_log_windows import Anchor, windows
from cicd_agents.domain.advice import Archive, Candidate, Dossier, DossierItem, DossierKind
from cicd_agents.domain.ci import Commit, Comparison, FileChange
from cicd_agents.domain.doctor import DoctorDetails, Excerpt, Flaky, JobFailure, RootCause, ScoredLine
from cicd_agents.domain.finding import Evidence, Finding, Location
from cicd_agents.domain.redaction import Redactor
from cicd_agents.domain.verdict import Outcome, Verdict

SECRET = "kd93-canary-Zq81"
PLACE = Location("/home/runner/work/app/app/src/price.js", 7, 21)
ROOT = RootCause(500, "TypeError: Cannot read properties of undefined", "Run npm test", PLACE)
DETAILS = DoctorDetails(
    "github", "https://git.example/job/2", 1000, 9, "test", "test_failure", "node.type_error", 0.85, ROOT,
    (ScoredLine(500, 0.9, "node.type_error"), ScoredLine(700, 0.5, "node.type_error"), ScoredLine(90, 0.4, None), ScoredLine(10, 0.1, "x.y")), (),
    Excerpt(498, ("before", "also before", "TypeError: Cannot read")), job="test", job_url="https://git.example/job/2", fingerprint="f1",
)  # fmt: skip
PROOFS = (Evidence("log-line", "500", "TypeError: Cannot read properties of undefined"), Evidence("annotation", "https://git.example/job/2", "exit 1"))
VERDICT = Verdict(
    "pipeline-doctor", Outcome.FAIL, "price > adds tax threw TypeError", "It ended with an exception.", DETAILS,
    (Finding("node.type_error", "price > adds tax threw TypeError", "error", 0.85, PROOFS, PLACE),),
)  # fmt: skip


class Lines:
    """Kept logs of 1000 lines each."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def lines(self, name: str, first: int, last: int) -> tuple[str, ...] | None:
        return tuple(f"{name} {number}" for number in range(first, min(last, 1000) + 1)) if name in self.names else None

    def count(self, name: str) -> int | None:
        return 1000 if name in self.names else None


class Files:
    """A checkout with one file."""

    def read(self, path: str) -> tuple[str, ...] | None:
        return tuple(f"code {number}" for number in range(1, 601)) if path == "src/price.js" else None


COMPARISON = Comparison(
    "a" * 40, "b" * 40,
    (Commit("c" * 40, "Bump lodash", "Ann", files=("yarn.lock", "src/tax.js")), Commit("d" * 40, "Tidy", files=("src/price.js",))),
    (
        FileChange("README.md", patch="@@ -1 +1 @@\n-a\n+b"), FileChange("yarn.lock", patch="@@ -1 +1 @@\n-a\n+b"), FileChange("image.png"),
        FileChange("src/tax.js", patch="@@ -1 +1 @@\n-tax\n+no tax"), FileChange("src/price.js", "added", patch="@@ -5,2 +5,2 @@\n a\n-c\n+d"),
    ),
)  # fmt: skip


def gathered(verdict: Verdict = VERDICT, **changes: Any) -> Gathered:
    given: dict[str, Any] = {
        "verdict": verdict, "main": FailedLog("test", "main", verdict), "others": (), "logs": Lines("main", "other"), "sources": Files(),
        "redactor": Redactor((SECRET,)), "repository": "octo/app",
    } | changes  # fmt: skip
    return Gathered(**given)


def made(verdict: Verdict = VERDICT, **changes: Any) -> tuple[Dossier, Archive]:
    return dossier_of(gathered(verdict, **changes))


def details(**changes: Any) -> Verdict:
    return replace(VERDICT, details=replace(DETAILS, **changes))


def item(dossier: Dossier, name: str) -> DossierItem:
    return next(item for item in dossier.items if item.id == name)


def spans(dossier: Dossier) -> dict[str, tuple[int, int]]:
    return {item.id: (item.first, item.last) for item in dossier.items if item.kind is DossierKind.LOG}


def test_the_log_is_shown_around_what_matters_and_the_rest_may_be_asked_for() -> None:
    dossier, archive = made()
    assert spans(dossier) == {"log:test": (420, 560), "log:test:675": (675, 715), "log:test:65": (65, 105), "log:test:975": (975, 1000)}
    assert item(dossier, "log:test").total == 1000
    assert item(dossier, "log:test").lines[80] == "main 500"
    assert archive.lines("log:test", 300, 301) == archive.lines("log:test:975", 300, 301) == ("main 300", "main 301")
    assert archive.lines("log:other", 1, 1) is None


def test_windows_that_meet_are_one_and_stand_by_their_most_important_line() -> None:
    anchors = [Anchor(50, 10, 10), Anchor(500, 5, 5), Anchor(70, 9, 2), Anchor(100, 0, 0), Anchor(2000, 3, 0)]
    assert windows(anchors, 1000) == [(40, 72), (495, 505), (100, 100)]
    assert windows([Anchor(1, 80, 60)], 20) == [(1, 20)]
    assert windows([Anchor(0, 5, 0)], 0) == []


@given(st.lists(st.builds(Anchor, st.integers(1, 300), st.integers(0, 40), st.integers(0, 40)), max_size=9), st.integers(1, 300))
def test_windows_cover_each_anchor_once(anchors: list[Anchor], total: int) -> None:
    found = windows(anchors, total)
    shown = [number for first, last in found for number in range(first, last + 1)]
    wanted = {number for each in anchors for number in range(max(1, each.line - each.before), min(total, each.line + each.after) + 1)}
    assert sorted(shown) == sorted(wanted)


def test_the_best_three_candidates_are_named_once_each_and_where_they_stand() -> None:
    dossier, _ = made()
    assert dossier.candidates == (
        Candidate("node.type_error", "price > adds tax threw TypeError", "log:test", 500),
        Candidate("node.type_error:700", "main 700", "log:test:675", 700),
        Candidate("line:90", "main 90", "log:test:65", 90),
    )


def test_the_question_fits_what_is_known_and_is_ours_alone() -> None:
    known = made()[0]
    assert known.question.startswith("A CI run failed. Rules found the cause: the first candidate.")
    assert known.verdict == "fail; category test_failure, phase test, confidence 85%"
    unknown = made(replace(VERDICT, outcome=Outcome.INCONCLUSIVE))[0]
    assert "Read the best three candidates" in unknown.question
    assert spans(unknown)["log:test:640"] == (640, 740), "more is shown around each candidate"
    assert made(details(signature="generic.last-words"))[0].question == unknown.question, "a line that no rule knows"
    assert "timing, a race" in made(details(flaky=FLAKY))[0].question
    assert "often pass on a second try" in made(details(transient=True))[0].question
    assert "Other jobs" in made(details(other_jobs=OTHER_JOBS))[0].question
    assert "strategy" not in known.question


def test_the_code_around_the_failing_place_is_shown_and_the_whole_file_may_be_read() -> None:
    dossier, archive = made()
    source = item(dossier, "source:src/price.js")
    assert (source.kind, source.first, source.last, source.total) == (DossierKind.SOURCE, 1, 106, 600)
    assert archive.lines(source.id, 600, 700) == ("code 600",)
    far = made(details(root_cause=replace(ROOT, location=replace(PLACE, line=300))))[0]
    assert (item(far, source.id).first, item(far, source.id).last) == (200, 399)
    beyond = made(details(root_cause=replace(ROOT, location=replace(PLACE, line=9999))))[0]
    assert item(beyond, source.id).lines == ()


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "C:\\x", "https://x/y", "~/x", "", "src/other.js"])
def test_places_outside_of_the_checkout_are_not_read(path: str) -> None:
    verdict = replace(details(root_cause=replace(ROOT, location=Location(path, 1))), findings=())
    assert not [each for each in made(verdict)[0].items if each.kind is DossierKind.SOURCE]


def test_what_changed_is_told_by_suspects_diffs_and_tables() -> None:
    dossier, archive = made(details(changes=CHANGES), comparison=COMPARISON)
    ids = [each.id for each in dossier.items]
    assert [name for name in ids if name.startswith("diff:")] == ["diff:src/price.js", "diff:src/tax.js", "diff:README.md"], "no lock file"
    assert item(dossier, "commit:cccccccccc").lines == (
        "Bump lodash", "suspected: it changes `yarn.lock`", "suspected: it is the newest", "changes yarn.lock", "changes src/tax.js",
    )  # fmt: skip
    assert item(dossier, "diff:src/price.js").lines == ("@@ -5,2 +5,2 @@", " a", "-c", "+d")
    assert item(dossier, "table:packages").lines[0] == "lodash 4.17.20 → 4.17.21 in yarn.lock"
    assert "added src/price.js" in item(dossier, "table:changes").lines
    assert not any("Ann" in line for each in dossier.items for line in each.lines), "names of people explain nothing"
    assert archive.lines("commit:cccccccccc", 1, 1) == ("Bump lodash",)


def test_other_failed_jobs_are_told_and_their_own_failures_shown() -> None:
    other = replace(details(fingerprint="f2", root_cause=RootCause(300, "lint", None, None)), outcome=Outcome.FAIL)
    same = details(fingerprint="f1")
    dossier, archive = made(details(other_jobs=OTHER_JOBS), others=(FailedLog("test", "other", other), FailedLog("test 3", "same", same)))
    assert spans(dossier)["log:test (2)"] == (270, 325)
    assert archive.lines("log:test (2)", 300, 300) == ("other 300",)
    assert item(dossier, "table:jobs").lines == ("lint: ruff: E501, line 5: line too long", "test (3.12): the same failure")
    assert not [name for name in spans(dossier) if "test 3" in name]


def test_flaky_facts_and_earlier_failures_are_told_without_numbers_of_runs() -> None:
    dossier, _ = made(details(flaky=FLAKY, similar=SIMILAR))
    assert item(dossier, "table:flaky").lines == (
        "flaky: yes", "It passed and failed on the same commit.", "Passed in 7 of 10 runs (70%, 95 % interval 40% to 89%).",
        "run: attempt 1 failed, attempt 2 passed",
    )  # fmt: skip
    assert item(dossier, "past:same").lines[0] == "The same failure was seen in 4 earlier runs."
    assert not any("git.example" in line for each in dossier.items for line in each.lines)


def test_without_a_kept_log_the_excerpt_is_shown() -> None:
    dossier, archive = made(logs=Lines())
    assert spans(dossier) == {"log:test": (498, 500)}
    assert archive.lines("log:test", 1, 499) == ("before", "also before")
    assert [(each.id, each.line) for each in dossier.candidates] == [("node.type_error", 500)]


def test_what_only_the_platform_knows_is_a_candidate_without_a_line() -> None:
    verdict = details(root_cause=None, candidates=(), excerpt=None, category="infrastructure_runner", signature="github.lost_runner")
    dossier, _ = made(verdict, logs=Lines())
    assert dossier.candidates == (Candidate("github.lost_runner", "price > adds tax threw TypeError", "finding:1"),)
    assert spans(made(verdict)[0]) == {"log:test": (900, 1000)}, "the end of the log, where there is one"


def everything(text: str) -> Gathered:
    """A run whose every text from outside is the given one."""
    root = RootCause(500, text, text, Location("src/price.js", 7))
    finding = Finding(text, text, "error", 0.9, (Evidence("log-line", "2", text), Evidence(text, text, text)), Location(text, 3))
    changed = replace(CHANGES, suspects=tuple(replace(each, subject=text, reasons=(text,)) for each in CHANGES.suspects))
    verdict = Verdict("pipeline-doctor", Outcome.FAIL, text, text, replace(
        DETAILS, signature=text, root_cause=root, candidates=(ScoredLine(500, 0.9, text), ScoredLine(700, 0.9, text)), excerpt=Excerpt(500, (text, text)),
        flaky=Flaky("yes", 0.5, 4, text, (0.1, 0.9), (Evidence(text, text, text),)), other_jobs=(JobFailure(text, text, 3, text, "other", 0.5),),
        changes=replace(changed, packages=tuple(replace(each, package=text, file=text) for each in CHANGES.packages)),
        similar=replace(SIMILAR, branches=(text,)),
    ), (finding, finding))  # fmt: skip
    comparison = Comparison("a", "b", (Commit("c" * 40, text, text, files=(text,)),), (FileChange(text, text, patch=f"@@ -1 +1 @@\n-{text}\n+{text}"),))
    return gathered(verdict, main=FailedLog(text, "main", verdict), others=(FailedLog(text, "other", verdict),), comparison=comparison)


@pytest.mark.parametrize("text", [SECRET, f"token={SECRET} x", "ghp_" + "a1B2" * 9, f"a\n{SECRET}\nb"])
def test_a_secret_in_any_text_is_hidden_in_every_part(text: str) -> None:
    secret = SECRET if SECRET in text else text
    dossier, archive = dossier_of(everything(text))
    assert secret not in repr(dossier)
    assert "[redacted:" in repr(dossier)
    assert all(secret not in repr(archive.lines(each.id, 1, 5000)) for each in dossier.items)
    assert len({each.id for each in dossier.items}) == len(dossier.items)


def test_the_same_evidence_gives_the_same_dossier_and_opening() -> None:
    first, second = (dossier_of(everything("some words of a log")) for _ in range(2))
    assert first[0] == second[0]
    assert opening(bounded(first[0], 120_000)) == opening(bounded(second[0], 120_000))


@given(st.text(max_size=60))
def test_whatever_the_texts_are_there_is_a_dossier_whose_items_can_be_read(text: str) -> None:
    dossier, archive = dossier_of(everything(text))
    for each in dossier.items:
        assert archive.lines(each.id, each.first, each.last) == each.lines
    assert all(candidate.item in {each.id for each in dossier.items} for candidate in dossier.candidates)
