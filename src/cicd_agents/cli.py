"""Arguments and environment → settings, clients, agent. The only place where things that touch the world are built."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TextIO

from cicd_agents import __version__

if TYPE_CHECKING:
    import argparse

    from cicd_agents.agents.log_doctor import LogDoctor
    from cicd_agents.analysis.logs.scan import Catalogue
    from cicd_agents.domain.redaction import Redactor
    from cicd_agents.domain.verdict import Verdict
    from cicd_agents.report.document import Report

_FORMATS = ("text", "markdown", "json", "jsonl", "sarif")
_ISSUES = "https://github.com/org/cicd-agents/issues"
# Environment variables whose names say that their value is a secret.
_SECRET_NAMES = (
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "PRIVATE_KEY", "CREDENTIAL", "WEBHOOK", "HISTORY_URL", "HISTORY-URL", "GEMINI_KEY", "GEMINI-KEY",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (docs/exit-codes.md)."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"]:  # before anything is imported: start-up is measured by this
        print(f"cicd-agents {__version__}")
        return 0
    from cicd_agents.domain.errors import UsageError
    from cicd_agents.domain.verdict import EXIT_BUG, EXIT_USAGE

    try:
        options = _parser(given[0] if given else "").parse_args(given)
        return _COMMANDS[options.command](options)
    except UsageError as problem:
        _complain(str(problem))
        return EXIT_USAGE
    except KeyboardInterrupt:
        _complain("interrupted.")
        return 130
    except BrokenPipeError:
        sys.stdout = None  # nobody reads on; do not fail once more at exit
        return 0
    except Exception as bug:
        _report_bug(bug)
        return EXIT_BUG


def _doctor(options: argparse.Namespace) -> int:
    import time
    from functools import partial

    from cicd_agents.agents.log_doctor import LogDoctor
    from cicd_agents.clients.logfiles import LogFiles
    from cicd_agents.domain.verdict import FailOn
    from cicd_agents.run import run

    doctor = LogDoctor(LogFiles(), _catalogue(options.signatures), options.platform, tuple(options.baseline), options.max_candidates)
    redactor, fail_on = _redactor(), FailOn(options.fail_on)
    reports: list[Report] = []
    diagnosed = doctor.run if options.explain == "off" else _with_advice(doctor, options.explain, redactor)
    with _output(options.output) as out:
        colour = _colour_wanted(out)
        for log in options.logs:
            report = run(partial(diagnosed, log), fail_on, redactor, time.monotonic)
            reports.append(report)
            if options.format != "sarif":
                out.write(_rendered(report, options.format, colour))
                out.flush()
        if options.format == "sarif":
            from cicd_agents.report.sarif import to_sarif

            out.write(to_sarif(reports, __version__))
    return max(report.exit_code for report in reports)


def _with_advice(doctor: LogDoctor, explain: str, redactor: Redactor) -> Callable[[str], Verdict]:
    """How a log is diagnosed where a model may be asked about it."""
    import os

    from cicd_agents.clients.clock import SystemClock
    from cicd_agents.wiring.log_doctor import with_advice
    from cicd_agents.wiring.world import World

    return with_advice(doctor, explain, World(os.environ, sys.stdout.write, _say, redactor, _catalogue, SystemClock()))


def _run(options: argparse.Namespace) -> int:
    import os

    from cicd_agents.clients.clock import SystemClock
    from cicd_agents.settings.options import OPTIONS
    from cicd_agents.wiring.ci import run_in_ci
    from cicd_agents.wiring.world import World

    given = {option.name: value for option in OPTIONS if (value := getattr(options, option.field, None)) is not None}

    def out(text: str) -> None:
        with _output(None) as stream:
            stream.write(text)
            stream.flush()

    return run_in_ci(given, options.config, World(os.environ, out, _say, _redactor(), _catalogue, SystemClock()))


def _release(options: argparse.Namespace) -> int:
    import gc
    import os

    from cicd_agents.clients.clock import SystemClock
    from cicd_agents.wiring.release import release, release_writes
    from cicd_agents.wiring.world import World

    gc.disable()  # a history is many small objects that live to the end of this short process; collecting them takes a fifth of the time
    with _output(options.output) as out:
        world = World(os.environ, out.write, _say, _redactor(), _catalogue, SystemClock())
        return release(options, world) if options.what in ("plan", "changelog") else release_writes(options, world)


def _guardian(options: argparse.Namespace) -> int:
    import os

    from cicd_agents.clients.clock import SystemClock
    from cicd_agents.wiring.guardian import guardian
    from cicd_agents.wiring.world import World

    with _output(options.output) as out:
        return guardian(options, World(os.environ, out.write, _say, _redactor(), _catalogue, SystemClock()))


_COMMANDS = {"doctor": _doctor, "run": _run, "release": _release, "guardian": _guardian}


def _say(sentence: str) -> None:
    """Progress, on standard error; never a command for the runner, whatever is quoted."""
    from cicd_agents.report.escape import plain, workflow_safe

    print(workflow_safe(plain(sentence, 1000)), file=sys.stderr)


def _rendered(report: Report, form: str, colour: bool) -> str:
    if form == "markdown":
        from cicd_agents.report.markdown import to_markdown

        return to_markdown(report)
    if form in ("json", "jsonl"):
        from cicd_agents.report.json_format import to_json, to_jsonl

        return to_json(report) if form == "json" else to_jsonl(report)
    from cicd_agents.report.text import to_text

    return to_text(report, colour)


def _catalogue(folder: str | None) -> Catalogue:
    from cicd_agents.analysis.logs import bundled

    if folder is None:
        return bundled.bundled()
    from pathlib import Path

    from cicd_agents.analysis.logs.scan import catalogue
    from cicd_agents.clients import signature_files

    own = signature_files.read(Path(folder))
    taken = {rule.id for rule in own}
    return catalogue((*own, *(rule for rule in bundled.signatures() if rule.id not in taken)))


def _redactor() -> Redactor:
    import os

    from cicd_agents.domain.redaction import Redactor

    known = (value for name, value in os.environ.items() if any(word in name.upper() for word in _SECRET_NAMES))
    return Redactor(tuple(sorted({value for value in known if value})))


@contextmanager
def _output(path: str | None) -> Iterator[TextIO]:
    import io

    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="replace")
        yield sys.stdout
        return
    from cicd_agents.domain.errors import UsageError

    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            yield file
    except OSError as problem:
        raise UsageError(f"{path}: cannot be written: {problem.strerror or problem}.") from None


def _colour_wanted(out: TextIO) -> bool:
    import os

    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _parser(wanted: str) -> argparse.ArgumentParser:
    import argparse

    from cicd_agents.domain.doctor import PLATFORMS
    from cicd_agents.domain.errors import UsageError
    from cicd_agents.wiring.options import add_commands

    class Parser(argparse.ArgumentParser):
        """One clear sentence instead of the usage text."""

        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{_without_values(message)}; see {self.prog} --help.")

    parser = Parser(prog="cicd-agents", description="CI/CD agents: engines decide, evidence first.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"cicd-agents {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_commands(commands, wanted)
    doctor = commands.add_parser(
        "doctor",
        help="say why a failed run failed",
        allow_abbrev=False,
        description="Read logs of failed CI runs and say which line broke each, why, and what to do.",
    )
    doctor.add_argument("logs", nargs="+", metavar="LOG", help="a log: plain, gzip or a GitHub run-log zip; - for standard input")
    doctor.add_argument("--format", choices=_FORMATS, default="text", help="how to print the report (default: text)")
    doctor.add_argument("--output", metavar="FILE", help="write the report to FILE instead of standard output")
    doctor.add_argument("--platform", choices=("auto", *PLATFORMS), default="auto", help="where the log comes from (default: auto)")
    doctor.add_argument(
        "--baseline", action="extend", nargs="+", default=[], metavar="LOG", help="logs of earlier successful runs of the same job; put them after the log"
    )
    doctor.add_argument("--signatures", metavar="DIR", help="folder with your own signatures (docs/signatures.md), used beside ours")
    doctor.add_argument("--max-candidates", type=_count, default=10, metavar="N", help="candidates in the report, 1 to 10 (default: 10)")
    doctor.add_argument(
        "--fail-on", choices=("never", "fail", "inconclusive"), default="never", help="which outcome closes the gate (default: never; the doctor advises)"
    )
    doctor.add_argument(
        "--explain", choices=("off", "auto", "required"), default="off",
        help="let a model explain, which gets redacted parts of the log and of files here: auto where there is a key (default: off; docs/advisor.md)",
    )  # fmt: skip
    return parser


def _without_values(message: str) -> str:
    """What argparse says, without the values of options that there are not: a secret may be among them, since secrets have no options."""
    lead = "unrecognized arguments: "
    if not message.startswith(lead):
        return message
    words = message.removeprefix(lead).split(" ")
    kept = [word.partition("=")[0] for before, word in zip(("", *words), words) if word.startswith("-") or not before.startswith("-")]
    return f"{lead}{' '.join(kept)}"


def _count(text: str) -> int:
    import argparse

    if not text.isdigit() or not 1 <= int(text) <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10")
    return int(text)


def _complain(sentence: str) -> None:
    from cicd_agents.report.escape import plain, workflow_safe

    print(f"cicd-agents: {workflow_safe(plain(sentence, 1000))}", file=sys.stderr)


def _report_bug(bug: Exception) -> None:
    import traceback

    from cicd_agents.report.escape import plain, workflow_safe

    trace = "".join(traceback.format_exception(bug))
    text = _redactor().redact(trace).text
    print(f"cicd-agents {__version__}: this is a bug, not a verdict. Please report it at {_ISSUES} with:", file=sys.stderr)
    print(workflow_safe(plain(text, 20_000)), file=sys.stderr)
