"""What is for hosting agrees with the program: compose files, the image, units, the Space, the CPU switch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from app.settings import Settings
from app.web.bodies import BODY_WITHIN_S
from app.web.connections import MAX_HEAD
from jobs.__main__ import BAD_SETTINGS, WORK_LEFT
from jobs.worker.supervisor import LAST_MOVE_S, STOP_GRACE_S
from jobs.worker.verdicts import RETRY_S

ROOT = Path(__file__).parents[1]
COMPOSE = (ROOT / "compose.yaml", ROOT / "deploy" / "compose.yaml", ROOT / "deploy" / "gpu.yaml")
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
KNOWN = {f"ONLYBN_{name.upper()}" for name in Settings.model_fields}
ELSEWHERE = {"ONLYBN_BIND"}
"""Variables of a compose file itself."""


@pytest.mark.parametrize("file", [*COMPOSE, ROOT / "Dockerfile", ROOT / "deploy" / "env.example", *UNITS], ids=str)
def test_only_settings_that_exist_are_named(file: Path) -> None:
    assert set(re.findall(r"ONLYBN_[A-Z_]*[A-Z]", file.read_text())) <= KNOWN | ELSEWHERE


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: str(file.relative_to(ROOT)))
def test_compose_files_hold_together(file: Path) -> None:
    said: dict[str, Any] = yaml.safe_load(file.read_text())
    volumes, networks = set(said.get("volumes") or ()), set(said.get("networks") or ())
    for name, service in said["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in volumes or (file.parent / source).exists(), (name, volume)
        assert set(service.get("networks", ())) <= networks, name
        assert set(service.get("depends_on", ())) <= set(said["services"]), name
        for other in service.get("depends_on", {}).values():
            assert other == {"condition": "service_healthy"}


def test_only_the_proxy_is_reached_from_outside() -> None:
    said = yaml.safe_load(COMPOSE[1].read_text())
    services = said["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert {"web", "worker", "postgres", "redis", "proxy"} == set(services)
    address = services["proxy"]["networks"]["front"]["ipv4_address"]
    assert services["web"]["environment"]["ONLYBN_TRUSTED_PROXIES"] == address
    (front,) = said["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in ip_network(front["subnet"])
    assert ip_address(address) not in ip_network(front["ip_range"]), "a container that starts before may get it"
    assert all(image.startswith("onlybn") or ":" in image for image in (s["image"] for s in services.values()))
    one_box = yaml.safe_load(COMPOSE[0].read_text())["services"]["onlybn"]
    assert one_box["ports"] == ["${ONLYBN_BIND:-127.0.0.1}:${ONLYBN_PORT:-7860}:7860"]


def test_the_proxy_bounds_nothing_more_tightly_than_the_server() -> None:
    proxy = (ROOT / "deploy" / "Caddyfile").read_text()
    (head,) = re.findall(r"max_header_size (\d+)KiB", proxy)
    assert int(head) * 1024 >= MAX_HEAD
    (body,) = re.findall(r"read_body (\d+)s", proxy)
    assert int(body) >= BODY_WITHIN_S
    assert "request_body" not in proxy and "health_uri" not in proxy  # the app says no in words, and so does a page


def test_the_image_has_all_that_runs_and_no_more() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = {
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    }
    assert {"app", "core", "jobs", "static", "requirements.txt", "constraints.txt", "Makefile"} <= copied
    assert all((ROOT / name).exists() for name in copied)
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_in
    assert lines[-1].startswith("CMD") and any(line == "USER 1000" for line in lines)
    assert any(line.startswith("HEALTHCHECK") and "/healthz" in line for line in lines)


def test_the_space_is_described_at_the_head_of_the_readme() -> None:
    front = yaml.safe_load((ROOT / "README.md").read_text().split("---\n")[1])
    assert front["sdk"] == "docker" and f"ONLYBN_PORT={front['app_port']}" in (ROOT / "Dockerfile").read_text()
    assert len(front["short_description"]) <= 60  # what Hugging Face takes
    assert "https://arxiv.org/abs/2003.00152" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_start_what_there_is(unit: Path) -> None:
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit)
    service = parser["Service"]
    (module,) = re.findall(r"/opt/onlybn/\.venv/bin/python -m (\w+)", service["ExecStart"])
    assert (ROOT / module / "__main__.py").exists()
    if "Restart" in service:
        assert service["OOMPolicy"] == "continue", "a training that runs out of memory would stop the server"
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("onlybn", "true", "strict")


INDEX = "http://127.0.0.1:1/"
"""Where nobody answers."""


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """An empty package in `folder`, which is an index for pip."""
    (folder / name).mkdir(parents=True)
    file = f"{name}-{version}-py3-none-any.whl"
    with ZipFile(folder / name / file, "w") as packed:
        inside = f"{name}-{version}.dist-info"
        packed.writestr(
            f"{inside}/METADATA",
            "\n".join(
                (
                    f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
                    *(f"Requires-Dist: {need}" for need in needs),
                )
            ),
        )
        packed.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{inside}/RECORD", "")
    (folder / name / "index.html").write_text(f'<a href="{file}">{file}</a>'.replace("+", "%2B", 1))


def install(folder: Path, index: str) -> subprocess.CompletedProcess[str]:
    """What `make .venv/installed TORCH=cpu` says and does in an empty checkout that asks for PyTorch only."""
    shutil.copy(ROOT / "Makefile", folder)
    wanted = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch")]
    (folder / "requirements.txt").write_text("\n".join(wanted))
    (folder / "constraints.txt").touch()
    names = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        ["make", "-C", folder, ".venv/installed", "TORCH=cpu", f"TORCH_CPU_INDEX={index}", f"PYTHON={sys.executable}"],
        env={**names, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": INDEX, "PIP_NO_INPUT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyTorch has no CUDA")
def test_the_switch_for_cpus_takes_no_pytorch_but_that_of_its_own_index(tmp_path: Path) -> None:
    with_cuda, without = tmp_path / "cuda", tmp_path / "cpu"
    wheel(with_cuda, "torch", "2.14.1", "nvidia-cublas")
    wheel(without, "torch", "2.14.1+cpu")
    for index, version in ((with_cuda, "0.29.1"), (without, "0.29.1+cpu")):
        wheel(index, "torchvision", version, "torch==2.14.1")
    for wrong in (INDEX, with_cuda.as_uri()):
        said = install(tmp_path, wrong)
        assert said.returncode and f"PyTorch for CPUs cannot be had from {wrong}" in said.stdout, said.stderr
        assert not (tmp_path / ".venv" / "installed").exists()
    said = install(tmp_path, without.as_uri())
    assert said.returncode == 0, said.stderr
    assert (tmp_path / ".venv" / "installed").exists()
    assert (tmp_path / ".venv" / "torch.txt").read_text().split() == ["torch==2.14.1+cpu", "torchvision==0.29.1+cpu"]


def test_a_wrong_switch_is_refused() -> None:
    wrong = subprocess.run(["make", "-C", ROOT, "help", "TORCH=xpu"], capture_output=True, text=True, check=False)
    assert wrong.returncode and "TORCH must be cpu" in wrong.stderr


CLUSTERS = ROOT / "deploy" / "clusters"


def test_the_job_of_kubernetes_holds_together() -> None:
    said = yaml.safe_load((CLUSTERS / "kubernetes.yaml").read_text())
    assert (said["apiVersion"], said["kind"]) == ("batch/v1", "Job")
    pod = said["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"][2:] == ["python", "-m", "jobs", "--until", "idle"]
    assert {variable["name"] for variable in container["env"]} <= KNOWN
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert pod["restartPolicy"] == "Never", "a Job with a failure policy takes no other"
    assert pod["terminationGracePeriodSeconds"] > STOP_GRACE_S + LAST_MOVE_S + RETRY_S
    signs = [sign for rule in said["spec"]["podFailurePolicy"]["rules"] for sign in rule.get("onPodConditions", [])]
    assert signs == [{"type": "DisruptionTarget", "status": "True"}], (
        "until Kubernetes 1.35 the schema needs the status"
    )
    codes = [rule["onExitCodes"] for rule in said["spec"]["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    assert codes == [{"containerName": container["name"], "operator": "In", "values": [BAD_SETTINGS]}]


def test_the_batch_file_of_slurm_holds_together() -> None:
    text = (CLUSTERS / "onlybn.sbatch").read_text()
    assert subprocess.run(["bash", "-n", str(CLUSTERS / "onlybn.sbatch")]).returncode == 0
    assert set(re.findall(r"ONLYBN_[A-Z_]*[A-Z]", text)) <= KNOWN
    assert f'[ "$code" -eq {WORK_LEFT} ]' in text
    options = dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", text, re.MULTILINE))
    assert options["requeue"] == "" and options["open-mode"] == "append"
    name, _, seconds = options["signal"].partition("@")
    assert name == "USR1" and int(seconds) > 60 + STOP_GRACE_S + LAST_MOVE_S
