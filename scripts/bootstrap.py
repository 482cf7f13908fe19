"""Prepares the environment of a checkout with the standard library alone.

It creates .venv, installs the pinned packages and the project itself, and remembers what it installed: the
next call returns at once. It uses uv where that is on PATH, venv and pip otherwise.

    python scripts/bootstrap.py            what `genai-atlas` needs to run
    python scripts/bootstrap.py dev        what the tests and the checks need as well
    python scripts/bootstrap.py browser    sees that there is a browser for the tests

The syntax is that of Python 3.6: an older Python gets as far as the sentence that says what is needed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = VENV_BIN / ("python.exe" if os.name == "nt" else "python")
NOTES = VENV / ".installed.json"
OLDEST_PYTHON = (3, 11)
SETS = ("run", "dev")  # dev holds all of run, at the same versions

DEBIAN_PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-color-emoji")
BROWSERS_ON_PATH = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
BROWSERS_ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
BROWSERS_ON_WINDOWS = (
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)


def main(arguments: "list[str]") -> None:
    """Does what the arguments name, or says in one sentence why it cannot."""
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit(
            "GenAI Atlas needs Python 3.11 or newer, and {} is {}.{}: install a newer one, or name it with "
            "`make run PYTHON=python3.12`.".format(sys.executable, *sys.version_info[:2])
        )
    what = arguments[0] if arguments else "run"
    if len(arguments) > 1 or what not in (*SETS, "browser"):
        print(__doc__, file=sys.stderr)
        raise SystemExit(2)
    try:
        if what == "browser":
            provide_browser()
        else:
            provide_environment(what)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"This step failed: {' '.join(error.cmd)}") from None


def provide_environment(wanted: str) -> None:
    """Installs a set into .venv, unless this very set is there already."""
    installed = _read_notes()
    if installed.get(wanted) == _fingerprint(wanted) and VENV_PYTHON.exists():
        return
    uv = shutil.which("uv")
    if not _usable(needs_pip=uv is None):
        _create_environment(uv)
    _say(f"Installing the pinned packages of requirements/{wanted}.txt (a minute or two, once) …")
    if uv:
        install = [uv, "pip", "install", "--quiet", "--python", str(VENV_PYTHON)]
    else:
        # Twice quiet: only errors. A pinned and hashed set leaves nothing to warn about.
        install = [str(VENV_PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    NOTES.unlink(missing_ok=True)
    _run([*install, "--require-hashes", "-r", str(_requirements(wanted))])
    _run([*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    notes = {name: _fingerprint(name) for name in SETS[: SETS.index(wanted) + 1]}
    NOTES.write_text(json.dumps({"checkout": str(ROOT), **notes}), encoding="utf-8")


def _requirements(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _fingerprint(name: str) -> str:
    """What an installation depends on: the pins and the project's own packaging."""
    import tomllib  # noqa: PLC0415 - not there in the Pythons that main() turns away

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packaging = [declared["build-system"], declared["project"], declared["tool"]["hatch"]]
    return hashlib.sha256(_requirements(name).read_bytes() + json.dumps(packaging).encode()).hexdigest()


def _read_notes() -> "dict[str, str]":
    """What was installed into .venv; its commands hold the folder's path, so a moved checkout starts anew."""
    try:
        notes = json.loads(NOTES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if notes["checkout"] != str(ROOT):
        shutil.rmtree(VENV)
        return {}
    return dict(notes)


def _usable(needs_pip: bool) -> bool:
    """Whether the interpreter of .venv starts, is new enough and can install."""
    if not VENV_PYTHON.exists():
        return False
    probe = f"import sys{', pip' if needs_pip else ''}; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    return subprocess.run([str(VENV_PYTHON), "-c", probe], check=False, capture_output=True).returncode == 0


def _create_environment(uv: "str | None") -> None:
    _say("Creating .venv …")
    if uv:
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
        return
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True, text=True
    )
    if made.returncode:
        reason = (made.stderr or made.stdout).strip()
        raise SystemExit(
            f"{reason}\nThis Python cannot create environments: install its venv module "
            "(on Debian and Ubuntu: apt-get install python3-venv), or install uv."
        )


def find_browser() -> "Path | None":
    """Finds this machine's Chromium, Chrome or Edge; the variable GENAI_ATLAS_BROWSER names another."""
    chosen = os.environ.get("GENAI_ATLAS_BROWSER")
    if chosen:
        found = shutil.which(chosen)
        return Path(found) if found else None
    for name in BROWSERS_ON_PATH:
        found = shutil.which(name)
        if found:
            return Path(found)
    folders = [os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
    places = [Path(place) for place in BROWSERS_ON_MACOS]
    places += [Path(folder) / place for folder in folders if folder for place in BROWSERS_ON_WINDOWS]
    return next((place for place in places if place.is_file()), None)


def provide_browser() -> None:
    """Installs Chromium where this user may; where none can be had, CI fails and a person is told."""
    if find_browser():
        return
    if _is_root_on_debian():
        _say("Installing Chromium for the browser tests …")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"], environment)
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES], environment)
    if find_browser():
        return
    missing = (
        "No Chromium, Chrome or Edge was found: install one, or name it in GENAI_ATLAS_BROWSER, "
        "to run the browser tests."
    )
    if os.environ.get("CI"):
        raise SystemExit(missing)
    _say(f"{missing} They are skipped now.")


def _is_root_on_debian() -> bool:
    release = Path("/etc/os-release")
    if os.name == "nt" or os.geteuid() != 0 or not release.is_file() or not shutil.which("apt-get"):
        return False
    return "ID=debian" in release.read_text(encoding="utf-8").splitlines()


def _run(command: "list[str]", environment: "dict[str, str] | None" = None) -> None:
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
