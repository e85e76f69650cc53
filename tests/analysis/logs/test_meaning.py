"""Messages that no signature knows are sorted by their words, else by the work that was going on."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.meaning import meaning
from cicd_agents.domain.doctor import CATEGORIES


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("upload aborted: no space left on volume", "disk_full"), ("worker exited with code 137", "out_of_memory"),
        ("API rate limit reached, try later", "resource_quota"),
        ("service did not become ready in 60 s", "timeout"), ("coverage gate failed: 38.5% is below the required 80%", "coverage_threshold"),
        ("security gate: blocked (threshold HIGH)", "security_audit"),
        ("column email already exists", "database_migration"), ("rollout of web is stuck", "kubernetes_deploy"), ("deploy token is missing", "auth_secret"),
        ("error: cannot log in", "auth_secret"),
        ("publisher: 403 from the registry", "auth_secret"),
        ("cannot write cache: permission denied", "permission"), ("mirror answered 503", "dependency_network"),
        ("Lockfile doesn't satisfy the project requirements", "dependency_resolution"),
        ("multiple plugin prerequisites not met", "dependency_resolution"), ("buf: command not found", "missing_tool_or_file"),
        ('service app: undefined secret "account"', "configuration"),
        ("Failed to parse /x/pyproject.toml: Unclosed array", "configuration"), ("unresolved reference: total", "compile"),
        ("Class too large: app/Prefs", "compile"),
        ("Smoke test failed: service unhealthy after 5 attempts", "test_failure"), ("Performance gate failed: p99 latency above 50 ms", "test_failure"),
        ("line too long in README", "lint_format"),
        ("it broke", "other"), ("", "other"),
    ],
)  # fmt: skip
def test_the_words_tell(message: str, category: str) -> None:
    assert meaning(message) == category
    assert category in CATEGORIES


@pytest.mark.parametrize(
    ("work", "category"),
    [
        ("npm audit --audit-level=high", "security_audit"), ("make coverage", "coverage_threshold"), ("npm run lint", "lint_format"),
        ("npm run typecheck", "type_check"), ("make unittest", "test_failure"),
        ("alembic upgrade head", "database_migration"), ("kubectl rollout status deploy/x", "kubernetes_deploy"), ("docker build .", "docker_image"),
        ("pdm lock --check", "dependency_resolution"), ("make all", "compile"),
        ("./run.sh", "other"),
    ],
)  # fmt: skip
def test_the_work_tells_where_the_words_do_not(work: str, category: str) -> None:
    assert meaning("it broke", ("", work)) == category
    assert meaning("no space left", (work,)) == "disk_full"
