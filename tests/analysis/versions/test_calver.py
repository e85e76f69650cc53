from datetime import date

import pytest

from cicd_agents.analysis.versions.calver import is_scheme, next_calver, scheme
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.release import Bump

DAY = date(2025, 3, 7)


@pytest.mark.parametrize(
    ("text", "current", "expected"),
    [
        ("YYYY.MM.MICRO", None, "2025.3.0"),
        ("YYYY.MM.MICRO", "2025.3.4", "2025.3.5"),
        ("YYYY.MM.MICRO", "2025.2.9", "2025.3.0"),
        ("YYYY.0M.MICRO", "2025.03.4", "2025.03.5"),
        ("YY.0M.DD", "25.02.28", "25.03.7"),
        ("YY.MM.0D.MICRO", "25.3.07.1", "25.3.07.2"),
        ("YYYY.WW.MICRO", "2025.10.0", "2025.10.1"),
        ("YYYY-0M-0D", None, "2025-03-07"),
        ("YYYY.MM.MICRO", "1.4.2", "2025.3.0"),
    ],
)  # fmt: skip
def test_the_date_parts_are_of_the_day_and_the_counter_counts_within_them(text: str, current: str | None, expected: str) -> None:
    assert next_calver(scheme(text), current, DAY) == expected


def test_the_bump_chooses_the_counter_and_later_counters_start_again() -> None:
    how = scheme("YYYY.MINOR.PATCH")
    assert next_calver(how, "2025.4.2", DAY, Bump.PATCH) == "2025.4.3"
    assert next_calver(how, "2025.4.2", DAY, Bump.MINOR) == "2025.5.0"
    assert next_calver(how, "2025.4.2", DAY, Bump.MAJOR) == "2025.5.0"


def test_versions_that_exist_are_passed_over() -> None:
    assert next_calver(scheme("YYYY.MM.MICRO"), "2025.3.0", DAY, existing=["2025.3.1", "2025.3.2", "odd"]) == "2025.3.3"


def test_the_last_days_of_a_year_belong_to_the_week_year() -> None:
    assert next_calver(scheme("YYYY.WW.MICRO"), None, date(2024, 12, 30)) == "2025.1.0"


def test_a_second_release_of_a_day_without_a_counter_is_refused() -> None:
    with pytest.raises(UsageError, match="add MICRO"):
        next_calver(scheme("YYYY.MM.DD"), "2025.3.7", DAY)


def test_time_does_not_go_back() -> None:
    with pytest.raises(UsageError, match="later day"):
        next_calver(scheme("YYYY.MM.MICRO"), "2025.4.0", DAY)


@pytest.mark.parametrize("text", ["MM.DD", "YYYY.YYYY", "YYYYxMM", "semver", "YYYY" + "." * 80])
def test_a_scheme_that_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="calendar scheme"):
        scheme(text)


def test_a_scheme_is_told_from_semver() -> None:
    assert is_scheme("YY.0M.MICRO")
    assert not is_scheme("semver")
