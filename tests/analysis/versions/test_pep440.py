"""PEP 440 spellings; `packaging` is the oracle of what is normal."""

import pytest
from packaging.version import Version as Oracle

from cicd_agents.analysis.versions.pep440 import from_pep440, to_pep440
from cicd_agents.analysis.versions.semver import parse
from cicd_agents.domain.errors import UsageError

PAIRS = [
    ("1.2.0", "1.2.0"), ("1.2.0-rc.1", "1.2.0rc1"), ("1.2.0-alpha.3", "1.2.0a3"), ("1.2.0-beta.0", "1.2.0b0"), ("1.2.0-dev.4", "1.2.0.dev4"),
    ("1.2.0-post.1", "1.2.0.post1"), ("1.2.0-rc.1.dev.2", "1.2.0rc1.dev2"), ("1.2.0-rc.1.post.2.dev.3", "1.2.0rc1.post2.dev3"), ("1.2.0+abc.1", "1.2.0+abc.1"),
]  # fmt: skip


@pytest.mark.parametrize(("semver", "python"), PAIRS)
def test_both_ways_give_the_same_pair_and_the_normal_form(semver: str, python: str) -> None:
    version = parse(semver)
    assert version is not None
    assert to_pep440(version) == python == str(Oracle(python))
    assert str(from_pep440(python)) == semver


@pytest.mark.parametrize(
    ("semver", "python"), [("1.2.0-beta", "1.2.0b0"), ("1.2.0-a1", "1.2.0a1"), ("1.2.0-preview.2", "1.2.0rc2"), ("1.2.0-RC.1", "1.2.0rc1")]
)
def test_other_spellings_of_a_prerelease_are_normalised(semver: str, python: str) -> None:
    version = parse(semver)
    assert version is not None
    assert to_pep440(version) == python == str(Oracle(python))


@pytest.mark.parametrize("text", ["v1.2.0RC1", "1.2.0-rc-1", "1.2-c1", "1.2.0_pre.1", "1.2-1", "1.2.0r1", "3", "1.0.dev", "1.2+A_b-c"])
def test_the_spellings_that_pep_440_allows_are_read_as_packaging_reads_them(text: str) -> None:
    version = from_pep440(text)
    assert version is not None
    assert Oracle(to_pep440(version)) == Oracle(text)


@pytest.mark.parametrize("text", ["1!2.0", "1.2.3.4", "rc1", "1.2.0rc1b2", "1.2.0-next.1", "", "1" * 300])
def test_what_semver_cannot_say_is_none(text: str) -> None:
    assert from_pep440(text) is None


@pytest.mark.parametrize("text", ["1.2.0-next.1", "1.2.0-rc.1.beta.1", "1.2.0-rc.1.2", "1.2.0-1", "1.2.0-dev.1.rc.1"])
def test_a_prerelease_without_a_python_word_is_refused(text: str) -> None:
    version = parse(text)
    assert version is not None
    with pytest.raises(UsageError, match="no spelling for Python files"):
        to_pep440(version)
