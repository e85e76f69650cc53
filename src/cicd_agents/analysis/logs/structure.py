"""The shape of a CI log: its platform, its steps, where it says that it failed or succeeded.

Formats: GitHub runner (actions/runner docs/adrs), GitLab runner sections
(https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections), Jenkins Pipeline console, Travis CI build log, act.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a structural line says."""

    STEP = "step"  # a step begins; name
    STEP_END = "step-end"
    SCRIPT_END = "script-end"  # before it the step's own script is printed
    COMMAND = "command"  # the log echoes a command; name
    FAILED = "failed"  # the platform or the shell says that the step or job failed
    SKIPPED = "skipped"  # a stage is skipped because one before it failed
    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    CLEANUP = "cleanup"  # what follows no longer belongs to the work of the job
    ERROR = "error"  # ##[error] that is not the wrapper
    JOB_END = "job-end"
    KEPT = "kept"  # a post step of an action kept the cache
    TRUNCATED = "truncated"  # the runner stopped to collect the log


@dataclass(frozen=True, slots=True)
class Event:
    """One structural fact at a line of the log."""

    line: int
    kind: Kind
    name: str = ""
    offset: int = 0


# Cleaned structural lines that carry no marker of their own (RE2, matched together with the signatures).
TEXTS = (
    r"^\[Pipeline\] (?:\{ \(|// stage)",
    r"""^The command ["'].{1,400}["'] (?:failed and )?exited with \d""",
    r"Done\. Your build exited with \d",
    r"^Finished: [A-Z]{6}",
    r"^Job succeeded",
    r"^ERROR: Job failed",
    r"^Post job cleanup\.",
    r"^Cleaning up orphan processes",
    r"^Stage .{1,200} skipped due to earlier failure",
    r"^Build step '.{1,200}' (?:marked build as|changed build result)",
    r"^[$+] \S",
    r"^(?:Error: )?Process completed with exit code",
    r"^(?:⭐ Run|✅  Success -|❌  Failure -) (?:Main|Pre|Post) ",  # act
    r"^🏁  Job (?:failed|succeeded)",
    r"^Job's log exceeded limit of \d+ (?:bytes|KiB)",
    r"^(?:Running after_script|Uploading artifacts for failed job|Cleaning up project directory and file based variables)$",
    r"^Cache (?:hit occurred on the primary key .{1,600}, not saving cache\.$|saved with (?:the )?key: )",
)
# Echoed commands as they begin a raw line: of GitLab in colour, of a shell that traces (set -x), behind a stamp.
_COMMANDS = (b"m$ ", b"O $ ", b"O+$ ", b"\n$ ", b"\n+ ", b"] + ", b"O + ")
# Texts of structural lines that are gone from the cleaned line: every line that holds one is looked at.
MARKS = (b"##[group]", b"##[endgroup]", b"##[error]", b"##[section]", b"section_start:", b"section_end:", b"travis_fold:", *_COMMANDS)

_GROUP_RUN = re.compile(rb"##\[group\]\s*(?:Run |Pre |Post )(?P<name>.{1,200})")
_SECTION = re.compile(rb"section_(start|end):\d+:([\w.:-]{1,200})")
_STAGE = re.compile(rb"\[Pipeline\] \{ \((.{1,200})\)")
_FOLD = re.compile(rb"travis_fold:(start|end):([\w.-]{1,100})")
_ACT = re.compile("(⭐ Run|✅  Success -|❌  Failure -) (?:Main|Pre|Post) (.{1,200}?)(?: \\[[\\d.a-zµ]+\\])?$".encode())
_EXITED = re.compile(rb"The command [\"'](.{1,400}?)[\"'] (?:failed and )?exited with (\d+)")
_DONE = re.compile(rb"Done\. Your build exited with (\d+)")
_COMMAND = re.compile(rb"^(?:\$|\+) (\S.{0,300})")
_FINISHED = re.compile(rb"^Finished: (SUCCESS|FAILURE|UNSTABLE|ABORTED|NOT_BUILT)")
_EXIT_CODE = re.compile(rb"^(?:Error: )?Process completed with exit code (\d+)")
_STEP_MARKED = re.compile(rb"Build step '(.{1,200})' (?:marked build as failure|changed build result to FAILURE)")
# GitLab sections that run whatever the script did.
_AFTER_SECTIONS = ("after_script", "upload_artifacts", "archive_cache", "cleanup", "after_failure", "after_success", "cache.")
# What runners print at the beginning of what they do after the work (gitlab-runner's with the names of the sections), and in it.
_AFTER_WORK = (
    (b"Post job cleanup.", Kind.CLEANUP, ""),
    (b"Running after_script", Kind.CLEANUP, "after_script"), (b"Uploading artifacts for failed job", Kind.CLEANUP, "upload_artifacts_on_failure"),
    (b"Cleaning up project directory and file", Kind.CLEANUP, "cleanup_file_variables"),
    (b"Cache ", Kind.KEPT, ""),
)  # fmt: skip
_AFTER_STAGES = ("Declarative: Post", "Post ", "Cleanup")


def events_of(line: int, raw: bytes, marker: bytes, text: bytes, speaks: bool) -> list[Event]:
    """The structural facts of one line; `raw` as stored, `marker` and `text` as cleaned, `speaks`: one of TEXTS matches."""
    if b"section_" in raw and (sections := _SECTION.findall(raw)):
        found = [Event(line, Kind.STEP if which == b"start" else Kind.STEP_END, _decode(name)) for which, name in sections]
        # The job's own verdict may stand behind the last marker of the same line.
        return [*map(_cleanup, found), *(_by_text(line, text) if speaks else ())]
    if b"travis_fold:" in raw and (folds := _FOLD.findall(raw)):
        return [_cleanup(Event(line, Kind.STEP if which == b"start" else Kind.STEP_END, _decode(name))) for which, name in folds]
    if marker == b"group":
        named = _GROUP_RUN.match(b"##[group]" + text)
        return [Event(line, Kind.STEP, _decode(named["name"]))] if named else []
    if marker == b"endgroup":
        return [Event(line, Kind.SCRIPT_END)]
    if marker == b"error":
        exited = _EXIT_CODE.match(text)
        if exited:
            return [Event(line, Kind.FAILED, "")] if exited[1] != b"0" else []
        return [Event(line, Kind.ERROR)]
    if not speaks:
        return []
    return _by_text(line, text) if text[:1].isascii() else _of_act(line, text)


def _by_text(line: int, text: bytes) -> list[Event]:
    if stage := _STAGE.match(text):
        name = _decode(stage[1])
        return [_cleanup(Event(line, Kind.STEP, name))]
    if text.startswith(b"[Pipeline] // stage"):
        return [Event(line, Kind.STEP_END)]
    if exited := _EXITED.search(text):
        return [Event(line, Kind.FAILED if exited[2] != b"0" else Kind.STEP_END, _decode(exited[1]))]
    if done := _DONE.search(text):
        return [Event(line, Kind.JOB_END), Event(line, Kind.SUCCEEDED if done[1] == b"0" else Kind.FAILED)]
    if finished := _FINISHED.match(text):
        kind = {b"SUCCESS": Kind.SUCCEEDED, b"ABORTED": Kind.ABORTED, b"NOT_BUILT": Kind.ABORTED}.get(finished[1], Kind.FAILED)
        return [Event(line, Kind.JOB_END), Event(line, kind)]
    if text.startswith(b"Job succeeded"):
        return [Event(line, Kind.JOB_END), Event(line, Kind.SUCCEEDED)]
    if text.startswith(b"ERROR: Job failed"):
        return [Event(line, Kind.JOB_END), Event(line, Kind.FAILED)]
    if after := next((Event(line, kind, name) for begin, kind, name in _AFTER_WORK if text.startswith(begin)), None):
        return [after]
    if text.startswith(b"Cleaning up orphan processes"):
        return [Event(line, Kind.CLEANUP), Event(line, Kind.JOB_END)]
    if b"skipped due to earlier failure" in text and text.startswith(b"Stage "):
        return [Event(line, Kind.SKIPPED), Event(line, Kind.CLEANUP)]
    if marked := _STEP_MARKED.search(text):
        return [Event(line, Kind.FAILED, _decode(marked[1]))]
    if exited := _EXIT_CODE.match(text):
        return [Event(line, Kind.FAILED)] if exited[1] != b"0" else []
    if command := _COMMAND.match(text):
        return [Event(line, Kind.COMMAND, _decode(command[1]))]
    # gitlab-runner: output_limit
    return [Event(line, Kind.TRUNCATED)] if text.startswith(b"Job's log exceeded limit") else []


def _of_act(line: int, text: bytes) -> list[Event]:
    """https://github.com/nektos/act prints steps and their ends with emojis."""
    if step := _ACT.match(text):
        kind = {b"\xe2\xad\x90": Kind.STEP, b"\xe2\x9c\x85": Kind.STEP_END}.get(step[1][:3], Kind.FAILED)
        return [Event(line, kind, _decode(step[2]))]
    return [Event(line, Kind.JOB_END), Event(line, Kind.SUCCEEDED if text.endswith(b"succeeded") else Kind.FAILED)]


def _cleanup(event: Event) -> Event:
    after = event.kind is Kind.STEP and event.name.startswith(_AFTER_SECTIONS + _AFTER_STAGES)
    return Event(event.line, Kind.CLEANUP, event.name) if after else event


def _decode(name: bytes) -> str:
    return name.decode(errors="replace").strip()


_PLATFORM_SIGNS = (
    ("gitlab", (rb"section_start:\d+:", rb"Running with gitlab-runner", rb"ERROR: Job failed", rb"\dZ [0-9a-f]{2}[OE][+ ]")),
    ("jenkins", (rb"^(?:\xef\xbb\xbf)?Started by ", rb"\[Pipeline\] ", rb"^Finished: [A-Z]{6}", rb"Running on \S+ in /", rb"\x1b\[8mha:")),
    ("github", (rb"##\[(?:group|error|endgroup|command|section|debug)\]", rb"^(?:\xef\xbb\xbf)?(?:[^\t\n]{1,200}\t){0,2}\d{4}-\d\d-\d\dT[\d:]{8}\.\d{7}Z ")),
)
_PLATFORMS = tuple((name, re.compile(b"|".join(signs), re.MULTILINE)) for name, signs in _PLATFORM_SIGNS)


def platform_of(head: bytes, tail: bytes) -> str:
    """github, gitlab, jenkins or raw, from the first and last bytes of a log."""
    for name, sign in _PLATFORMS:
        if sign.search(head) or sign.search(tail):
            return name
    return "raw"
