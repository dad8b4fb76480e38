"""Archives made to harm: none writes outside of its folder, floods it, or costs another student anything."""

import io
import stat
import tarfile
import zipfile

import pytest

from hw4.grading.errors import Unusable
from hw4.grading.intake import archives
from hw4.grading.intake.archives import Budget, unpack
from hw4.grading.submission import collect
from tests.intake.builders import BOOK, laid, read, tarred, told, zipped


def zip_of(*members):
    """Return a ZIP file of (`ZipInfo`, content)."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in members:
            archive.writestr(info, content)
    return body.getvalue()


def tar_of(*members):
    """Return a TAR file of these `TarInfo`s, without content, and of a notebook."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
        info = tarfile.TarInfo("hw.ipynb")
        info.size = len(BOOK)
        archive.addfile(info, io.BytesIO(BOOK.encode()))
    return body.getvalue()


def tar_member(name, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, 0 if kind != tarfile.REGTYPE else 1
    return info


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


HOSTILE = {
    "out.zip": zipped({"../../evil.ipynb": BOOK, "hw.ipynb": BOOK}),
    "root.zip": zipped({"/tmp/evil.ipynb": BOOK, "hw.ipynb": BOOK}),
    "back.zip": zipped({"..\\..\\evil.ipynb": BOOK, "hw.ipynb": BOOK}),
    "link.zip": zip_of(link("data", "/etc"), link("x.ipynb", "/etc/passwd"), ("hw.ipynb", BOOK)),
    "out.tar.gz": tar_of(tar_member("../evil.ipynb"), tar_member("a/../../evil.ipynb")),
    "link.tgz": tar_of(tar_member("data", tarfile.SYMTYPE, "/etc"), tar_member("data/evil.ipynb")),
    "hard.tgz": tar_of(tar_member("x.ipynb", tarfile.LNKTYPE, "/etc/passwd")),
    "special.tgz": tar_of(tar_member("pipe", tarfile.FIFOTYPE), tar_member("disk", tarfile.BLKTYPE)),
}


@pytest.mark.parametrize(("name", "body"), HOSTILE.items())
def test_nothing_in_an_archive_leaves_its_folder_or_is_a_link(tmp_path, name, body):
    before = laid(tmp_path / "class", {f"ann/{name}": body, "bob/hw.ipynb": BOOK})
    ann, bob = read(before).submissions
    assert not ann.problem and collect(ann).files["hw.ipynb"] == BOOK.encode() and not bob.problem
    assert [note for note in ann.notes if "left out" in note]
    files = [path for path in tmp_path.rglob("*") if "evil" in path.name or path.is_symlink()]
    assert all("data" in path.parts for path in files)  # a folder of that name, inside


def encrypted():
    body = bytearray(zipped({"hw.ipynb": BOOK}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + flags] |= 1
    return bytes(body)


BROKEN = {
    "encrypted.zip": (encrypted(), "an encrypted archive"),
    "cut.zip": (zipped({"hw.ipynb": BOOK})[:-30], "a damaged archive"),
    "cut.tar.gz": (tarred({"hw.ipynb": BOOK * 50})[:-40], "a damaged archive"),
    "empty.zip": (b"", "a damaged archive"),
    "other.zip": (tarred({"hw.ipynb": BOOK}), "a damaged archive"),
    "spoiled.zip": (zipped({"hw.ipynb": BOOK}).replace(b"hw.ipynb", b"hx.ipynb", 1), "a damaged archive"),
    "bomb.zip": (zipped({"hw.ipynb": BOOK, "zeros": b"\0" * 40_000_000}), "an archive of more than"),
    "bomb.tar.gz": (tarred({"zeros": b"\0" * 40_000_000, "hw.ipynb": BOOK}), "an archive of more than"),
    "deep.zip": (zipped({"a.zip": zipped({"b.zip": zipped({"hw.ipynb": BOOK})})}), "deep.zip/a.zip/b.zip: an archive"),
}


@pytest.mark.parametrize(("name", "body", "reason"), [(name, *rest) for name, rest in BROKEN.items()])
def test_an_archive_that_cannot_be_read_is_named_and_the_rest_graded(tmp_path, name, body, reason):
    found = read(laid(tmp_path / "class", {name: body, "bob/hw.ipynb": BOOK, "cem/hw.ipynb": BOOK}))
    graded, refused, _ = told(found)
    assert list(graded) == ["bob", "cem"]
    assert [problem.startswith(reason) for problem in refused.values()] == [True]


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 50)
    laid(tmp_path, {"many.zip": zipped({f"{number}.txt": "x" for number in range(51)})})
    with pytest.raises(Unusable, match="more than 50 files"):
        unpack(tmp_path / "many.zip", tmp_path, Budget())


def test_of_an_archive_that_is_too_large_the_largest_files_are_left_out_by_name(tmp_path):
    laid(tmp_path, {"a.zip": zipped({"data.bin": b"x" * 6000, "hw.ipynb": BOOK, "b.txt": "b"}), "into": None})
    budget = Budget(len(BOOK) + 100)
    assert unpack(tmp_path / "a.zip", tmp_path / "into", budget) == {"data.bin": "too large"}
    assert {path.name for path in (tmp_path / "into").iterdir()} == {"hw.ipynb", "b.txt"} and budget.left == 99


def test_archives_in_each_other_share_what_may_be_unpacked(tmp_path, monkeypatch):
    inner = {f"{number}.zip": zipped({"zeros": b"\0" * 3000}) for number in range(5)}
    monkeypatch.setattr(archives.Budget, "__init__", lambda self: setattr(self, "left", 9000))
    found = read(laid(tmp_path / "class", {"ann/all.zip": zipped(inner | {"hw.ipynb": BOOK}), "bob/hw.ipynb": BOOK}))
    assert 2 <= sum("too large" in note for note in found.submissions[0].notes) <= 4


def test_names_that_macos_and_windows_pack_are_read(tmp_path):
    body = zipped({"J\u00f6rg\\h\u00fc.txt": "x", "J\u00f6rg\\hw.ipynb": BOOK})
    laid(tmp_path, {"a.zip": body.replace(b"\x00\x08", b"\x00\x00"), "into": None})
    unpack(tmp_path / "a.zip", tmp_path / "into", Budget())
    assert (tmp_path / "into" / "J\u00f6rg" / "h\u00fc.txt").is_file()
