"""A `git bisect` line that a person can paste (pure).

The command in it comes from a log, so only what builds or tests is offered: known tools with known verbs, nothing that a shell would expand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_SHA = re.compile(r"[0-9a-f]{7,64}")
_PLAIN = re.compile(r"[A-Za-z0-9 ._/=:,@+%\-'\"\[\]]{1,300}")
# Words of commands that change the world outside of the checkout.
_WRITES = re.compile(r"deploy|publish|push|release|upload|apply|destroy|delete|promote|rollback|login|clean-?up|docker|sudo", re.IGNORECASE)

_TOOLS = frozenset({
    "make", "pytest", "py.test", "tox", "nox", "mypy", "ruff", "flake8", "pylint", "black", "rspec", "rake", "rubocop", "phpunit", "phpstan",
    "vendor/bin/phpunit", "./vendor/bin/phpunit", "mvn", "./mvnw", "gradle", "./gradlew", "sbt", "jest", "vitest", "mocha", "eslint", "tsc",
    "prettier", "playwright", "cypress", "ctest", "ninja", "golangci-lint", "gotestsum", "xcodebuild",
})  # fmt: skip
_VERBS: Mapping[str, frozenset[str]] = {
    "npm": frozenset({"test", "t", "run", "ci"}), "pnpm": frozenset({"test", "t", "run"}), "yarn": frozenset({"test", "run", "build", "lint"}),
    "bun": frozenset({"test", "run"}), "deno": frozenset({"test", "lint", "check"}), "composer": frozenset({"test"}),
    "cargo": frozenset({"test", "build", "check", "clippy", "fmt", "nextest"}), "go": frozenset({"test", "build", "vet"}),
    "dotnet": frozenset({"test", "build"}), "bazel": frozenset({"test", "build"}), "swift": frozenset({"test", "build"}),
    "flutter": frozenset({"test", "analyze"}), "dart": frozenset({"test", "analyze"}), "mix": frozenset({"test", "compile", "credo", "format"}),
}  # fmt: skip
_MODULES = frozenset({"pytest", "unittest", "tox", "nox", "mypy", "ruff", "flake8", "pylint", "compileall"})
# Commands that run another one, and the words between the two.
_WRAPPERS: Mapping[str, str] = {"uv": "run", "poetry": "run", "pdm": "run", "pipenv": "run", "hatch": "run", "bundle": "exec", "npx": ""}


def bisect_line(good: str, bad: str, command: str) -> str | None:
    """The line, or None where the commits are no hashes or the command is not one that may be offered."""
    steps = [step.strip() for step in command.strip().split(" && ")]
    if good == bad or not _SHA.fullmatch(good) or not _SHA.fullmatch(bad) or not all(_is_safe(step) for step in steps):
        return None
    return f"git bisect start {bad} {good} && git bisect run sh -c {shlex.quote(' && '.join(steps))}"


def _is_safe(step: str) -> bool:
    if not _PLAIN.fullmatch(step) or _WRITES.search(step):
        return False
    try:
        return _runs_tool(shlex.split(step))
    except ValueError:  # quotes that don't close
        return False


def _runs_tool(words: list[str]) -> bool:
    if len(words) > 1 and words[0] in _WRAPPERS:
        between = _WRAPPERS[words[0]]
        return (not between or words[1] == between) and _runs_tool(words[2:] if between else words[1:])
    if words[:1] in (["python"], ["python3"]):
        return len(words) > 2 and words[1] == "-m" and words[2] in _MODULES
    return bool(words) and (words[0] in _TOOLS or (words[1:2] != [] and words[1] in _VERBS.get(words[0], ())))
