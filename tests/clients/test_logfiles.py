"""Archives are streamed within bounds; what unpacks to too much is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from cicd_agents.clients import logfiles
from cicd_agents.clients.logfiles import LogFiles
from cicd_agents.domain.errors import UsageError


def read(name: Path | str, **limits: int) -> bytes:
    with LogFiles(**limits).open(str(name)) as log:
        return log.stream.read()


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(b"\0" * (8 << 20)))
    with pytest.raises(UsageError, match="decompression bomb"):
        read(file, max_unpacked=1 << 20)


def test_a_zip_whose_member_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("0_build.txt", b"\0" * (4 << 20))
    lying = buffer.getvalue().replace((4 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    file = tmp_path / "lying.zip"
    file.write_bytes(lying)
    with pytest.raises(UsageError, match="zip file is damaged"):
        read(file)


def test_a_ratio_beyond_reason_is_refused(tmp_path: Path) -> None:
    inner = gzip.compress(b"\0" * (200 << 20), 9)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(inner, 9))
    assert read(file) == inner  # packed twice is just bytes once unpacked
    assert (200 << 20) / len(inner) < logfiles.MAX_RATIO  # deflate's best; formats that pack better must not pass


def test_members_that_climb_are_only_names(tmp_path: Path) -> None:
    file = tmp_path / "logs.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("../../outside/0_build.txt", "boom\n")
        link = zipfile.ZipInfo("1_link.txt")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
    assert read(file) == b"/etc/passwd\n"
    assert list(tmp_path.parent.glob("outside*")) == []


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "many.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        for number in range(logfiles.MAX_MEMBERS + 1):
            zipped.writestr(f"{number}_x.txt", "")
    with pytest.raises(UsageError, match="more than"):
        read(file)


def test_a_zip_without_logs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("picture.png", b"x")
    with pytest.raises(UsageError, match="holds no log"):
        read(file)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("0_build.txt", "boom")
    data = bytearray(buffer.getvalue())
    for signature, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flag] |= 1
    file = tmp_path / "locked.zip"
    file.write_bytes(bytes(data))
    with pytest.raises(UsageError, match="damaged, encrypted"):
        read(file)


def zipped(file: Path, **members: str) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.txt", text)
    return file


def test_of_a_run_log_zip_the_first_job_that_failed_is_read(tmp_path: Path) -> None:
    file = zipped(
        tmp_path / "run.zip", **{"0_lint": "fine\n", "10_e2e (chrome)": "##[error]c\n", "2_unit": "a\n##[error]b\n", "unit/1_Set up": "##[error]never read\n"}
    )
    with LogFiles().open(str(file)) as log:
        assert log.stream.read() == b"a\n##[error]b\n"
        assert log.notes == ("Of 3 jobs in the archive 2 failed; this is unit, and lines count in its file. Also failed: e2e (chrome).",)


def test_an_annotation_is_found_across_the_border_of_two_pieces(tmp_path: Path) -> None:
    late = "x" * (logfiles._CHUNK - 4) + "##[error]late\n"
    file = zipped(tmp_path / "run.zip", **{"0_lint": "fine\n", "1_unit": late})
    assert read(file) == late.encode()


def test_where_no_job_failed_all_are_read(tmp_path: Path) -> None:
    file = zipped(tmp_path / "run.zip", **{"0_lint": "fine", "1_unit": "good\n"})
    with LogFiles().open(str(file)) as log:
        assert (log.stream.read(), log.notes) == (b"fine\ngood\n", ())


def test_the_limit_holds_for_all_jobs_of_an_archive_together(tmp_path: Path) -> None:
    file = zipped(tmp_path / "run.zip", **{f"{number}_job": "x" * 400_000 for number in range(3)}, **{"3_unit": "##[error]b\n"})
    with pytest.raises(UsageError, match="decompression bomb"):
        read(file, max_unpacked=1_000_000)
    assert read(file, max_unpacked=2_000_000) == b"##[error]b\n"
