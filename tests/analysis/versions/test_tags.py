import pytest

from cicd_agents.analysis.versions.branches import line_of
from cicd_agents.analysis.versions.tags import PreviousTag, TagFormat, guess_format, previous_tag, tag_format
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


ODD = [
    "v7.0.0-oc-test.4",
    "v4",
    "v4.1",
    "latest",
    "v01.2.3",
    "v20240101",
    "nightly-2024-01-01",
    "v",
    "",
    "core/v9.0.0",
    "v1.2.3.4.5",
    "é" * 400,
    "v9.9.9-beta.1",
]


def test_the_previous_tag_is_the_highest_stable_one_and_odd_tags_do_no_harm() -> None:
    assert previous_tag([*ODD, "v1.9.0", "v1.10.0", "v1.2.0"], [TagFormat()]) == PreviousTag("v1.10.0", "1.10.0")
    assert previous_tag(ODD, [TagFormat()]) is None


def test_only_tags_with_the_prefix_of_the_component_count() -> None:
    tags = ["core/v0.2.0", "flagd/v9.0.0", "v0.5.0", "core-v3.0.0"]
    assert previous_tag(tags, [tag_format("core/v{version}")]) == PreviousTag("core/v0.2.0", "0.2.0")


def test_a_channel_counts_its_own_prereleases() -> None:
    tags = ["v1.0.0", "v1.1.0-rc.2", "v1.1.0-beta.9", "v1.1.0-rc.10"]
    assert previous_tag(tags, [TagFormat()], prereleases_of="rc") == PreviousTag("v1.1.0-rc.10", "1.1.0-rc.10")


def test_a_maintenance_line_looks_only_into_its_range() -> None:
    line = line_of("1.2.x")
    assert previous_tag(["v1.2.4", "v1.3.0", "v2.0.0"], [TagFormat()], line) == PreviousTag("v1.2.4", "1.2.4")


def test_older_formats_count_and_the_first_format_wins_among_equals() -> None:
    both = [TagFormat("v"), TagFormat("")]
    assert previous_tag(["v1.0.0", "2.0.0"], both) == PreviousTag("2.0.0", "2.0.0")
    assert previous_tag(["2.0.0", "v2.0.0"], both) == PreviousTag("v2.0.0", "2.0.0")


def test_prereleases_as_python_spells_them_are_read_and_not_stable() -> None:
    assert previous_tag(["v1.0.0", "v1.1.0b2", "v1.1.0rc1"], [TagFormat()]) == PreviousTag("v1.0.0", "1.0.0")
    assert previous_tag(["v1.0.0", "v1.1.0rc1"], [TagFormat()], prereleases_of="rc") == PreviousTag("v1.1.0rc1", "1.1.0-rc.1")


def test_the_format_is_guessed_from_most_tags() -> None:
    assert guess_format(["1.0.0", "1.1.0", "v2.0.0"]).prefix == ""
    assert guess_format(["v1.0.0", "1.1.0"]).prefix == "v"
    assert guess_format(["core/v1.0.0", "v1.0.0", "v1.1.0"], "core").prefix == "core/v"
