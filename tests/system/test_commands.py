"""The command line: what operators type, beside a running server and without one, and what they mistype."""

import json
import os
import signal
import socket
import stat
import subprocess

import pytest

from harness.client import Client, Person
from harness.files import gpx_walk
from harness.server import BINARY, ekiden, free_port
from harness.waiting import until


def test_serve_list_names_the_services_and_their_models():
    """Without starting anything."""
    made = ekiden("serve", "--list")
    assert made.returncode == 0 and made.stderr == "", made
    for service, model in (("gateway", "event loop"), ("user", "thread pool"), ("workout", "coroutines"), ("gamification", "thread pool"),
                           ("inventory", "coroutines")):
        (line,) = [line for line in made.stdout.splitlines() if line.strip().startswith(service)]
        assert model in line


def test_config_print_shows_every_option_and_takes_its_own_output(tmp_path):
    """TOML with defaults; given back as --config it says the same; --set wins over the file."""
    made = ekiden("config", "--print")
    assert made.returncode == 0 and "enabled" in made.stdout and "hash_memory_kib" in made.stdout, made
    file = tmp_path / "ekiden.toml"
    file.write_text(made.stdout)
    again = ekiden("config", "--print", "--config", file)
    assert again.returncode == 0 and again.stdout == made.stdout, again
    changed = ekiden("config", "--print", "--config", file, "--set", "user.hash_passes=3")
    assert changed.returncode == 0 and changed.stdout != made.stdout


MISTAKES = {
    "unknown key": (["serve", "--set", "no.such.key=1"], "no.such.key"),
    "no number": (["serve", "--set", "user.threads=many"], "user.threads"),
    "out of bounds": (["serve", "--set", "user.threads=100000"], "user.threads"),
    "not a choice": (["serve", "--set", "user.registration=maybe"], "user.registration"),
    "no equals sign": (["serve", "--set", "user.threads"], "user.threads"),
    "no address": (["serve", "--listen", "8080"], "--listen"),
    "unknown option": (["serve", "--verbose"], "--verbose"),
    "missing value": (["serve", "--data"], "--data"),
    "unknown service": (["serve", "--service", "teleport"], "teleport"),
    "no such config": (["serve", "--config", "/nonexistent.toml"], "/nonexistent.toml"),
    "unknown command": (["fly"], "fly"),
    "stray word": (["audit", "everything"], "everything"),
    "admin without an address": (["admin", "create", "--password-file", "/dev/null", "--role", "admin"], "--email"),
    "admin with a role that is none": (["admin", "create", "--email", "a@example.org", "--password-file", "/dev/null", "--role", "king"], "role"),
    "rebuild of nothing": (["rebuild", "castle"], "castle"),
    "bad listen port": (["serve", "--listen", "127.0.0.1:99999"], "port"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistyped_command_is_named_and_ends_with_2(tmp_path, case):
    """One clear line on stderr that names what is wrong; nothing is started or made."""
    arguments, word = MISTAKES[case]
    if "--data" not in arguments and arguments[0] not in ("fly",):
        arguments = [*arguments, "--data", tmp_path / "data"]
    made = ekiden(*arguments, cwd=tmp_path)
    assert made.returncode == 2, made
    assert word in made.stderr and made.stdout == "", made
    assert "terminate" not in made.stderr and "what()" not in made.stderr
    assert not (tmp_path / "data" / "user.db").exists()


def test_every_fault_of_a_configuration_is_told_at_once(tmp_path):
    """Two wrong keys, two complaints."""
    made = ekiden("serve", "--data", tmp_path / "d", "--set", "user.threads=0", "--set", "no.such=1")
    assert made.returncode == 2 and "user.threads" in made.stderr and "no.such" in made.stderr


@pytest.mark.parametrize("arguments", [["help"], ["--help"], ["--version"], ["serve", "--help"]])
def test_help_and_version_answer(arguments):
    """On stdout, with 0."""
    made = ekiden(*arguments)
    assert made.returncode == 0 and made.stdout.strip(), made


def test_without_a_command_the_help_comes_with_2():
    """And says how it is used."""
    made = ekiden()
    assert made.returncode == 2 and "serve" in made.stderr + made.stdout


@pytest.mark.one_process("a data folder of its own")
def test_migrate_makes_the_databases_and_can_run_again_and_beside_a_server(make_server):
    """Once, twice, and while it serves."""
    server = make_server(start=False)
    for _ in range(2):
        made = server.ekiden("migrate")
        assert made.returncode == 0, made
    assert (server.data / "user.db").exists()
    server.start()
    made = server.ekiden("migrate")
    assert made.returncode == 0, made
    assert server.is_healthy()


@pytest.mark.one_process("a data folder of its own")
def test_the_data_folder_is_private(make_server):
    """Only its owner can look into it, keys and databases included."""
    server = make_server()
    for path in [server.data, *server.data.glob("keys/*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_an_administrator_is_made_beside_a_running_server(make_server, admin_of, tmp_path):
    """Three roles; the same address again and weak passwords are refused."""
    server = make_server()
    assert admin_of(server).get("/me").json["role"] == "admin"
    assert admin_of(server, "organizer").get("/me").json["role"] == "organizer"
    assert admin_of(server, "member").get("/me").json["role"] == "member"
    assert admin_of(server).get("/admin/users").status == 200
    file = tmp_path / "weak"
    file.write_text("12345678\n")
    weak = server.ekiden("admin", "create", "--email", "w@example.org", "--password-file", file, "--role", "admin")
    assert weak.returncode != 0 and "password" in weak.stderr
    file.write_text("a long way home\n")
    member = Person.register(server.address)
    taken = server.ekiden("admin", "create", "--email", member.email, "--password-file", file, "--role", "admin")
    assert taken.returncode != 0 and "address" in taken.stderr
    assert member.get("/me").json["role"] == "member"


@pytest.mark.one_process("a data folder that one process owns")
def test_a_second_server_on_the_same_data_is_refused(make_server):
    """It says that the folder is in use, and the first one goes on."""
    server = make_server()
    second = server.ekiden("serve", "--listen", f"127.0.0.1:{free_port()}", timeout_s=20)
    assert second.returncode != 0 and "another server" in second.stderr + second.stdout, second
    assert server.is_healthy()


def test_a_taken_port_is_told(make_server, tmp_path):
    """A clear line, and a non-zero end."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = ekiden("serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}", timeout_s=20)
    assert made.returncode not in (0, -6, -11) and "in use" in (made.stderr + made.stdout).lower(), made


def test_audit_and_rebuild_beside_a_running_server(make_server):
    """All equations hold; a rebuild of the ranking is not seen by readers."""
    server = make_server()
    person = Person.register(server.address)
    person.upload_one("a.gpx", gpx_walk(100))
    board = "/leaderboards/distance/run/all"
    row = until(lambda: [r for r in person.items(board) if r["display_name"]], "the board, with the name that comes by itself")
    audit = server.ekiden("audit")
    assert audit.returncode == 0 and audit.stdout, audit
    rebuilt = server.ekiden("rebuild", "ranking")
    assert rebuilt.returncode == 0, rebuilt
    assert person.items(board) == row
    server.stop()
    assert server.ekiden("audit").returncode == 0
    server.start()
    until(lambda: person.items(board) == row, "the same board after a restart")


def test_audit_finds_and_repairs_a_wrong_score(make_server):
    """Exit 1 and a sentence for each difference; --repair puts the projection right."""
    server = make_server()
    person = Person.register(server.address)
    person.upload_one("a.gpx", gpx_walk(100))
    board = "/leaderboards/distance/run/all"
    until(lambda: [r for r in person.items(board) if r["score"] == 900], "the score")
    assert server.stop() == 0
    with server.stores.opened("gamification") as database:
        database.execute("UPDATE scores SET score = score + 5 WHERE board = 'distance:run:all'")
    found = server.ekiden("audit")
    assert found.returncode == 1 and "distance:run:all" in found.stdout + found.stderr, found
    repaired = server.ekiden("audit", "--repair")
    assert "distance:run:all" in repaired.stdout + repaired.stderr, repaired
    assert server.ekiden("audit").returncode == 0
    server.start()
    until(lambda: [r for r in person.items(board) if r["score"] == 900], "the score put right")


def test_log_lines_are_json_and_hold_no_secrets(make_server):
    """One object a line; no password, token or position in any of them."""
    server = make_server({"log.level": "debug"})
    person = Person.register(server.address, password="a very secret sentence")
    person.upload_one("a.gpx", gpx_walk(30, latitude=12.3456789))
    Client(server.address).get("/x?access_token=" + person.tokens["access_token"])
    Client(server.address).get("/healthz", headers={"User-Agent": 'evil"} {"level":"error'})
    assert server.stop() == 0
    text = "".join(path.read_text() for path in server.log_files())
    lines = [line for line in text.splitlines() if line.startswith("{")]
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)
    for secret in ("a very secret sentence", person.tokens["access_token"], person.tokens["refresh_token"], "12.3456"):
        assert secret not in text


def test_it_stops_at_ctrl_c_as_at_sigterm(tmp_path):
    """SIGINT: an orderly end with 0."""
    port = free_port()
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([BINARY, "serve", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}"], stdout=log, stderr=log)
    until(lambda: Client(("127.0.0.1", port)).get("/healthz").status == 200, "an answer")
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 0
