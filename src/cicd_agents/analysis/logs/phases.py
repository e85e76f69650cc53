"""In which phase of delivery a failure happened, where its signature does not say (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_BY_CATEGORY = {
    "compile": "build", "dependency_resolution": "build", "dependency_network": "build", "docker_image": "build", "type_check": "test",
    "lint_format": "test", "test_failure": "test", "test_flaky": "test", "coverage_threshold": "test", "security_audit": "test",
    "kubernetes_deploy": "deploy", "database_migration": "deploy", "infrastructure_runner": "infrastructure", "git_checkout": "infrastructure",
    "resource_quota": "infrastructure",
}  # fmt: skip
# Words of step names and commands, looked for in this order: a deploy step may test, a test step may build.
_DEPLOY = (
    r"\bdeploy", r"\brollout\b", r"\bpublish", r"\brelease\b", r"\bpromot", "kubectl", r"\bhelm\b", "terraform (?:apply|plan)", "ansible",
    r"\bmigrat", r"\bpurg", "argocd", r"\bupload to\b", r"\bpush\b.*(?:prod|image)",
)  # fmt: skip
_TEST = (
    r"\btests?\b", r"[-_:/.]tests?\b", r"\btest[-_:]", "pytest", "unittest", "jest", "vitest", "mocha", "rspec", "phpunit", r"\btox\b", r"\bnox\b",
    r"\blint", "check(?!out)", "cover", "e2e", "integration", "smoke", r"\bverify\b", r"\bspecs?\b", "soak", "bench", r"(?<!no-)\baudit\b", r"\bscan\b",
    "clippy", r"\bfmt\b", r"\bformat\b", "ctest"
)  # fmt: skip
_INFRASTRUCTURE = (
    "^(?:set up job|checkout|get_sources|prepare_|restore_cache|download_artifacts|declarative: checkout|initialize containers|git\\.)",
    "actions/(?:checkout|cache|upload-artifact|download-artifact)",
)
_BUILD = (r"\bbuild", r"\bcompile", r"\binstall", r"\bpackage\b", r"\bmake\b", r"\bsetup\b", r"\bbundle", "docker", r"\bpip\b", r"npm (?:ci|i)\b")
# A program of the project that is just run: more often a check than anything else.
_PROGRAM = (r"python[\d.]* \w", r"node \w", r"ruby \w")
_BY_WORDS = tuple(
    (phase, re.compile("|".join(words), re.IGNORECASE))
    for phase, words in (("deploy", _DEPLOY), ("test", _TEST), ("infrastructure", _INFRASTRUCTURE), ("build", _BUILD), ("test", _PROGRAM))
)


def phase_of(stated: str | None, category: str, words: Iterable[str], neighbours: Collection[str]) -> str:
    """The signature's own phase; else by category; else by `words` (the failing command, its script, the step's name), then by
    `neighbours`: the phases of other messages of the same step."""
    if stated:
        return stated
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    for text in words:
        for phase, shape in _BY_WORDS:
            if text and shape.search(text):
                return phase
    return next((phase for phase in ("test", "deploy", "infrastructure", "build") if phase in neighbours), "build")
