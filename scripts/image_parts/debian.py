"""What Debian knows of the packages and files on this machine."""

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Debian's short names of licences, where SPDX means the same by another or the same one.
_LICENCES = {
    "Apache-2.0": "Apache-2.0",
    "BSD-2-Clause": "BSD-2-Clause",
    "BSD-3-clause": "BSD-3-Clause",
    "BSL-1.0": "BSL-1.0",
    "Boost": "BSL-1.0",
    "Expat": "MIT",
    "GPL-2+": "GPL-2.0-or-later",
    "MIT": "MIT",
    "MPL-2.0": "MPL-2.0",
}


@dataclass(frozen=True)
class Package:
    """An installed package."""

    name: str
    version: str
    architecture: str
    source: str
    source_version: str

    @property
    def copyright_file(self):
        """The notice that has to go wherever the package's files go."""
        return Path("/usr/share/doc") / self.name / "copyright"

    @functools.cached_property
    def licence(self):
        """The licence of most of its files as SPDX names it, or None: few notices say it in a form to read."""
        text = self.copyright_file.read_text(errors="replace")
        if not text.startswith("Format:"):
            return None
        for paragraph in re.split(r"\n\s*\n", text):
            if re.search(r"^Files:\s*\*\s*$", paragraph, re.M):
                named = re.search(r"^License:[ \t]*(.*)$", paragraph, re.M)
                return _LICENCES.get(named[1].strip()) if named else None
        return None


@functools.cache
def package(name):
    """The installed package of that name."""
    fields = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
    wanted = "".join(f"${{{field}}}\\n" for field in fields)
    return Package(*_run("dpkg-query", "-W", "-f", wanted, name).splitlines()[: len(fields)])


def owners(paths):
    """The package of each file; one question for all of them, because each takes dpkg a fifth of a second."""
    # A file of /usr/lib may be recorded as one of /lib: for this system the two are the same folder.
    spellings = {path: (path, path.removeprefix("/usr")) for path in paths}
    asked = sorted({each for both in spellings.values() for each in both})
    # It fails when it does not know one of them, and one of the two it never knows.
    said = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True).stdout
    known = {path: names for names, _, path in (line.partition(": ") for line in said.splitlines())}
    found = {}
    for path, both in spellings.items():
        names = [known[each] for each in both if each in known]
        if not names:
            raise SystemExit(f"image: {path} belongs to no package: nobody could say what it is")
        found[path] = package(names[0].split(",")[0])
    return found


def files(name):
    """The files of a package, in order."""
    return sorted(path for path in _run("dpkg-query", "-L", name).splitlines() if os.path.isfile(path))


def architecture():
    """What this machine builds for; Debian and OCI agree on the names of those that we know of."""
    name = _run("dpkg", "--print-architecture").strip()
    if name not in ("amd64", "arm64"):
        raise SystemExit(f"image: who has tried it on {name}?")
    return name


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
