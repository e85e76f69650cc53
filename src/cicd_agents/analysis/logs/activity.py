"""What a job was doing, from what its tools print while they work: test runners, compilers, installers, deploy tools (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cicd_agents.analysis.logs.phases import simple_commands, words_phase

# Lines that only a working tool of this kind prints. Each is looked for in the lines before a failure, the nearest first.
_TEST = (
    r"^=+ (?:test session starts|FAILURES|ERRORS|short test summary)", r"^collect(?:ed|ing) \d+ item", r"^=== (?:RUN|PAUSE|CONT|NAME)",
    r"^\s*--- (?:PASS|FAIL|SKIP):", r"^(?:ok|FAIL|\?)\s+\S+/\S+\s", r"^running \d+ tests?$", r"^test \S+ \.\.\. ", r"^\s*T E S T S$",
    r"^(?:\[\w+\] +)?Tests run:", r"^(?:\[\w+\] +)?Running [\w.$]*Tests?\b", r"^> Task :\S*[tT]est\S*", r"^:\S*:?(?:test|check)\w*$",
    r"\b(?:surefire|failsafe)[\w.:-]*:(?:test|integration-test|verify)", r"^(?:PASS|FAIL|RUNS) +\S+\.\w+", r"^\s*RUN +v\d", r"^TAP version \d+", r"^1\.\.\d+",
    r"^(?:not )?ok \d+", r"^\s*(?:✓|✔)(?! (?:built in|\d+ modules transformed|Compiled)) ",
    r"^\s*(?:✕|✗|√|×(?! (?:Getting|Preparing|Building|Running|Encountered|Failed|Unable|python|pip))) ", r"^Test [Ss]uite",
    r"^Starting test (?:execution|run)", r"^Passed!  -", r"^Randomized with seed", r"^Run options:", r"^# Running:", r"^PHPUnit \d",
    r"^[.FESI]{5,}(?: +\[ *\d+%\])?$", r"^\s*\d+ (?:passing|failing)", r"^Ran \d+ tests? in", r"^test_\w+ \(",
    r"\.py(?:::\S+)? (?:PASSED|FAILED|SKIPPED|ERROR|[.FsxE]+)(?: +\[ *\d+%\])?$", r"^\[==========\] Running", r"^\[ +(?:RUN|OK) +\]", r"^\s*Start +\d+: ",
    r"^ *\d+/\d+ Test +#\d+", r"^\s*●", r"^Failures?:$", r"^Finished in [\d.]+ seconds", r"^GUIDE-TEST-", r"^TEST-(?:START|PASS|UNEXPECTED)",
    r"^Checking (?:formatting|types)", r"^All checks passed", r"^(?:Running|Checking) (?:lint|style|eslint|prettier|mypy|tests?)\b", r"^would reformat ",
    r"^Found \d+ errors?", r"^\S+\.\.{5,}(?:Passed|Failed|Skipped)", r"^GLOB sdist|^py\d+ (?:run-test|commands)|^\w+: commands\[\d+\]>.*(?:test|lint|check)",
)  # fmt: skip
_BUILD = (
    r"^\s*Compiling \S+", r"^\[ *\d+%\] (?:Building|Linking|Built)", r"^\[\d+/\d+\] (?:Building|Linking|Compiling|CXX|CC)", r"^Collecting \S+",
    r"^\s*Downloading \S+", r"^\s*(?:Updating|Downloaded|Adding) (?:crates|\S+ v\d)", r"^Successfully (?:installed|built)", r"^added \d+ packages",
    r"^(?:Selecting previously|Unpacking|Preparing to unpack|Setting up|Get:\d+|Hit:\d+)\b", r"^Step \d+/\d+ :", r"^(?:\[\S+ +\d+/\d+\] )?(?:RUN|COPY|FROM) ",
    r"\b(?:compiler|resources|jar|dependency|enforcer|checkstyle|javadoc|spotless)[\w.:-]*:(?:compile|testCompile|resources|jar|check|enforce|javadoc)",
    r"^> Task :\S*(?:compile|assemble|jar|resources|dex|package)\w*", r"^checking (?:for|whether)\b.{1,160}\.\.\.(?: |$)",
    r"^-- (?:Found|Looking for|Check|Performing|The \w+ compiler)",
    r"^(?:gcc|g\+\+|cc|c\+\+|clang(?:\+\+)?|ar|ld|rustc|javac|ghc|ocaml\w*|erlc|mcs|gfortran)\b.* -", r"^\s+(?:CC|CXX|LD|AR|CCLD) +\S",
    r"^running (?:build|bdist|egg_info|install)", r"^Resolving (?:dependencies|deltas)", r"^Fetching (?:gem|source|\S+ \d)",
    r"^Installing (?:dependencies|\S+ [\d(])", r"^ *vite v\d.*building", r"^(?:\d\d:\d\d:\d\d )?\[(?:vite|build|types|content)\] ",
    r"^\s*(?:✓|✔) (?:built in|\d+ modules transformed|Compiled)", r"^ *(?:generating (?:static routes|optimized images)|prerendering static routes) *$",
    r"^(?:\d\d:\d\d:\d\d )?▶ \S+\.(?:astro|md|ts)\b",
    r"^ *(?:▲ Next\.js \d|Creating an optimized production build|Collecting page data|Generating static pages)",
    r"^(?:webpack|asset) \d|^asset \S+ \d", r"^building \[",
    r"^(?:Running|running) Sphinx v", r"^INFO +-  (?:Building|Cleaning) ", r"^\s*Determining projects to restore", r"^\s*Restored ",
    r"^\[Info|^\[info\] (?:compiling|loading|resolving)", r"^Loading project|^Building in", r"^dpkg-buildpackage: info|^dh_\w+",
    r"^\+ /usr/bin/(?:make|cmake)|^Executing\(%(?:build|install|prep)\)",
)  # fmt: skip
_DEPLOY = (
    r"^Uploading (?:distributions|\S+\.whl)", r"^(?:deployment|service|configmap|ingress)\S* (?:configured|created|unchanged)",
    r"^Waiting for (?:deployment|rollout)", r"^PLAY \[|^TASK \[", r"^Terraform will perform", r"^(?:Applying|Running) migrations?|^Running upgrade ",
    r"^The push refers to repository", r"^Release \"\S+\" (?:has been upgraded|does not exist)", r"^npm notice Publishing",
    r"^(?:Deploying|Publishing|Uploading to)\b",
)  # fmt: skip
_SHAPES = tuple((phase, re.compile("|".join(words))) for phase, words in (("test", _TEST), ("deploy", _DEPLOY), ("build", _BUILD)))
# Commands as tools and shells echo them: set -x, GitLab, npm scripts, make, tox, Travis.
_ECHOED = re.compile(r"^(?:[$+] |> |\[command\]|##\[group\]Run |py\S*: commands\[\d+\]> |nox > (?!Running session)|Executing: |\+\+ )(\S.{0,300})")
_NPM_SCRIPT = re.compile(r"^> (?:\S+@[\w.-]+ )?(?P<name>[\w:-]+)(?: \S*/\S*)?$")


def phase_before(lines: Iterable[str]) -> str | None:
    """The phase that the lines before a failure tell, which come the nearest first; None where none of them does."""
    for text in lines:
        for phase, shape in _SHAPES:
            if shape.search(text):
                return phase
        if echoed := _ECHOED.match(text):
            script = _NPM_SCRIPT.match(text)
            parts = [script["name"]] if script else list(simple_commands(echoed[1]))
            told = [words_phase(part) for part in reversed(parts)]
            if any(told):
                return next(filter(None, told))
    return None
