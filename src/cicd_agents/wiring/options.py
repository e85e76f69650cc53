"""The options of `run` and `release`; imports nothing that takes time."""

from __future__ import annotations

from typing import Any

from cicd_agents.settings.options import OPTIONS, Kind

FORMATS = ("text", "markdown", "json", "jsonl")


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
    for parser in (plan, changelog, apply, rollback):
        parser.add_argument("--config", metavar="FILE", help="settings file (default: .cicd-agents.yml of the repository)")
    for parser in (apply, rollback):
        parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would be done")
        parser.add_argument("--remote", metavar="NAME", help="the remote that gets commit and tag (default: origin)")
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
    for option in OPTIONS:
        if option.kind is not Kind.SECRET:
            flag: dict[str, Any] = {"nargs": "?", "const": "true"} if option.kind is Kind.FLAG else {}
            run.add_argument(f"--{option.name}", metavar="VALUE", help=f"{option.help} (default: {option.default or 'none'})", **flag)
