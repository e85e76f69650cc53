"""A step may fail without the job: what tells it, and what does not."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.diagnosis import diagnose

FAILS = ("##[group]Run npm run {name}", "##[endgroup]", "src/a.js:3:1  error  Missing header  custom/header", "##[error]Process completed with exit code 1.")
END = ("Post job cleanup.", "[command]/usr/bin/git version", "Cleaning up orphan processes")
TESTS = ("##[group]Run npm test", "##[endgroup]", "ok 1 - adds", "# fail 0")
CACHE = "Cache hit occurred on the primary key node-cache-Linux-x64-npm-29f0, not saving cache."


def log(*lines: str, name: str = "lint") -> bytes:
    return "".join(f"2026-06-08T14:47:03.6281400Z {line}\n" for line in ("Current runner version: '2.326.0'", *lines)).format(name=name).encode()


def test_a_failed_step_is_a_failed_job() -> None:
    found = diagnose(log(*FAILS, *END))
    assert (found.failed, found.notes) == (True, ())


@pytest.mark.parametrize("name", ["lint:experimental", "optional-checks", "non-blocking-lint", "lint-advisory"])
def test_a_step_that_says_it_may_fail_and_work_that_goes_on_are_a_job_that_passed(name: str) -> None:
    found = diagnose(log(*FAILS, *TESTS, *END, name=name))
    assert (found.failed, found.failures) == (False, ())
    assert "went on" in found.reason


def test_neither_of_the_two_is_enough() -> None:
    assert diagnose(log(*FAILS, *END, name="lint:experimental")).failed
    went_on = diagnose(log(*FAILS, *TESTS, *END))
    assert went_on.failed  # `if: always()` on the tests looks the same
    assert "continue-on-error" in went_on.notes[0]
    assert went_on.failures[0].confidence < diagnose(log(*FAILS, *END)).failures[0].confidence


@pytest.mark.parametrize("name", ["lint -- --experimental-modules", "lint --optional", "lint packages/experimental/src", "lint MODE=experimental"])
def test_a_word_of_an_option_or_a_path_does_not_say_that_the_step_may_fail(name: str) -> None:
    assert diagnose(log(*FAILS, *TESTS, *END, name=name)).failed


@pytest.mark.parametrize(
    "step",
    ["actions/upload-artifact@v4", "npm run report", "cat build.log", "docker compose logs", "docker compose down", "kubectl get pods", "npx codecov",
     "npm test || true", "bash scripts/notify-slack.sh", "ls build", 'echo "tests: failure"'],
)  # fmt: skip
def test_steps_that_people_let_run_after_a_failure_are_not_the_work_going_on(step: str) -> None:
    found = diagnose(log(*FAILS, f"##[group]Run {step}", "##[endgroup]", "fine", *END, name="lint:experimental"))
    assert (found.failed, found.notes) == (True, ())


def test_another_job_of_the_run_is_not_this_one_going_on() -> None:
    found = diagnose(log(*FAILS, *END, *TESTS, "##[group]Run npm publish", "##[endgroup]", "published", *END, name="lint:experimental"))
    assert (found.failed, found.notes) == (True, ())


def test_a_later_failure_is_the_failure_of_the_job() -> None:
    again = [line.format(name="build") for line in FAILS]
    assert diagnose(log(*FAILS, *TESTS, *again, *END, name="lint:experimental")).failed


def test_a_cut_log_says_nothing_of_how_the_job_ended() -> None:
    assert diagnose(log(*FAILS, *TESTS, name="lint:experimental")).failed


@pytest.mark.parametrize("step", ["pypa/gh-action-pypi-publish@release/v1", "npm publish --access public", "twine upload dist/*", "docker push acme/shop:1"])
def test_a_release_after_the_failure_is_of_a_job_that_passed(step: str) -> None:
    assert diagnose(log(*FAILS, f"##[group]Run {step}", "##[endgroup]", "published", *END)).failed is False
    refused = ("refused", "##[error]Process completed with exit code 1.")
    assert diagnose(log(*FAILS, f"##[group]Run {step}", "##[endgroup]", *refused, *END)).failed
    assert diagnose(log(f"##[group]Run {step}", "##[endgroup]", "published", *FAILS, *END)).failed


def test_a_release_that_is_only_tried_says_nothing() -> None:
    assert diagnose(log(*FAILS, "##[group]Run npm publish --dry-run", "##[endgroup]", "fine", *END)).failed


SETUP = ("##[group]Run actions/setup-node@v4", "##[endgroup]", "Cache restored from key: node-cache-Linux-x64-npm-29f0")
KEPT = ("Post job cleanup.", CACHE, *END)


def test_a_cache_that_is_kept_after_the_work_is_a_job_that_passed() -> None:
    assert diagnose(log(*SETUP, *FAILS, *KEPT)).failed is False
    assert diagnose(log("##[group]Run actions/cache@v4", *FAILS, "Post job cleanup.", "Cache saved with key: linux-1", *END)).failed is False


@pytest.mark.parametrize(
    "lines",
    [
        (*SETUP, CACHE, *FAILS, *END),  # said before the failure
        (*FAILS, *KEPT),  # by an action that is not known
        ("##[group]Run acme/always-cache@v1", *SETUP, *FAILS, *KEPT),  # by one that may keep it whatever happened
        (*SETUP, *FAILS, "##[group]Run npm run save-cache", CACHE, *END),  # by a step of the work
        (*SETUP, *FAILS, *KEPT[:2], "##[error]The upload failed", *END),  # and then something failed
        (*FAILS, *END, *SETUP, *TESTS, *KEPT),  # by another job of the run
    ],
    ids=["before", "unknown", "always", "work", "after", "other job"],
)
def test_a_cache_that_is_kept_otherwise_says_nothing(lines: tuple[str, ...]) -> None:
    assert diagnose(log(*lines)).failed
