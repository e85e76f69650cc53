"""In which phase of delivery a failure happened: from what it is, and from the work that was going on (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

# What a failure of this category is, whatever command met it.
_BY_CATEGORY = {
    "test_failure": "test", "test_flaky": "test", "coverage_threshold": "test", "security_audit": "test", "kubernetes_deploy": "deploy",
    "database_migration": "deploy", "infrastructure_runner": "infrastructure",
}  # fmt: skip
# What it is most often, where the work that was going on is not known.
_USUALLY = {
    "timeout": "test", "out_of_memory": "build", "other": "test", "git_checkout": "infrastructure", "resource_quota": "infrastructure",
}  # fmt: skip
# Source is refused in the build, even where a test command asked for that build; these tools compile what they test as they go.
_COMPILES_AS_IT_TESTS = ("go", "go test", "rustc", "rustdoc", "python", "PHP", "ruby", "perl", "node", "Elixir", "mix", "Nim", "R", "Julia", "lua", "tsc")
_SHELLS = ("bash", "sh", "shell", "dash", "zsh", "PowerShell")
_TEST_FILE = re.compile(r"_test\.\w+$|(?:^|/)test_\w+\.py$|\.(?:test|spec)\.\w+$|(?:^|/)(?:tests?|specs?|__tests__)/|_spec\.\w+$|Tests?\.\w+$")

_BREAK = re.compile(r"\s*(?:\n|;|&&|\|\||\|(?!\|))\s*")
_SKIPPED = re.compile(
    r"^(?:(?:cd|echo|set|export|source|if|fi|then|else|for|do|done|while|ulimit|pushd|popd|printf|sleep|mkdir|cat|ls|true|exit|date|env|trap)\b|\. )"
)
_PREFIX = re.compile(
    r"^(?:\$|\+|>|#|Run|\[command\]\S*/)?\s*"
    r"(?:(?:sudo|time|nice|npx|exec|env|xvfb-run\S*|bundle exec|pnpm exec|yarn exec|uv run|poetry run|pdm run|[A-Z_]+=\S*) (?:-\S+ )*)*"
)
_DEPLOY = (
    r"\bdeploy", r"\brollout\b", r"\bpublish", r"(?<![-=])\brelease\b(?!/|-?\d)", r"\bpromot", r"kubectl (?!version|config)",
    r"\bhelm (?:upgrade|install|rollback|push)", r"\b(?:terraform|tofu|terragrunt) (?:apply|plan|destroy|import)", r"ansible-playbook(?!.*--syntax-check)",
    r"\bmigrat", r"\bpurg", r"argocd", r"flux \w", r"\bupload to\b", r"\b(?:docker|podman|buildah|crane|skopeo|helm) (?:image )?(?:push|copy)",
    r"\bpush\b.*(?:prod|image)", r"\btwine upload", r"\bgem push", r"\bsemantic-release", r"\bgoreleaser(?! (?:check|build))",
    r"\b(?:aws|gsutil|gcloud|az|s3cmd|rclone|azcopy) \w", r"\b(?:rsync|scp|sftp|ssh)(?: |-action)",
    r"\b(?:vercel|netlify|flyctl|heroku|serverless|sls|pulumi|firebase)\b", r"\bcdk (?:deploy|destroy|bootstrap)\b",
    r"\bpsql\b", r"\b(?:alembic|liquibase|flyway|knex|prisma|sequelize)\b",
    r"\bgpg\b.*sign", r"\bgit push\b", r"\bfastlane (?:deliver|pilot|supply|beta)", r"\bsemantic.release", r"\bsmoke.*(?:prod|stag)", r"\bgh release",
    r"\brelease-it\b", r"\blerna publish", r"\bchangeset publish", r"\bdocker stack\b",
)  # fmt: skip
_TEST = (
    r"\btests?\b", r"[-_:/.]tests?\b", r"\btest[-_:]", r"\bunittests?\b", "pytest", "jest", "vitest", "mocha", r"\bava\b", "rspec", "phpunit", r"\btox\b",
    r"\bnox\b", r"\bkarma\b", "cypress", "playwright test", r"\blint", r"lint\b", r"check(?!out|sum|er\b)", "cover(?:age|alls)", "e2e", "integration",
    "smoke", r"\bverify\b", r"\bspecs?\b", "soak", "bench", r"\bperf\b", r"(?<!no-)\baudit\b", r"\bscan\b", r"\bload[- ]?test", "autocannon", r"\bk6\b",
    "locust", "lighthouse", "clippy", r"clang-(?:tidy|format)", "cppcheck", r"\bfmt\b", r"\bformat\b(?!=)", "ctest", r"\bvet\b", "mypy", "pyright",
    r"\bruff\b", "flake8", "pylint", r"\bblack\b", r"\bisort\b", "eslint", "prettier", "stylelint", "biome", "shellcheck", "yamllint", "hadolint",
    "actionlint", "typos", "codespell", r"type-?check", r"\btsc\b.*--noEmit", "svelte-check", r"vue-tsc(?! -b)", "pre-commit", "phpcs", "phpstan", "psalm",
    "rubocop", "detekt", "ktlint", "sonar", "semgrep", "bandit", "trivy", "gitleaks", r"\bprove\b", "behave", r"\brobot\b", "valgrind", "commitlint",
    r"\bdocker(?:-compose| compose)? run\b", r"terraform fmt", r"--syntax-check", r"helm (?:lint|template)", r"\bdoctor\b", r"\bvalidate\b", r"\bgate\b",
    r"\bdedupe\b", "dry-run",
)  # fmt: skip
_INFRASTRUCTURE = (
    r"^(?:set up job|checkout\b|get_sources|prepare_|restore_cache|download_artifacts|declarative: checkout|initialize containers|git\.)",
    r"actions/(?:checkout|cache|upload-artifact|download-artifact|upload-pages|configure-pages|github-script|labeler|stale|first-interaction)",
    r"(?:peter-evans|dorny|marocchino)/\S*(?:pull-request|comment|dispatch|reporter)", r"^set up runner\b",
    r"^git (?:-C \S+ )?(?:fetch|clone|checkout|submodule|lfs)\b", r"\bgh (?:api|run|workflow|issue|label)\b",
)  # fmt: skip
_BUILD = (
    r"\bbuild", r"\bcompile", r"\binstall", r"\bpackage\b", r"\bmake\b", r"\bsetup\b", r"\bbundle", r"\bdocker (?:buildx |image )?(?:build|pull|bake|load)",
    r"\bpip\b", r"npm (?:ci|i)\b", r"\bcmake\b", r"\bninja\b", r"\bmeson\b", r"\bconfigure\b", r"\bgcc\b|\bg\+\+|\bclang\b|\bcc\b",
    r"\bcargo (?:fetch|check|doc)", r"\bgo (?:mod|get|generate)", r"\bmvnw? ", r"\bgradlew? ", r"\bsphinx-build", r"\bmkdocs\b", r"\bwebpack\b", r"\bvite\b",
    r"\brollup\b", r"\btsc\b", r"\b(?:npm|yarn|pnpm) (?:ci|i|install|add|update|up|pack|dedupe|rebuild|link)\b|^(?:yarn|pnpm)$",
    r"\bpoetry\b|\buv\b|\bpdm\b|\bconda\b", r"\bcomposer\b", r"\bapt(?:-get)?\b|\byum\b|\bdnf\b|\bapk\b", r"\bcurl\b|\bwget\b", r"\bstack\b|\bcabal\b",
    r"\bmix (?:deps|compile)", r"\brebar3?\b", r"\bterraform init", r"\brender\b", r"\bgenerate\b", r"\bdpkg-buildpackage|\brpmbuild|\bdebuild",
)  # fmt: skip
# A program of the project that is just run: more often a check than anything else.
_PROGRAM = (r"^python[\d.]* (?:-\w+ )*[\w./]", r"^node [\w./-]", r"^ruby \w", r"^perl [\w./]", r"^(?:\./|bin/|target/)[\w./-]+", r"^java -")
# These words of other kinds of work build: they come first.
_BUILDS = (
    r"\bcargo check\b", r"\bterraform (?:init|validate|get)\b", r"-m compileall", r"docker (?:buildx )?build",
    r"\b(?:cargo|go|npm|dotnet|swift|zig|dune|mix|stack|cabal) (?:run )?build\b",
)  # fmt: skip
_TABLE = tuple(
    (phase, re.compile("|".join(words), re.IGNORECASE))
    for phase, words in (("build", _BUILDS), ("infrastructure", _INFRASTRUCTURE), ("deploy", _DEPLOY), ("test", _TEST), ("build", _BUILD))
)
_PROGRAMS = re.compile("|".join(_PROGRAM), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Work:
    """What was going on when the failure was printed: the commands of the step (the nearest one first), the phase that the output before
    it shows (activity.phase_before), the step's name, the phases of other messages of the step, and the file that the message names."""

    commands: Sequence[str] = ()
    activity: str | None = None
    step: str = ""
    beside: Collection[str] = ()
    path: str = ""


def phase_of(stated: str | None, category: str, tool: str, work: Work) -> str:
    """One of domain.doctor.PHASES. `stated`: what the signature says; `tool`: the program whose message it is."""
    if category in _BY_CATEGORY:
        return stated or _BY_CATEGORY[category]
    going_on = _going_on(tool, work)
    if category == "compile":
        return _of_source(stated, tool, going_on, work)
    if category in ("lint_format", "type_check"):
        asked = _going_on(tool, replace(work, activity=None))
        return "build" if asked == "build" or (stated == "build" and category == "lint_format" and asked != "test") else "test"
    if category == "dependency_resolution":
        return stated or ("deploy" if going_on == "deploy" else "build")
    if category == "git_checkout":
        return stated or _going_on(tool, replace(work, activity=None, step="" if work.commands else work.step)) or "infrastructure"
    if stated and not (stated == "build" and going_on == "deploy"):
        return stated
    beside = (phase for phase in ("test", "deploy", "infrastructure", "build") if phase in work.beside)
    return going_on or stated or next(beside, None) or _USUALLY.get(category, "build")


def _of_source(stated: str | None, tool: str, going_on: str | None, work: Work) -> str:
    if tool in _SHELLS:
        return going_on or "build"
    tests = tool in _COMPILES_AS_IT_TESTS and ("test" in (stated, going_on) or _TEST_FILE.search(work.path))
    return "test" if tests or stated == "test" else "build"


def checks_what_was_deployed(tool: str, earlier: Iterable[str]) -> bool:
    """Whether the message is of a check of the program that an earlier step of the job brought out; `earlier`: commands and names of the steps."""
    return tool == "smoke or health check" and any(words_phase(part) == "deploy" for text in earlier for part in (text, *simple_commands(text)))


def _going_on(tool: str, work: Work) -> str | None:
    simple = [part for command in work.commands for part in reversed(list(simple_commands(command)))]
    own = [part for part in simple if re.search(rf"(?:^|[\s/]){re.escape(tool)}\b", part)]
    step = words_phase(work.step)
    told = (*map(words_phase, own), *(() if simple else (step,)), work.activity, *map(words_phase, simple), step)
    return next(filter(None, told), None) or ("test" if any(map(_PROGRAMS.search, simple)) else None)


def simple_commands(script: str) -> Iterator[str]:
    """The commands of a shell line or script that do some work, without prompts and wrappers."""
    for part in _BREAK.split(script):
        bare = _PREFIX.sub("", part.strip(), count=1)
        if bare and not _SKIPPED.match(bare):
            yield bare


def words_phase(text: str) -> str | None:
    """The phase that a command or the name of a step tells."""
    return next((phase for phase, shape in _TABLE if shape.search(text)), None) if text else None
