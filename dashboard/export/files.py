"""Writing what was made: beside its place first, then moved there, so that there is never half a file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from etl.errors import AtlasError


class WriteError(AtlasError):
    """A file cannot be written where it was asked for."""


def is_folder(path: Path) -> bool:
    """Whether a folder is there; where no path can be, for its length perhaps, there is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_writable(path: Path, *, force: bool) -> None:
    """See that a file may be written, before the work of making it.

    Raises:
        WriteError: its folder is missing or read-only, it is a folder, it exists and `force` is not given, it
            is a device, or no file can have this name.
    """
    if is_folder(path):
        raise WriteError(f"{path} is a folder; name a file in it.")
    if not is_folder(path.parent):
        raise WriteError(f"There is no folder {path.parent}; make it, or name another place with -o.")
    try:
        is_there = path.exists()
    except OSError as error:
        raise WriteError(f"{path} cannot be written ({error.strerror}); name another file with -o.") from None
    if is_there and not path.is_file():
        raise WriteError(f"{path} is no file that could be replaced; - is the standard output.")
    if is_there and not force:
        raise WriteError(f"{path} exists; --force replaces it.")
    if not os.access(path.parent, os.W_OK):
        raise WriteError(f"The folder {path.parent} cannot be written; name another place with -o.")


def write(path: Path, content: bytes, *, force: bool) -> None:
    """Write a whole file or nothing.

    Raises:
        WriteError: it cannot be written; what was there before is there still.
    """
    check_writable(path, force=force)
    beside = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        with beside.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as error:
        raise WriteError(
            f"Writing {path} failed ({error.strerror or error}); nothing was written."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
