"""The deletion of what a submission's code has written, whatever that is."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hw4.grading.sandbox.scratch import Scratch
from tests.builders import ROOT

if sys.platform != "linux":
    pytest.skip("by descriptors on Linux alone", allow_module_level=True)

from hw4.grading.sandbox.cleanup import remove_tree

pytestmark = pytest.mark.slow  # thousands of folders


def nested(top, depth):
    """Make `depth` folders in each other, without a path that long."""
    folder = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=folder)
        inner = os.open("a", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


def locked(top):
    """Make folders and files without permissions, one in the other."""
    (top / "no" / "never").mkdir(parents=True)
    (top / "no" / "never" / "file").write_text("x")
    for path, mode in [("no/never/file", 0), ("no/never", 0), ("no", 0o100)]:
        (top / path).chmod(mode)


def special(top):
    """Make what is no regular file, and names that are no UTF-8, long, or look like options and parents."""
    os.mkfifo(top / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(top / "socket"))
    for name in [b"\xff\xfe", b"n" * 255, b"-rf", b"...", b"new\nline", b" "]:
        os.mkdir(os.fsencode(top) + b"/" + name)


def wide(top):
    for number in range(1000):
        (top / str(number)).mkdir()


def set_id(top):
    (top / "set-id").write_text("x")
    (top / "set-id").chmod(0o6755)
    (top / "sticky").mkdir()
    (top / "sticky").chmod(0o1000)


TREES = {
    "1,200 nested folders": lambda top: nested(top, 1200),
    "3,000 nested folders": lambda top: nested(top, 3000),
    "no permissions": locked,
    "no permissions deep below": lambda top: (nested(top, 50), locked(top / "a" / "a")),
    "special files": special,
    "1,000 folders": wide,
    "set-id bits": set_id,
    "nothing": lambda top: None,
}


@pytest.mark.parametrize("make", TREES.values(), ids=TREES)
def test_a_tree_is_gone_whatever_is_in_it(tmp_path, make):
    top = tmp_path / "top"
    top.mkdir()
    make(top)
    assert remove_tree(str(top)) and not os.path.lexists(top)


def test_no_link_is_followed_and_no_target_changed(tmp_path):
    target, top = tmp_path / "target", tmp_path / "top"
    (target / "inner").mkdir(parents=True)
    (target / "file").write_text("kept")
    for path in (target / "file", target / "inner", target):
        path.chmod(0o500)
    before = {path: path.stat() for path in (target, target / "inner", target / "file")}
    (top / "deep").mkdir(parents=True)
    for place in (top, top / "deep"):
        (place / "folder").symlink_to(target)
        (place / "file").symlink_to(target / "file")
        (place / "loop").symlink_to(place)
        (place / "nowhere").symlink_to("/missing")
        os.link(target / "file", place / "hard")
    assert remove_tree(str(top))
    for path, status in before.items():
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(status.st_mode)
    target.chmod(0o700)
    assert (target / "file").read_text() == "kept"


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").write_text("kept")
    (tmp_path / "top").symlink_to("target")
    assert not remove_tree(str(tmp_path / "top"))
    assert (tmp_path / "target" / "file").read_text() == "kept"
    assert remove_tree(str(tmp_path / "missing"))


def test_the_scratch_folder_is_nobody_elses_and_gone_in_the_end():
    with Scratch({"hw4/answers.py": b"x"}) as scratch:
        assert stat.S_IMODE(scratch.top.stat().st_mode) == 0o700
        nested(scratch.work, 1200)
    assert not scratch.top.exists()


def test_a_scratch_folder_that_cannot_be_filled_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OSError, match="name too long"):
        Scratch({"n" * 300: b""})
    assert os.listdir(tmp_path) == []


def test_what_a_killed_grader_left_is_deleted_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = "import sys, time; sys.path.insert(0, sys.argv[1]); import tempfile; tempfile.tempdir = sys.argv[2]\n"
    program += "from hw4.grading.sandbox.scratch import Scratch; it = Scratch({'a': b'x'})\n"
    program += "print(it.top, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", program, str(ROOT), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as grader:
        left = Path(grader.stdout.readline().strip())
        old(left)
        with Scratch({}):
            assert (left / "scratch").exists()  # its grader lives
        grader.kill()
    nested(left / "scratch", 5)
    (left / "scratch").rename(left / "scratch-0")  # as deleting has left it that was killed, too
    old(left)
    with Scratch({}) as own:
        assert not left.exists() and own.top.exists()
        young = tmp_path / "hw4-scratch-young"
        (young / "scratch").mkdir(parents=True)
        with Scratch({}):
            assert young.exists() and own.top.exists()


def test_nothing_but_a_grader_s_own_folder_is_taken_for_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    target = tmp_path / "target"
    for folder in (target, tmp_path / "hw4-scratch-notes"):
        (folder / "scratch").mkdir(parents=True)
    (tmp_path / "hw4-scratch-notes" / "notes.txt").touch()
    (tmp_path / "hw4-scratch-link").symlink_to(target)
    (tmp_path / "hw4-scratch-file").touch()
    (tmp_path / "hw4-notes").mkdir()
    before = sorted(os.listdir(tmp_path))
    for name in before:
        old(tmp_path / name)
    with Scratch({}):
        pass
    assert sorted(os.listdir(tmp_path)) == before and (target / "scratch").exists()
    if os.geteuid() == 0:
        others = tmp_path / "hw4-scratch-other"
        others.mkdir()
        os.chown(others, 12345, 12345)
        old(others)
        with Scratch({}):
            assert others.exists()


def old(path):
    os.utime(path, (0, 0), follow_symlinks=False)
