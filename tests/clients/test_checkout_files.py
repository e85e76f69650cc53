"""Files of the checkout: what Git tracks and nothing else, whatever path a log names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cicd_agents.clients.checkout_files import MAX_FILE, CheckoutFiles


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text("secret of the host\n")
    (folder / "src/a.py").write_bytes(b"one\r\ntwo\n\nfour")
    (folder / "src/image.bin").write_bytes(b"a\0b")
    (folder / "src/large.txt").write_bytes(b"x" * (MAX_FILE + 1))
    (folder / ".env").write_text("PASSWORD=x\n")
    (folder / "ünïcode.py").write_text("u\n")
    (folder / "link.txt").symlink_to("../outside/secret.txt")
    (folder / "inner.txt").symlink_to("src/a.py")
    (folder / "folder").symlink_to("../outside")
    git(folder, "init", "-q")
    git(folder, "add", "-f", ".")
    (folder / "src/untracked.json").write_text("{}\n")
    return folder


def test_a_tracked_file_is_read_line_by_line(checkout: Path) -> None:
    files = CheckoutFiles(checkout)
    assert files.read("src/a.py") == ("one", "two", "", "four")
    assert files.read("ünïcode.py") == ("u",)


@pytest.mark.parametrize(
    "path",
    ["src/untracked.json", ".env", ".git/config", "link.txt", "inner.txt", "folder/secret.txt", "../outside/secret.txt", "src/../src/a.py", "./src/a.py",
     "src//a.py", "/etc/passwd", "src", "", "src/image.bin", "src/large.txt", "src/none.py", "src/a.py\0", "src/\ud800.py", "x" * 5000],
)  # fmt: skip
def test_nothing_else_is_read(checkout: Path, path: str) -> None:
    assert CheckoutFiles(checkout).read(path) is None


def test_a_tracked_file_whose_place_a_link_or_a_pipe_has_taken_is_not_read(checkout: Path, tmp_path: Path) -> None:
    path = checkout / "src/a.py"
    path.unlink()
    path.symlink_to(tmp_path / "outside/secret.txt")
    assert CheckoutFiles(checkout).read("src/a.py") is None
    path.unlink()
    os.mkfifo(path)
    assert CheckoutFiles(checkout).read("src/a.py") is None
    (checkout / "src").rename(checkout / "other")
    (checkout / "src").symlink_to(tmp_path / "outside")
    assert CheckoutFiles(checkout).read("src/secret.txt") is None


@pytest.mark.parametrize("index", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff", b"DIRC\0\0\0\4" + b"\0" * 100, b"x" * 500])
def test_without_a_readable_index_nothing_is_read(checkout: Path, index: bytes) -> None:
    (checkout / ".git/index").write_bytes(index)
    assert CheckoutFiles(checkout).read("src/a.py") is None


def test_where_there_is_no_checkout_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n")
    assert CheckoutFiles(tmp_path).read("a.py") is None
    assert CheckoutFiles(tmp_path / "missing").read("a.py") is None
