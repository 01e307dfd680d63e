"""What is for hosting agrees with the program: compose files, the image, units, the Space, the CPU switch."""

from __future__ import annotations

import re
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

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
    services = yaml.safe_load(COMPOSE[1].read_text())["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert {"web", "worker", "postgres", "redis", "proxy"} == set(services)
    assert (
        services["web"]["environment"]["ONLYBN_TRUSTED_PROXIES"]
        == services["proxy"]["networks"]["front"]["ipv4_address"]
    )
    assert all(image.startswith("onlybn") or ":" in image for image in (s["image"] for s in services.values()))
    one_box = yaml.safe_load(COMPOSE[0].read_text())["services"]["onlybn"]
    assert one_box["ports"] == ["${ONLYBN_BIND:-127.0.0.1}:${ONLYBN_PORT:-7860}:7860"]


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
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("onlybn", "true", "strict")


def dry(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)


def test_the_switch_for_cpus_is_pips_own_setting() -> None:
    show = "--eval=show:;@echo $$PIP_EXTRA_INDEX_URL"
    assert dry("-s", show, "show", "TORCH=cpu").stdout.strip().startswith("https://download.pytorch.org/whl/cpu")
    assert "pytorch" not in dry("-s", show, "show").stdout
    wrong = dry("help", "TORCH=xpu")
    assert wrong.returncode and "TORCH must be cpu" in wrong.stderr
