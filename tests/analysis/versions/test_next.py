import pytest

from cicd_agents.analysis.versions.next import Wish, difference, next_version, promoted
from cicd_agents.analysis.versions.semver import Version, parse
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump, ZeroPolicy

MINOR, AS_AFTER = ZeroPolicy.BREAKING_IS_MINOR, ZeroPolicy.AS_AFTER


def version(text: str) -> Version:
    found = parse(text)
    assert found is not None
    return found


def after(current: str | None, bump: Bump, zero: ZeroPolicy = MINOR, existing: str = "", **wish: object) -> str:
    found = next_version(version(current) if current else None, bump, zero, Wish(**wish), [version(each) for each in existing.split()])  # type: ignore[arg-type]
    return str(found.version)


@pytest.mark.parametrize(
    ("current", "bump", "zero", "expected"),
    [
        ("1.2.3", Bump.MAJOR, MINOR, "2.0.0"),
        ("0.4.2", Bump.MAJOR, MINOR, "0.5.0"),
        ("0.4.2", Bump.MINOR, MINOR, "0.5.0"),
        ("0.4.2", Bump.PATCH, MINOR, "0.4.3"),
        ("0.4.2", Bump.MAJOR, ZeroPolicy.FEATURE_IS_PATCH, "1.0.0"),
        ("0.4.2", Bump.MINOR, ZeroPolicy.FEATURE_IS_PATCH, "0.4.3"),
        ("0.4.2", Bump.MAJOR, ZeroPolicy.ONE_LOWER, "0.5.0"),
        ("0.4.2", Bump.MINOR, ZeroPolicy.ONE_LOWER, "0.4.3"),
        ("0.4.2", Bump.MAJOR, AS_AFTER, "1.0.0"),
        ("0.4.2", Bump.MINOR, AS_AFTER, "0.5.0"),
        ("1.2.3", Bump.NONE, MINOR, "1.2.3"),
    ],
)  # fmt: skip
def test_the_policy_below_one_is_followed(current: str, bump: Bump, zero: ZeroPolicy, expected: str) -> None:
    assert after(current, bump, zero) == expected


def test_the_reason_says_that_a_bump_was_lowered() -> None:
    found = next_version(version("0.4.2"), Bump.MAJOR, MINOR)
    assert (found.bump, found.reason) == (Bump.MINOR, "the changes ask for a minor (major is minor below 1.0.0)")


def test_the_first_release_is_the_initial_version() -> None:
    assert str(next_version(None, Bump.PATCH, MINOR, initial="0.1.0").version) == "0.1.0"
    assert next_version(None, Bump.NONE, MINOR).version is None


@pytest.mark.parametrize(
    ("current", "bump", "existing", "expected"),
    [
        ("1.2.0", Bump.MINOR, "1.2.0", "1.3.0-rc.1"),
        ("1.2.0", Bump.MINOR, "1.2.0 1.3.0-rc.1", "1.3.0-rc.2"),
        ("1.2.0", Bump.PATCH, "1.2.0 1.3.0-rc.1", "1.3.0-rc.2"),
        ("1.2.0", Bump.MAJOR, "1.2.0 1.3.0-rc.4", "2.0.0-rc.1"),
        ("1.3.0-rc.1", Bump.PATCH, "1.2.0 1.3.0-rc.1", "1.3.0-rc.2"),
        ("1.3.0-rc.9", Bump.MINOR, "1.3.0-rc.9 1.3.0-rc.10", "1.3.0-rc.11"),
        ("1.2.1-rc.3", Bump.MINOR, "1.2.1-rc.3", "1.3.0-rc.1"),
        ("1.3.0-beta.3", Bump.PATCH, "1.3.0-beta.3", "1.3.0-rc.1"),
        ("1.2.0", Bump.MINOR, "1.1.0-rc.1 1.0.0-rc.7", "1.3.0-rc.1"),
        ("0.4.0", Bump.MAJOR, "", "0.5.0-rc.1"),
        (None, Bump.MINOR, "1.0.0-rc.1", "1.0.0-rc.2"),
    ],
)  # fmt: skip
def test_a_channel_counts_on_while_its_core_covers_the_bump(current: str | None, bump: Bump, existing: str, expected: str) -> None:
    assert after(current, bump, existing=existing, prerelease="rc") == expected


def test_a_channel_may_have_several_identifiers() -> None:
    assert after("1.2.0", Bump.MINOR, existing="1.3.0-next.rc.4 1.3.0-next.7", prerelease="next.rc") == "1.3.0-next.rc.5"


def test_without_a_channel_a_prerelease_is_promoted() -> None:
    assert after("1.3.0-rc.2", Bump.PATCH) == "1.3.0"
    assert after("1.2.0", Bump.MINOR, existing="1.3.0-rc.2") == "1.3.0"
    assert str(promoted(version("1.3.0-rc.2+b"))) == "1.3.0"


def test_a_channel_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(UsageError, match="prerelease channel"):
        after("1.0.0", Bump.PATCH, prerelease="r_c")


def test_graduation_leads_to_one_and_a_second_time_does_nothing() -> None:
    assert after("0.9.3", Bump.NONE, graduate=True) == "1.0.0"
    assert after("0.9.3", Bump.NONE, graduate=True, prerelease="rc") == "1.0.0-rc.1"
    assert after("1.0.0", Bump.NONE, graduate=True) == "1.0.0"


def test_release_as_is_taken_as_it_stands() -> None:
    assert after("1.2.0", Bump.NONE, release_as="v3.0.0-beta.1") == "3.0.0-beta.1"


@pytest.mark.parametrize(("wish", "reason"), [("three", "no semantic version"), ("1.1.9", "not above"), ("1.2.0", "not above"), ("1.9.0", "exists already")])
def test_release_as_that_cannot_be_made_is_refused(wish: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        after("1.2.0", Bump.MINOR, existing="1.9.0", release_as=wish)


def test_the_difference_is_the_largest_part() -> None:
    assert difference(version("1.2.3"), version("1.3.0")) is Bump.MINOR
    assert difference(version("1.2.3"), version("2.0.0-rc.1")) is Bump.MAJOR
    assert difference(version("1.2.3-rc.1"), version("1.2.3")) is Bump.PATCH


def test_an_initial_version_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="initial version"):
        next_version(None, Bump.PATCH, MINOR, initial="first")


def test_a_prerelease_without_a_number_counts_as_the_first_of_its_channel() -> None:
    assert after("1.2.0", Bump.MINOR, existing="1.3.0-rc 1.3.0-rc.x", prerelease="rc") == "1.3.0-rc.1"
