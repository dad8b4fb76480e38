"""Control groups: found, made, and removed; version 2 on folders that imitate its own, where there is none."""

import os
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("Linux's own", allow_module_level=True)

from hw4.grading.sandbox import cgroup
from hw4.grading.sandbox.cgroup import ControlGroup
from hw4.grading.sandbox.limits import ResourceLimits
from hw4.grading.sandbox.scratch import Scratch


@pytest.fixture
def group():
    try:
        group = ControlGroup(100 << 20, 64)
    except OSError as problem:
        pytest.skip(f"no control group can be made here: {problem}")
    yield group
    group.close()


def test_a_group_holds_its_limits_and_is_removed(group):
    assert group.processes() == [] and not group.ran_out_of_memory()
    assert (group.folders["pids"] / "pids.max").read_text() == "64\n"
    memory = [group.folders["memory"] / name for name in ("memory.max", "memory.limit_in_bytes")]
    assert [file.read_text() for file in memory if file.exists()] == [f"{100 << 20}\n"]
    group.close()
    assert not any(folder.exists() for folder in group.folders.values())


def test_what_is_left_in_a_group_is_killed(group):
    pid = os.fork()
    if pid == 0:
        for door in group.doors:
            with open(door, "w") as file:
                file.write("0")
        while True:
            pass
    while group.processes() != [pid]:
        pass
    group.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert not any(folder.exists() for folder in group.folders.values())


def test_where_a_group_can_be_made_memory_is_limited_exactly_and_the_group_is_gone_afterwards(attack, group):
    found = attack("os.fork(); x = bytearray(200 << 20); time.sleep(20)", memory=1 << 28)
    assert found.bound("memory") == "exact" and found.limit == "more than 0.25 GiB of memory"
    with Scratch({}, ResourceLimits(1 << 28)) as scratch:
        folders = list(scratch._group.folders.values())
        assert all(folder.exists() for folder in folders)
    assert not any(folder.exists() for folder in folders)


def test_a_group_that_a_killed_grader_left_is_removed(group):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    stale = [folder.with_name(f"hw4-{pid}-abcd") for folder in set(group.folders.values())]
    for folder in stale:
        folder.mkdir()
    ControlGroup(1 << 30, 64).close()
    assert not any(folder.exists() for folder in stale)
    assert all(folder.exists() for folder in group.folders.values())


@pytest.fixture
def imitated(tmp_path, monkeypatch):
    """Return a function that imitates what is in /proc and what is mounted; it returns the grader's own group."""

    def make(line, inside=None, controllers="cpu memory pids", processes=None):
        inside = line.split(":", 2)[2] if inside is None else inside
        own = tmp_path / "mounted" / inside.lstrip("/")
        own.mkdir(parents=True, exist_ok=True)
        (own / "cgroup.controllers").write_text(controllers)
        (own / "cgroup.procs").write_text("\n".join(map(str, processes or [os.getpid()])))
        (tmp_path / "cgroup").write_text(f"1:name=systemd:/other\n{line}\n")
        monkeypatch.setattr(cgroup, "PROC", tmp_path / "cgroup")
        monkeypatch.setattr(cgroup, "MOUNTED", tmp_path / "mounted")
        return own

    return make


def test_a_delegated_group_of_version_two_is_found_and_entered(imitated):
    own = imitated("0::/user.slice/run-1.scope")
    assert cgroup._own_groups() == {"memory": own, "pids": own}
    grader = own / f"hw4-grader-{os.getpid()}"
    assert (grader / "cgroup.procs").read_text() == str(os.getpid())
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids"


@pytest.mark.parametrize("above", [1, 2])
def test_a_group_is_made_below_the_nearest_one_whose_children_have_the_controllers(imitated, above):
    own = imitated("0::/user.slice/session-1.scope/shell", processes=[os.getpid(), 1])
    for number, folder in enumerate([own, *own.parents[:3]]):
        (folder / "cgroup.subtree_control").write_text("memory pids cpu\n" if number >= above else "cpu")
        (folder / "cgroup.procs").touch()
    assert cgroup._own_groups() == dict.fromkeys(["memory", "pids"], own.parents[above - 1])


def test_a_group_that_others_share_is_left_alone(imitated):
    own = imitated("0::/user.slice/session-1.scope", processes=[os.getpid(), 1])
    with pytest.raises(PermissionError, match="other processes"):
        cgroup._own_groups()
    assert sorted(os.listdir(own)) == ["cgroup.controllers", "cgroup.procs"]


def test_without_both_controllers_there_is_no_group(imitated):
    imitated("0::/a", controllers="cpu io")
    with pytest.raises(OSError, match="control group"):
        cgroup._own_groups()


@pytest.mark.parametrize("line", ["0::/docker/1", "0::/../other"])
def test_in_a_container_its_own_group_is_what_is_mounted(imitated, line):
    own = imitated(line, inside="")
    assert cgroup._own_groups() == {"memory": own, "pids": own}


def test_version_one_is_found_by_its_controllers(imitated, tmp_path):
    imitated("4:memory:/a/b\n5:pids:/c", inside="memory/a/b")
    (tmp_path / "mounted" / "pids" / "c").mkdir(parents=True)
    mounted = tmp_path / "mounted"
    assert cgroup._own_groups() == {"memory": mounted / "memory" / "a" / "b", "pids": mounted / "pids" / "c"}
