"""What goes to standard output, and how a command ends where nobody reads it."""

import json
import signal
import subprocess


def test_version_tells_how_it_was_built(run):
    said = run("--version").stdout.splitlines()
    assert [line.split()[0] for line in said] == ["portitor", "commit", "compiler", "build", "OpenSSL", "Boost"]
    assert run("version").stdout.splitlines() == said
    facts = json.loads(run("version", "-o", "json").stdout)
    assert f"portitor {facts['version']}" == said[0] and facts["compiler"].startswith("clang ")
    assert facts["commit"] in said[1] and facts["state"] in ("clean", "modified", "")


def test_a_closed_output_is_the_end_without_a_word(portitor):
    with subprocess.Popen([portitor, "man"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def test_a_full_disk_is_told(portitor):
    with open("/dev/full", "w") as full:
        done = subprocess.run([portitor, "version"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "portitor: standard output cannot be written\n")


def test_usage_errors_name_the_flag_and_what_to_do(run):
    done = run("version", "--outputt", "json")
    assert done.returncode == 2
    assert done.stderr == (
        "portitor: --outputt: there is no such flag; did you mean --output? (see portitor version --help)\n"
    )
    assert run("version", "-o", "xml").returncode == 2
    done = run("versoin")
    assert done.returncode == 2 and "did you mean version?" in done.stderr
    assert run("once", "--output").returncode == 1
