"""A Flink release from the Python package index, kept in the user's cache."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def fetch(version):
    """The folder with the jars of a version, such as 2.3.0: bin, lib, opt, plugins."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "oomph"
    home = cache / f"flink-{version}"
    if (home / "complete").exists():
        return home
    with tempfile.TemporaryDirectory() as folder:
        # Until 1.10 the jars are part of the Python package itself.
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
        if subprocess.run([*download, f"apache-flink-libraries=={version}"], stderr=subprocess.DEVNULL).returncode:
            subprocess.run([*download, f"apache-flink=={version}"], check=True)
        archive = next(pathlib.Path(folder).iterdir())
        unpacked = pathlib.Path(folder) / "unpacked"
        if archive.suffix == ".whl":
            zipfile.ZipFile(archive).extractall(unpacked)
        else:
            shutil.unpack_archive(archive, unpacked)
        for jar in unpacked.rglob("*.jar"):
            # .../bin, lib and opt as in a distribution; what belongs to Python's own side is left.
            part = next((part for part in ("bin", "lib", "opt", "plugins") if part in jar.parts), None)
            if part:
                (home / part).mkdir(parents=True, exist_ok=True)
                shutil.move(jar, home / part / jar.name)
    (home / "complete").touch()
    return home
