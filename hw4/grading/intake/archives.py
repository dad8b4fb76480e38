"""Archives that were handed in, unpacked within limits.

`shutil.unpack_archive` does not serve: it knows no limit of size, number or ratio.
"""

import os
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import Unusable
from ..submission import LARGEST

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MOST_MEMBERS = 10_000
HIGHEST_RATIO = 200  # bytes unpacked per byte of the archive, above those that are free
FREE = 16 * 2**20
ENCRYPTED, UTF8 = 0x1, 0x800  # flags of a ZIP file's member (APPNOTE.TXT, section 4.4.4)
Member = tuple[str, int, bool, Callable[[], object]]  # path, bytes, whether it is a file or folder, what unpacks it


@dataclass
class Budget:
    """How many bytes may still be unpacked, of archives in each other together."""

    left: int = LARGEST


def unpack(file: Path, into: Path, budget: Budget) -> dict[str, str]:
    """Unpack an archive into a folder: of its files the smallest that the budget allows.

    Returns why a member is left out, by its path. Raises `Unusable` with the reason for an archive that is encrypted,
    damaged, or made to flood.
    """
    left_out: dict[str, str] = {}
    try:
        with zipfile.ZipFile(file) if file.name.lower().endswith(".zip") else tarfile.open(file) as archive:
            is_zip = isinstance(archive, zipfile.ZipFile)
            members = list(_within(_zipped(archive, into) if is_zip else _tarred(archive, into), file.stat().st_size))
            for path, size, plain, _ in sorted(members, key=lambda member: member[1]):
                if not plain or path.startswith("/") or ".." in PurePosixPath(path).parts:
                    left_out[path] = "a path that leaves the archive" if plain else "a link, or no file"
                elif size > budget.left:
                    left_out[path] = "too large"
                else:
                    budget.left -= size
            for path, _, _, extract in members:
                if path not in left_out:
                    extract()
    except Unusable:
        raise
    except Exception:  # each library and each way of packing has errors of its own
        raise Unusable("a damaged archive, or one that is packed otherwise than its name says") from None
    return left_out


def _within(members: Iterator[Member], size: int) -> Iterator[Member]:
    """Yield the members of an archive of `size` bytes; raise `Unusable` where it was made to flood."""
    left = size * HIGHEST_RATIO + FREE
    for number, member in enumerate(members):
        left -= member[1]
        if left < 0 or number == MOST_MEMBERS:
            raise Unusable(f"an archive of more than {MOST_MEMBERS} files, or of {HIGHEST_RATIO} times its size")
        yield member


def _zipped(archive: zipfile.ZipFile, into: Path) -> Iterator[Member]:
    for info in archive.infolist():
        if info.flag_bits & ENCRYPTED:
            raise Unusable("an encrypted archive")
        if not info.flag_bits & UTF8:  # macOS packs names in UTF-8 and does not say so
            with suppress(UnicodeError):
                info.filename = info.filename.encode("cp437").decode()
        info.filename = info.filename.replace("\\", "/")  # as some programs for Windows pack names

        def extract(info: zipfile.ZipInfo = info) -> None:
            when = time.mktime((*info.date_time, 0, 0, -1))
            os.utime(archive.extract(info, into), (when, when))

        plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
        yield info.filename, info.file_size, plain, extract


def _tarred(archive: tarfile.TarFile, into: Path) -> Iterator[Member]:
    for info in archive:
        plain = info.isreg() or info.isdir()
        yield info.name, info.size, plain, lambda info=info: archive.extract(info, into, filter="data")
