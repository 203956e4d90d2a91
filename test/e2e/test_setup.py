# SPDX-License-Identifier: Apache-2.0
"""What a new user's machine lacks: the setup scripts on a machine that knows none of our packages."""
import os
import subprocess

import pytest

from conftest import ROOT, SANITIZED

pytestmark = pytest.mark.skipif(SANITIZED, reason="scripts, not the binary")


def fake(folder, name, text):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)


@pytest.fixture
def bare(tmp_path):
    """A PATH whose package tools know gcc only; what apt-get is asked for is written down."""
    bin = tmp_path / "bin"
    bin.mkdir()
    fake(bin, "dpkg-query", "echo 'gcc:ii '; exit 1")  # as the real one: what it knows, then exit 1 for what it does not
    fake(bin, "apt-get", 'echo "$@" >>"%s/asked"; [ "$1" != install ] || [ ! -e "%s/broken" ] || { echo "E: no such mirror"; exit 100; }' % (tmp_path, tmp_path))
    fake(bin, "id", "echo 0")
    for tool in ("sed", "tr", "env", "mktemp", "rm", "cat", "sh", "bash"):
        (bin / tool).symlink_to("/bin/" + tool)
    return tmp_path


def packages(bare, what="run"):
    return subprocess.run(["/bin/bash", str(ROOT / "tools/setup/packages.sh"), what], env={"PATH": str(bare / "bin")}, capture_output=True, text=True)


def test_bare_machine_installs_instead_of_ending_silently(bare):
    """Regression: dpkg-query's exit 1 ended `make run` without a word on the very machines it is for."""
    p = packages(bare)
    assert p.returncode == 0, p.stdout + p.stderr
    update, install = (bare / "asked").read_text().splitlines()
    assert update.startswith("update") and "libgit2-dev" in install and "meson" in install
    assert " gcc" not in install, "is there already"
    assert "libcmocka-dev" not in install, "for tests only"
    assert "libcmocka-dev" in (packages(bare, "test"), (bare / "asked").read_text())[1]


def test_what_apt_says_is_shown_when_it_fails(bare):
    (bare / "broken").touch()
    p = packages(bare)
    assert p.returncode == 2 and "E: no such mirror" in p.stdout and "could not install: meson" in p.stderr


def test_without_root_and_sudo_the_command_to_run_is_printed(bare):
    fake(bare / "bin", "id", "echo 1000")
    p = packages(bare)
    assert p.returncode == 2 and "as root run: apt-get install" in p.stderr and not (bare / "asked").exists()


def test_configures_without_the_test_packages(tmp_path):
    """Regression: `make run` asked for cmocka, which only `make test` installs."""
    env = dict(os.environ, PKG_CONFIG_LIBDIR=str(tmp_path))
    real = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], capture_output=True, text=True, check=True).stdout.strip()
    for folder in real.split(":"):
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                if name.endswith(".pc") and not name.startswith("cmocka") and not (tmp_path / name).exists():
                    (tmp_path / name).symlink_to(os.path.join(folder, name))
    p = subprocess.run(["meson", "setup", str(tmp_path / "out")], cwd=ROOT, env=env, capture_output=True, text=True)
    assert p.returncode == 0 and "cmocka found: NO" in p.stdout, p.stdout[-3000:] + p.stderr
    p = subprocess.run(["meson", "setup", "-Dtests=enabled", str(tmp_path / "out2")], cwd=ROOT, env=env, capture_output=True, text=True)
    assert p.returncode != 0, "make test must not leave tests out"
