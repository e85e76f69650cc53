import pytest

from cicd_agents.analysis.versions.branches import BranchKind, BranchRule, Line, bounds, is_range, line_of, refusal
from cicd_agents.analysis.versions.globs import matches
from cicd_agents.analysis.versions.semver import Version, parse
from cicd_agents.domain.errors import UsageError


def versions(text: str) -> list[Version]:
    found = [parse(each) for each in text.split()]
    assert None not in found
    return [each for each in found if each]


@pytest.mark.parametrize(
    ("branch", "kind", "prerelease", "channel"),
    [
        ("main", BranchKind.RELEASE, None, ""),
        ("master", BranchKind.RELEASE, None, ""),
        ("next", BranchKind.RELEASE, None, "next"),
        ("beta", BranchKind.PRERELEASE, "beta", "beta"),
        ("rc", BranchKind.PRERELEASE, "rc", "rc"),
        ("1.x", BranchKind.MAINTENANCE, None, "1.x"),
        ("release/1.2.x", BranchKind.MAINTENANCE, None, "release/1.2.x"),
        ("v2.x.x", BranchKind.MAINTENANCE, None, "v2.x.x"),
    ],
)  # fmt: skip
def test_the_default_table_knows_the_usual_branches(branch: str, kind: BranchKind, prerelease: str | None, channel: str) -> None:
    line = line_of(branch)
    assert line is not None
    assert (line.kind, line.prerelease, line.channel) == (kind, prerelease, channel)


@pytest.mark.parametrize("branch", ["feature/x", "", "1.2", "x.1", "mainly", "a" * 300])
def test_other_branches_release_nothing(branch: str) -> None:
    assert line_of(branch) is None


def test_a_prerelease_branch_without_an_identifier_takes_its_name() -> None:
    line = line_of("feat/new_ui", [BranchRule("feat/*", BranchKind.PRERELEASE)])
    assert line is not None
    assert line.prerelease == "feat-new-ui"


def test_the_first_rule_that_fits_counts_and_a_range_setting_goes_before_the_name() -> None:
    line = line_of("legacy", [BranchRule("leg*", BranchKind.MAINTENANCE, range="3.1.x"), BranchRule("legacy")])
    assert line is not None
    assert (str(line.low), str(line.high)) == ("3.1.0", "3.2.0")


@pytest.mark.parametrize(
    ("text", "low", "high"), [("1.x", "1.0.0", "2.0.0"), ("1.x.x", "1.0.0", "2.0.0"), ("0.4.x", "0.4.0", "0.5.0"), ("support/v10.2.x", "10.2.0", "10.3.0")]
)
def test_a_range_has_a_first_version_and_an_upper_bound(text: str, low: str, high: str) -> None:
    assert tuple(map(str, bounds(text))) == (low, high)
    assert is_range(text)


def test_a_maintenance_branch_without_a_range_is_refused() -> None:
    with pytest.raises(UsageError, match="names no range"):
        line_of("old", [BranchRule("old", BranchKind.MAINTENANCE)])


ONE_X = Line("1.x", BranchKind.MAINTENANCE, None, "1.x", *bounds("1.x"))
MAIN = Line("main", BranchKind.RELEASE)


@pytest.mark.parametrize(
    ("line", "candidate", "current", "reachable", "existing", "reason"),
    [
        (ONE_X, "1.4.3", "1.4.2", "1.4.2", "1.4.2 2.0.0", ""),
        (ONE_X, "2.0.0", "1.4.2", "1.4.2", "1.4.2", "outside the range"),
        (ONE_X, "2.0.0-rc.1", "1.4.2", "1.4.2", "1.4.2", "outside the range"),
        (ONE_X, "1.5.0", "1.4.2", "1.4.2", "1.4.2 1.5.0", "exists already"),
        (ONE_X, "1.6.0", "1.4.2", "1.4.2", "1.4.2 1.5.0", "pass over 1.5.0"),
        (MAIN, "2.0.0", "1.4.2", "1.4.2", "1.4.2 2.0.0", "exists already"),
        (MAIN, "1.5.0", "1.4.2", "1.4.2", "1.4.2 1.3.9 2.0.0-rc.1 2.0.0", ""),
        (MAIN, "1.4.2", "1.4.3", "1.4.3", "1.4.3", "not above"),
        (MAIN, "1.0.0", None, "", "", ""),
        (Line("rc", BranchKind.PRERELEASE, "rc"), "1.6.0-rc.1", "1.4.2", "1.4.2", "1.4.2 1.5.0", ""),
    ],
)  # fmt: skip
def test_a_line_keeps_to_its_range_and_makes_no_version_twice(
    line: Line, candidate: str, current: str | None, reachable: str, existing: str, reason: str
) -> None:
    found = refusal(line, versions(candidate)[0], versions(current)[0] if current else None, versions(reachable), versions(existing))
    assert reason in found
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("+([0-9])?(.{+([0-9]),x}).x", "1.x", True),
        ("+([0-9])?(.{+([0-9]),x}).x", "12.3.x", True),
        ("+([0-9])?(.{+([0-9]),x}).x", "1.x.x", True),
        ("+([0-9])?(.{+([0-9]),x}).x", "v1.x", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("{main,master}", "master", True),
        ("@(a|b)c", "bc", True),
        ("[!a]b", "cb", True),
        ("!main", "dev", True),
        ("a.b", "axb", False),
        ("a,b", "a,b", True),
        ("a\\*", "a*", True),
        ("fe?t", "feat", True),
    ],
)  # fmt: skip
def test_globs_fit_as_micromatch_fits_them(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


def test_nested_quantifiers_take_linear_time_and_unreadable_patterns_are_refused() -> None:
    assert not matches("+(+(+(+(a))))b", "a" * 250)
    assert line_of("(a+)+", [BranchRule("((((a+)+)+)+)+b", regex=True)]) is None
    with pytest.raises(UsageError, match="cannot be read"):
        line_of("main", [BranchRule("(?=a)", regex=True)])
    with pytest.raises(UsageError, match="too long"):
        matches("*" * 5000, "main")
