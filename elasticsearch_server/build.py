"""Builds what a real Elasticsearch node needs from Maven Central: jars, launcher and plugin."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from components.build_cache import cache_folder

HERE = Path(__file__).resolve().parent
# In a checkout beside the sources, so that it goes with them; an installed copy has no such place.
BUILD = (
    HERE.parent / ".elasticsearch" if (HERE.parent / "pyproject.toml").is_file() else cache_folder() / "elasticsearch"
)
VERSION = "8.19.21"
TRANSPORT = ("transport-netty4", "netty-")


class CannotBuild(RuntimeError):
    """Maven, Java or a download is missing; the message says which."""


def java() -> str:
    """The Java to run and compile with: JAVA_HOME's, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise CannotBuild("no java found (JAVA_HOME, PATH): Elasticsearch needs Java 17 or newer")
    return found


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBuild(f"{command[0]}: {error}") from error
    if done.returncode:
        raise CannotBuild(f"{command[0]} failed ({done.returncode}): {(done.stdout + done.stderr)[-1500:]}")


def _descriptor(name: str, classname: str) -> str:
    lines = {
        "name": name,
        "description": name,
        "version": VERSION,
        "elasticsearch.version": VERSION,
        "java.version": "17",
        "classname": classname,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _digest() -> str:
    """Changes when a source or the version does, so that a stale build is never used."""
    digest = hashlib.sha256(VERSION.encode())
    for source in [HERE / "pom.xml", *sorted(HERE.glob("*/*.java"))]:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def build() -> Path:
    """Returns the folder holding `jars/`, `modules/` and `classes/`; builds it when it is not there.

    Raises:
        CannotBuild: no Maven, no Java, or the artefacts cannot be downloaded.
    """
    ready = BUILD / f"{VERSION}-{_digest()}"
    if ready.is_dir():
        return ready
    maven, compiler = shutil.which("mvn"), shutil.which("javac", path=str(Path(java()).resolve().parent))
    if maven is None or compiler is None:
        raise CannotBuild(
            f"{'mvn' if maven is None else 'javac'} not found: a server without Docker is built with both"
        )
    BUILD.mkdir(parents=True, exist_ok=True)
    work = BUILD / f"building-{os.getpid()}"
    try:
        _build(work, maven, compiler)
        work.rename(ready)
    except OSError:  # another process was quicker
        if not ready.is_dir():
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ready


def _build(work: Path, maven: str, compiler: str) -> None:
    jars = work / "jars"
    _run(maven, "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={jars}")

    transport = work / "modules" / "transport-netty4"
    transport.mkdir(parents=True)
    class_path = ":".join(str(jar) for jar in sorted(jars.glob("*.jar")))
    for part in ("launcher", "plugin"):
        sources = [str(source) for source in sorted((HERE / part).glob("*.java"))]
        _run(compiler, "-Xlint:-options", "-cp", class_path, "-d", str(work / part), *sources)
    for jar in sorted(jars.glob("*.jar")):
        if jar.name.startswith(TRANSPORT):
            jar.rename(transport / jar.name)
    (transport / "plugin-descriptor.properties").write_text(
        _descriptor("transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin")
    )
    ours = work / "modules" / "distribution"
    ours.mkdir()
    shutil.make_archive(str(ours / "distribution"), "zip", work / "plugin")
    (ours / "distribution.zip").rename(ours / "distribution.jar")
    (ours / "plugin-descriptor.properties").write_text(_descriptor("distribution", "DistributionPlugin"))
