"""The samples in docs/deploy are what they say: each command, option, setting and path exists."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import click
import pytest
import yaml
from apscheduler.triggers.cron import CronTrigger

from digest import config
from digest.cli import digest
from digest.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
SECRETS = {"SECRET_KEY", "SMTP_PASSWORD", "SENDGRID_API_KEY", "METRICS_TOKEN"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def accepted(words: list[str]) -> click.Command:
    """The command that these arguments of `digest` call; UsageError when there is none such."""
    context, command = click.Context(digest, info_name="digest"), digest
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found, f"there is no command {name}"
        context, command = click.Context(found, info_name=name, parent=context), found
    command.make_context(name, list(words), parent=context.parent)
    return command


def commands(text: str) -> list[list[str]]:
    """The arguments of every call of `digest` in a shell script or a document."""
    calls = re.findall(
        r"(?m)(?:(?:^|`|&& |run --rm serve |/bin/)digest|^by-hand) ([a-z][^`|&#<\n]*)", text
    )
    return [shlex.split(call.rstrip("), ")) for call in calls]


def configures(environ: dict[str, str]) -> None:
    """Every variable is a setting that is accepted, or a secret (or its file)."""
    settings = {}
    for name, value in environ.items():
        assert name.startswith("DIGEST_"), name
        if name.removeprefix("DIGEST_").removesuffix("_FILE") not in SECRETS:
            settings[name] = value
    config.parse("", ROOT / "digest.toml", settings)


def test_a_wrong_command_or_option_would_be_found():
    for words in (["schedule", "run-twice"], ["serve", "--prot", "1"]):
        with pytest.raises((click.UsageError, AssertionError)):
            accepted(words)
    with pytest.raises(ConfigError):
        configures({"DIGEST_WEB__HOTS": "0.0.0.0"})


@pytest.mark.parametrize(
    "path", [*DEPLOY.glob("*.md"), DEPLOY.parent / "operations.md"], ids=lambda p: p.name
)
def test_every_command_of_the_documents_exists(path):
    found = commands(path.read_text())

    assert found
    stands_for = {"FILE": __file__, "STATE": "unknown", "SECONDS": "5", "CADENCE": "weekly"}
    for words in found:
        with suppress(click.MissingParameter):  # a sentence may name a command alone
            accepted([stands_for.get(word, word) for word in words])


def test_the_documents_name_every_sample_and_no_other():
    text = (DEPLOY / "README.md").read_text()
    linked = {name for name in re.findall(r"\]\(([\w.-]+)\)", text) if (DEPLOY / name).is_file()}

    assert linked == {path.name for path in DEPLOY.iterdir()} - {"README.md"}
    for place in re.findall(r"\]\((\.\./[\w./-]+)", text):
        assert (DEPLOY / place).is_file(), place


# systemd


def unit() -> dict[str, list[str]]:
    """Keys of the unit with all their values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "digest.service").read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_starts_a_command_that_exists_and_gives_it_what_it_reads():
    keys = unit()
    (start,) = keys["ExecStart"]
    program, *words = start.split()

    assert Path(program).name in PROJECT["scripts"]
    assert accepted(words).name == "serve"
    environ = dict(pair.split("=", 1) for pair in keys["Environment"])
    configures(environ)
    credentials = {credential.partition(":")[0] for credential in keys["LoadCredential"]}
    assert {value.removeprefix("%d/") for value in environ.values()} == credentials


def test_the_unit_gives_it_time_to_stop_and_reloads_by_the_signal_that_serve_knows():
    from digest.web.server import PATIENCE

    keys = unit()
    assert int(keys["TimeoutStopSec"][0]) > PATIENCE
    assert keys["KillSignal"] == ["SIGTERM"]
    assert keys["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert "signal.SIGHUP" in (ROOT / "digest/cli/serving.py").read_text()


def test_the_unit_gives_away_no_more_than_is_needed():
    keys = unit()

    assert keys["ReadWritePaths"] == keys["WorkingDirectory"] == ["/srv/newsletter"]
    assert keys["CapabilityBoundingSet"] == [""]
    assert keys["ProtectSystem"] == ["strict"]
    assert keys["User"] != ["root"]
    assert keys["NoNewPrivileges"] == ["yes"]
    assert "ProcSubset" not in keys  # the sender reads the boot id


def test_systemd_itself_finds_nothing_wrong(tmp_path):
    """Where systemd-analyze is installed; what else can be looked at is above."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    text = (DEPLOY / "digest.service").read_text()
    copy = tmp_path / "digest.service"
    copy.write_text(text.replace("/opt/digest/bin/digest", sys.executable))

    command = [program, "verify", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    own = [line for line in done.stderr.splitlines() if "digest.service" in line]
    assert not own


# Docker


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile, line continuations joined."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text()).replace("\\\n", " ")
    return [
        (word, " ".join(rest.split()))
        for word, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip())
    ]


def given(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_the_image_is_pinned_small_and_not_roots():
    assert all(re.fullmatch(r"python:\d\.\d+-slim-\w+( AS \w+)?", base) for base in given("FROM"))
    assert instructions()[-1][0] == "CMD"
    assert given("USER")[-1] == "10001:10001"
    assert not given("ADD")
    assert all("--no-cache-dir" in run for run in given("RUN") if "pip install" in run)


def test_the_image_is_built_of_files_that_exist_and_an_extra_that_exists():
    for rest in given("COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        if "--from=build" not in rest:
            assert all((ROOT / source).exists() for source in sources), rest
    copied = " ".join(given("COPY"))
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    needed = [*build["targets"]["wheel"]["force-include"], PROJECT["readme"]]
    needed += [*PROJECT["license-files"], *build["targets"]["wheel"]["packages"], "pyproject.toml"]
    assert all(re.search(rf"(^| ){re.escape(name)} ", copied) for name in needed)
    (extra,) = re.findall(r"'\.\[(\w+)\]'", " ".join(given("RUN")))
    assert extra in PROJECT["optional-dependencies"]


def test_a_build_is_given_what_the_image_copies_and_none_of_a_newsletters_data():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:].partition("/")[0] for line in lines if line.startswith("!")}
    copied = {
        word.removeprefix("./")
        for rest in given("COPY")
        for word in rest.split()[:-1]
        if "--from=" not in rest
    }

    assert "*" in lines
    assert copied == let_in
    assert not [line for line in lines if line.startswith("!") and "sqlite" in line]


def test_the_folder_under_a_volume_is_the_users_in_the_image():
    """A new volume takes owner and rights of the folder that it covers; root's otherwise."""
    (made,) = [run for run in given("RUN") if "useradd" in run]
    mounts = [mount.split(":")[:2] for mount in compose()["services"]["serve"]["volumes"]]
    folders = [place for name, place in mounts if name in compose()["volumes"]]

    assert folders == ["/newsletter/.digest"]
    assert f"mkdir -p {folders[0]}" in made
    assert "chown -R 10001:10001 /newsletter" in made


def test_only_what_serves_pages_is_asked_for_them():
    services = compose()["services"]

    assert services["worker"]["healthcheck"] == {"disable": True}
    assert "healthcheck" not in services["serve"]


def test_the_image_runs_commands_that_exist():
    (entry,), (words,) = given("ENTRYPOINT"), given("CMD")
    assert json.loads(entry)[0] in PROJECT["scripts"]
    assert accepted(json.loads(words)).name == "serve"
    environ = dict(word.split("=", 1) for rest in given("ENV") for word in shlex.split(rest))
    configures({name: value for name, value in environ.items() if name.startswith("DIGEST_")})
    assert not SECRETS & {name.removeprefix("DIGEST_") for name in environ}


def test_the_images_health_check_is_a_program_that_asks_an_address_that_exists():
    (check,) = given("HEALTHCHECK")
    python, option, source = json.loads(check.partition(" CMD ")[2])

    assert (python, option) == ("python", "-c")
    ast.parse(source)
    assert 'route(site, "/healthz"' in (ROOT / "digest/web/health.py").read_text()
    assert "http://127.0.0.1:8000/healthz" in source
    assert given("EXPOSE") == ["8000"]


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_services_run_commands_that_exist_with_settings_that_exist(tmp_path):
    for name in ("serve", "upgrade", "worker"):
        service = compose()["services"][name]
        accepted(service["command"])
        environ = dict(service["environment"])
        url = tmp_path / "url"
        url.write_text("postgresql://digest:secret@db/digest\n")
        assert environ.pop("DIGEST_STORE__DATABASE_FILE") == "/run/secrets/database_url"
        configures(environ)
        read = config.parse("", ROOT / "digest.toml", {"DIGEST_STORE__DATABASE_FILE": str(url)})
        assert read.database == "postgresql://digest:secret@db/digest"


def test_the_containers_are_read_only_and_get_their_secrets_as_files():
    parts = compose()
    for name in ("serve", "upgrade", "worker"):
        service = parts["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        files = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        assert set(service["environment"].values()) == files
        mounts = dict(mount.split(":", 1) for mount in service["volumes"])
        assert mounts == {"./newsletter": "/newsletter:ro", "state": "/newsletter/.digest"}
    assert parts["services"]["serve"]["ports"] == ["127.0.0.1:8000:8000"]


def test_every_secret_and_volume_is_defined_and_documented():
    parts, text = compose(), (DEPLOY / "README.md").read_text()
    used = {secret for one in parts["services"].values() for secret in one["secrets"]}

    assert used == set(parts["secrets"])
    assert all(f"| `{secret}` |" in text for secret in used)
    assert set(parts["volumes"]) == {"database", "state"}
    build = parts["services"]["serve"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_nothing_is_served_before_the_tables_are_at_their_revision():
    services = compose()["services"]

    assert services["upgrade"]["depends_on"]["db"] == {"condition": "service_healthy"}
    for name in ("serve", "worker"):
        assert services[name]["depends_on"] == {
            "upgrade": {"condition": "service_completed_successfully"}
        }
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > 10


# GitHub Actions


def workflow() -> dict:
    return yaml.safe_load((DEPLOY / "newsletter.yml").read_text())


def test_the_workflow_runs_commands_that_exist_with_settings_that_exist():
    (job,) = workflow()["jobs"].values()
    scripts = "\n".join(step["run"] for step in job["steps"] if "run" in step)

    found = [accepted(words).name for words in commands(scripts)]
    assert found == ["run-once", "status", "doctor"]
    configures(dict.fromkeys(job["env"], "x"))
    assert all(re.fullmatch(r"\$\{\{ secrets\.\w+ \}\}", value) for value in job["env"].values())


def test_the_workflow_looks_often_one_at_a_time_and_may_change_nothing():
    parts = workflow()
    triggers = parts[True]  # YAML 1.1 takes `on` for a truth value

    (schedule,) = triggers["schedule"]
    CronTrigger.from_crontab(schedule["cron"])
    assert parts["permissions"] == {"contents": "read"}
    assert parts["concurrency"]["cancel-in-progress"] is False
    (job,) = parts["jobs"].values()
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in uses)
    assert job["steps"][0]["with"]["persist-credentials"] is False
