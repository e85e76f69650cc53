import pytest

from cicd_agents.analysis.versions.calver import scheme
from cicd_agents.analysis.versions.tags import TagFormat, guess_format, tag_format, versions_of
from cicd_agents.domain.errors import UsageError


@pytest.mark.parametrize(
    ("template", "component", "tag"),
    [
        ("v{version}", "", "v1.2.3"),
        ("v${version}", "", "v1.2.3"),
        ("$version", "", "1.2.3"),
        ("v$version", "", "v1.2.3"),
        ("v{{version}}", "", "v1.2.3"),
        ("v$major.$minor.$patch$prerelease", "", "v1.2.3"),
        ("{component}-v{version}", "core", "core-v1.2.3"),
        ("${name}@${version}", "pkg", "pkg@1.2.3"),
        ("core/v{version}", "", "core/v1.2.3"),
        ("{version}-release", "", "1.2.3-release"),
    ],
)  # fmt: skip
def test_a_template_gives_the_tag_and_reads_it_back(template: str, component: str, tag: str) -> None:
    form = tag_format(template, component)
    assert form.tag("1.2.3") == tag
    assert str(form.version(tag)) == "1.2.3"


@pytest.mark.parametrize("template", ["v", "", "{version}{version}", "v{versions}"])
def test_a_template_without_exactly_one_version_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="exactly once"):
        tag_format(template)


ODD = ("v7.0.0-oc", "v4", "v4.1", "latest", "v01.2.3", "v20240101", "nightly-2024-01-01", "v", "", "core/v9.0.0", "v1.2.3.4.5", "\u00e9" * 400)


def test_odd_tags_and_those_of_other_components_do_no_harm() -> None:
    assert list(versions_of([*ODD, "v1.9.0"], [TagFormat()])) == ["v7.0.0-oc", "v1.9.0"]
    assert list(versions_of(["core/v0.2.0", "flagd/v9.0.0", "v0.5.0", "core-v3.0.0"], [tag_format("core/v{version}")])) == ["core/v0.2.0"]


def test_the_first_format_that_fits_tells_the_version() -> None:
    assert {tag: str(version) for tag, version in versions_of(["v1.0.0", "2.0.0"], [TagFormat("v"), TagFormat("")]).items()} == {
        "v1.0.0": "1.0.0",
        "2.0.0": "2.0.0",
    }


def test_prereleases_as_python_spells_them_are_read_and_not_stable() -> None:
    found = versions_of(["v1.0.0", "v1.1.0b2", "v1.1.0rc1"], [TagFormat()])
    assert [(str(version), version.stable) for version in found.values()] == [("1.0.0", True), ("1.1.0-beta.2", False), ("1.1.0-rc.1", False)]


def test_calendar_versions_are_ordered_by_their_numbers_and_written_as_they_are() -> None:
    form = TagFormat("v", scheme=scheme("YYYY.0M.0D.MICRO"))
    found = versions_of(["v2025.03.10.2", "v2025.03.09.11", "v2025.03.10.10", "v2025.3.10.1", "v1.2.3", "2025.03.10.1"], [form])
    ordered = sorted(found, key=lambda tag: found[tag].precedence)
    assert ordered == ["v2025.03.09.11", "v2025.03.10.2", "v2025.03.10.10"]
    assert [str(found[tag]) for tag in ordered] == ["2025.03.09.11", "2025.03.10.2", "2025.03.10.10"]
    assert all(version.stable for version in found.values())


def test_shorter_calendar_versions_are_ordered_too() -> None:
    found = versions_of(["24.9", "24.10", "23.12"], [TagFormat("", scheme=scheme("YY.MM"))])
    assert sorted(found, key=lambda tag: found[tag].precedence) == ["23.12", "24.9", "24.10"]


def test_the_format_is_guessed_from_most_tags() -> None:
    assert guess_format(["1.0.0", "1.1.0", "v2.0.0"]).prefix == ""
    assert guess_format(["v1.0.0", "1.1.0"]).prefix == "v"
    assert guess_format(["core/v1.0.0", "v1.0.0", "v1.1.0"], "core").prefix == "core/v"
    assert guess_format(["v1.0.0", "2025.03.1", "2025.04.1"], scheme=scheme("YYYY.0M.MICRO")).prefix == ""
