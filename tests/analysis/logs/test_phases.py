"""In which phase a failure happened: by what it is, and by the work that was going on."""

from __future__ import annotations

import pytest

from cicd_agents.analysis.logs.phases import Work, checks_what_was_deployed, phase_of, simple_commands, words_phase
from cicd_agents.domain.doctor import CATEGORIES, PHASES


def phase(category: str, command: str = "", *, stated: str | None = None, tool: str = "", **work: object) -> str:
    return phase_of(stated, category, tool, Work(commands=(command,) if command else (), **work))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("test_failure", "test"), ("test_flaky", "test"), ("coverage_threshold", "test"), ("security_audit", "test"), ("kubernetes_deploy", "deploy"),
        ("database_migration", "deploy"), ("infrastructure_runner", "infrastructure"),
    ],
)  # fmt: skip
def test_what_a_failure_is_decides_whatever_ran(category: str, expected: str) -> None:
    for command in ("", "pytest", "kubectl apply -f x", "npm ci"):
        assert phase(category, command) == expected


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("compile", "build"), ("dependency_resolution", "build"), ("dependency_network", "build"), ("docker_image", "build"), ("type_check", "test"),
        ("lint_format", "test"), ("git_checkout", "infrastructure"), ("resource_quota", "infrastructure"), ("timeout", "test"), ("out_of_memory", "build"),
        ("permission", "build"),
    ],
)  # fmt: skip
def test_what_it_is_most_often_decides_where_nothing_is_known_of_the_work(category: str, expected: str) -> None:
    assert phase(category) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("kubectl apply -f k8s", "deploy"), ("helm upgrade app", "deploy"), ("terraform apply", "deploy"), ("docker push registry/prod/app", "deploy"),
        ("python manage.py migrate", "deploy"), ("npm publish", "deploy"), ("twine upload dist/*", "deploy"), ("rsync -a dist/ web:/srv", "deploy"),
        ("aws s3 sync . s3://x", "deploy"),
        ("make test", "test"), ("npm run test:unit", "test"), ("pytest -q", "test"), ("cargo clippy", "test"), ("npm run lint", "test"),
        ("make check", "test"), ("npm run e2e", "test"),
        ("tox -e py311", "test"), ("mvn verify", "test"), ("npm audit", "test"), ("docker run --rm app:ci", "test"), ("golangci-lint run", "test"),
        ("clang-tidy -p build a.cpp", "test"),
        ("python tools/report.py", "test"), ("./target/debug/store", "test"), ("git fetch origin", "infrastructure"),
        ("git -C sub checkout v1", "infrastructure"),
        ("npm ci", "build"), ("make all", "build"), ("docker build .", "build"), ("bundle install", "build"), ("pip download x", "build"),
        ("mvn package", "build"),
        ("cargo build --release", "build"), ("cmake -DCMAKE_BUILD_TYPE=Release ..", "build"), ("terraform init", "build"), ("cargo check", "build"),
        ("curl -O https://x/y.tgz", "build"),
    ],
)  # fmt: skip
def test_the_command_tells_the_phase(command: str, expected: str) -> None:
    assert phase("disk_full", command) == expected
    assert phase("disk_full", f"$ cd sub && {command}") == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("Deploy to production", "deploy"), ("Run unit tests", "test"), ("Set up job", "infrastructure"),
        ("actions/cache@v4", "infrastructure"), ("Compile", "build"),
    ],
)  # fmt: skip
def test_the_name_of_the_step_tells_it_where_the_command_does_not(step: str, expected: str) -> None:
    assert phase("disk_full", step=step) == expected
    assert phase("disk_full", "./x.sh", step=step) == expected
    assert phase("disk_full", "npm run lint", step=step) == "test"


def test_what_the_tools_print_tells_more_than_a_command_that_does_many_things() -> None:
    assert phase("permission", "make", tool="gcc", activity="test") == "test"
    assert phase("permission", "make", tool="gcc", activity="deploy", step="Build") == "deploy"


def test_the_command_of_the_tool_that_complains_tells_most() -> None:
    script = "pip install -r requirements.txt\npytest\ntwine upload dist/*"
    assert phase("auth_secret", script, tool="pip") == "build"
    assert phase("auth_secret", script, tool="twine", activity="test") == "deploy"


def test_a_stated_phase_yields_only_to_a_deployment() -> None:
    assert phase("auth_secret", "npm test", stated="build") == "build"
    assert phase("auth_secret", "npm publish", stated="build") == "deploy"
    assert phase("configuration", "npm publish", stated="infrastructure") == "infrastructure"


@pytest.mark.parametrize(("tool", "expected"), [("go", "test"), ("rustc", "test"), ("javac", "build"), ("gcc", "build")])
def test_source_is_refused_in_the_build_but_for_tools_that_compile_as_they_test(tool: str, expected: str) -> None:
    assert phase("compile", "make test", tool=tool, stated="build") == expected
    assert phase("compile", "make", tool=tool) == "build"


@pytest.mark.parametrize(("path", "expected"), [("pkg/a_test.go", "test"), ("tests/x.go", "test"), ("src/a.go", "build"), ("latest/a.go", "build")])
def test_source_of_a_test_is_refused_in_the_tests(path: str, expected: str) -> None:
    assert phase("compile", tool="go", stated="build", path=path) == expected
    assert phase("compile", tool="gcc", stated="build", path=path) == "build"


def test_a_shell_script_belongs_to_what_it_does() -> None:
    assert phase("compile", "bash ci/release.sh prod", tool="bash") == "deploy"
    assert phase("compile", "bash x.sh", tool="bash") == "build"


def test_an_action_without_commands_is_known_by_its_name() -> None:
    assert phase("missing_tool_or_file", step="actions/download-artifact@v4", activity="build") == "infrastructure"
    assert phase("auth_secret", step="appleboy/ssh-action@v1", activity="build") == "deploy"


def test_checks_are_tests_unless_a_build_runs_them() -> None:
    assert phase("type_check", "npx tsc --noEmit") == "test"
    assert phase("type_check", "npx tsc -b", stated="build") == "build"
    assert phase("lint_format", "mvn package", stated="test") == "build"
    assert phase("lint_format", activity="build", stated="test") == "test"


def test_other_messages_of_the_step_tell_it_last() -> None:
    assert phase("permission", beside={"deploy", ""}) == "deploy"
    assert phase("permission", "make test", beside={"deploy"}) == "test"


def test_every_category_has_a_phase() -> None:
    for category in CATEGORIES:
        assert phase(category) in PHASES


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("cd a && sudo npm ci; echo done", ["npm ci"]), ("$ make test | tee log", ["make test", "tee log"]), ("set -e\nexport A=1\nnpx jest\n", ["jest"]),
        ("A=1 B=2 ./run.sh || exit 1", ["./run.sh"]), ("echo only words", []),
        (". .venv/bin/activate\n.venv/bin/python -m build", [".venv/bin/python -m build"]), ("poetry run pytest -q", ["pytest -q"]),
    ],
)  # fmt: skip
def test_a_script_is_read_as_simple_commands(script: str, commands: list[str]) -> None:
    assert list(simple_commands(script)) == commands


def test_words_without_a_phase_tell_none() -> None:
    assert words_phase("") is None
    assert words_phase("frobnicate") is None


def test_a_check_of_what_the_job_deployed_belongs_to_the_deployment() -> None:
    check = "smoke or health check"
    assert checks_what_was_deployed(check, ("npm ci", "cd x && kubectl apply -f k8s"))
    assert not checks_what_was_deployed(check, ("npm ci", "pytest"))
    assert not checks_what_was_deployed("pytest", ("kubectl apply -f k8s",))


@pytest.mark.parametrize(("command", "expected"), [("npx cdk deploy", "deploy"), ("cdk synth", None), ("actions/github-script@v7", "infrastructure")])
def test_what_a_command_tells(command: str, expected: str | None) -> None:
    assert words_phase(command) == expected
