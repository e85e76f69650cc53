"""The options of `run`, `release` and `guardian`; imports nothing that takes time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cicd_agents.settings.options import OF_GUARDIAN, OPTIONS, Kind, Option

FORMATS = ("text", "markdown", "json", "jsonl")
EXPLAIN = ("auto", "off", "required")


def add_commands(commands: Any, wanted: str) -> None:
    """Add all three; of those that are not `wanted` only the name, since the options of all take longer to make than most runs of a command."""
    for name, add, about in (
        ("run", add_run, "in CI: run the agent that the event calls for"),
        ("release", add_release, "plan, make, or take back a release"),
        ("guardian", add_guardian, "judge a deployment; roll it back"),
    ):
        if name == wanted:
            add(commands)
        else:
            commands.add_parser(name, help=about)


def add_release(commands: Any) -> None:
    """Add `release plan`, `release changelog`, `release apply` and `release rollback`."""
    about = "Read the history of a git repository, say what the next release is, and why; make it, or take one back."
    release = commands.add_parser("release", help="plan, make, or take back a release", allow_abbrev=False, description=about)
    kinds = release.add_subparsers(dest="what", required=True, metavar="WHAT")
    plan = kinds.add_parser("plan", help="next version, reason, changelog, version files; writes nothing", allow_abbrev=False)
    apply = kinds.add_parser("apply", help="make the release: commit, tag, push, release on the forge; finishes what an earlier run began", allow_abbrev=False)
    changelog = kinds.add_parser("changelog", help="the changelog of what is not released yet, or of all", allow_abbrev=False)
    rollback = kinds.add_parser("rollback", help="take a release back; deletes nothing", allow_abbrev=False)
    for parser in (plan, apply):
        parser.add_argument("--format", choices=FORMATS, default="text", help="how to print the plan (default: text)")
        parser.add_argument("--release-as", metavar="VERSION", help="this version, whatever the commits ask for")
        parser.add_argument("--prerelease", metavar="CHANNEL", help="a prerelease of this channel, such as rc")
        parser.add_argument("--graduate", action="store_true", help="go from 0.x to 1.0.0")
    plan.add_argument("--explain", choices=EXPLAIN, default="off", help="let a model explain the plan; it reads settings and key as in CI (default: off)")
    changelog.add_argument("--all", action="store_true", help="of the whole history")
    for parser in (plan, changelog, apply):
        parser.add_argument("--from", dest="since", metavar="TAG", help="tag or commit of the last release (default: the highest stable tag of this line)")
        parser.add_argument("--to", dest="until", default="HEAD", metavar="REF", help="what would be released (default: HEAD)")
        parser.add_argument("--path", default="", metavar="COMPONENT", help="name or folder of a component")
        parser.add_argument("--branch", metavar="NAME", help="the branch that releases (default: the one of HEAD)")
        parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    rollback.add_argument("tag", metavar="TAG", help="the tag of the release to take back")
    rollback.add_argument("--to", dest="good", default="", metavar="TAG", help="the release that becomes the latest (default: the highest stable one below)")
    rollback.add_argument("--reason", required=True, metavar="TEXT", help="why, in one sentence; people read it above the notes")
    rollback.add_argument("--format", choices=FORMATS, default="text", help="how to print the report (default: text)")
    rollback.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    for parser in (plan, changelog, apply, rollback):
        parser.add_argument("--repo", default=".", metavar="DIR", help="the repository, bare or with a work tree (default: .)")
        parser.add_argument("--scheme", metavar="SCHEME", help="semver, or calendar versions such as YYYY.MM.MICRO (default: semver)")
    for parser in (plan, changelog, apply, rollback):
        parser.add_argument("--config", metavar="FILE", help="settings file (default: .cicd-agents.yml of the repository)")
    for parser in (apply, rollback):
        parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would be done")
        parser.add_argument("--remote", metavar="NAME", help="the remote that gets commit and tag (default: origin)")
    apply.add_argument("--explain", choices=EXPLAIN, help="let a model explain the release (default: as the settings say)")
    apply.add_argument("--flow", choices=("direct", "request"), help="at once, or by a pull or merge request (default: direct)")
    apply.add_argument("--asset", action="append", default=[], metavar="PATTERN", help="file for the release; may be given several times")
    apply.add_argument("--no-forge", action="store_true", help="no release on the forge, only the tag")


def add_run(commands: Any) -> None:
    """Add `run` with an option for each setting but secrets."""
    run = commands.add_parser(
        "run",
        help="in CI: run the agent that the event calls for",
        allow_abbrev=False,
        description="Read the CI context, run one agent, tell people what it found. Secrets come by environment only (docs/settings.md).",
    )
    run.add_argument("--config", metavar="FILE", help="settings file (default: .cicd-agents.yml of the workspace, or of the base branch for pull requests)")
    _add_settings(run, OPTIONS)


def add_guardian(commands: Any) -> None:
    """Add `guardian check`, `watch`, `rollback`, `resume`, `backtest` and `policy`."""
    about = "Judge a new version against the old one on real metrics, say GO or NO-GO, and act where that is allowed."
    guardian = commands.add_parser("guardian", help="judge a deployment; roll it back", allow_abbrev=False, description=about)
    kinds = guardian.add_subparsers(dest="what", required=True, metavar="WHAT")
    check = kinds.add_parser("check", help="one verdict now", allow_abbrev=False)
    watch = kinds.add_parser("watch", help="look again until it is decided; acts as `rollback` and `promote` say", allow_abbrev=False)
    rollback = kinds.add_parser("rollback", help="roll back now, without a judgement", allow_abbrev=False)
    resume = kinds.add_parser("resume", help="switch on again what a rollback switched off (auto-sync, reconciliation)", allow_abbrev=False)
    backtest = kinds.add_parser("backtest", help="replay past releases, print the false-alarm rate on your own data", allow_abbrev=False)
    policy = kinds.add_parser("policy", help="print the policy that holds", allow_abbrev=False)
    for parser in (rollback, resume):
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in one sentence")
    policy.add_argument("--foresight", action="store_true", help="ask the metrics how much traffic there is, and say first what each stage can show")
    backtest.add_argument("--releases", metavar="FILE", help="YAML list of releases (docs/deployment-guardian.md); default: those that history remembers")
    for parser in (check, watch, rollback, resume):
        parser.add_argument("--format", choices=(*FORMATS, "html"), default="text", help="how to print the report (default: text)")
    for parser in (check, watch, rollback, resume, backtest, policy):
        parser.add_argument("--config", metavar="FILE", help="settings file (default: .cicd-agents.yml here)")
        parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
        _add_settings(parser, OF_GUARDIAN)


def _add_settings(parser: Any, options: Iterable[Option]) -> None:
    for option in options:
        if option.kind is not Kind.SECRET:
            flag: dict[str, Any] = {"nargs": "?", "const": "true"} if option.kind is Kind.FLAG else {}
            told = f"{option.help} (default: {option.default or 'none'})".replace("%", "%%")  # argparse fills in what stands behind a %
            parser.add_argument(f"--{option.name}", metavar="VALUE", help=told, **flag)
