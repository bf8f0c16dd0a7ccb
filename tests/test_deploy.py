"""What is deployed beside Compose: manifests of Kubernetes, a dashboard and alerts, and the workflow of a release."""

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import yaml

from server import metrics
from server.settings import Settings
from server.web.i18n import LANGUAGES

ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
MONITORING = ROOT / "deploy" / "monitoring"


def _objects() -> list[dict[str, Any]]:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(listed) == sorted({file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"})
    return [each for name in listed for each in yaml.safe_load_all((KUBERNETES / name).read_text("utf-8"))]


def _containers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    pods = [each["spec"]["template"]["spec"] for each in _objects() if each["kind"] in ("Deployment", "Job")]
    return [(pod, container) for pod in pods for container in pod["containers"]]


def test_alerts_and_dashboard_ask_for_what_the_metrics_tell() -> None:
    told = {
        f"{sample.name}{suffix}"
        for each in vars(metrics).values()
        if hasattr(each, "describe") and not isinstance(each, type)
        for sample in each.describe()
        for suffix in ("", "_total", "_count", "_bucket")
    }
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    panels = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))["panels"]
    asked = [rule["expr"] for rule in rules] + [each["expr"] for panel in panels for each in panel["targets"]]
    names = {name for expression in asked for name in re.findall(r"xentarena_\w+", expression)}
    assert len(names) > 8
    assert names <= told


def test_every_container_of_the_cluster_is_locked_up_and_has_a_secret_in_a_file() -> None:
    for pod, container in _containers():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        secret = [each["name"] for each in container["env"] if each["name"].endswith("_FILE")]
        assert secret
        assert "limits" in container["resources"]


def test_what_the_cluster_sets_is_a_setting() -> None:
    known = {f"XENTARENA_{name.upper()}" for name in Settings.model_fields}
    given = [name for each in _objects() if each["kind"] == "ConfigMap" for name in each["data"]]
    given += [each["name"].removesuffix("_FILE") for _, container in _containers() for each in container["env"]]
    assert {name for name in given if name.startswith("XENTARENA_")} <= known
    worker = next(each for each in _objects() if each["metadata"]["name"] == "xentarena-worker")
    assert "XENTARENA_DATABASE_URL" not in worker["data"]


def test_selectors_find_their_pods_and_policies_their_names() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"] for each in _objects() if each["kind"] in ("Deployment", "Job")
    ]
    for each in _objects():
        spec = each.get("spec", {})
        for selector in (spec.get("selector"), spec.get("podSelector")):
            wanted = (selector or {}).get("matchLabels", selector)
            if wanted:
                assert wanted in labels, each["metadata"]["name"]


def test_the_cluster_runs_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    images = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["images"]
    assert {each["newTag"] for each in images} == {version}
    assert {container["image"] for _, container in _containers()} <= {each["name"] for each in images}
    assert any(each["metadata"]["name"] == f"xentarena-migrate-{version}" for each in _objects())


def test_the_images_keep_what_the_languages_of_the_pages_need() -> None:
    assert {*LANGUAGES} < {*runpy.run_path(str(ROOT / "docker" / "slim.py"))["LANGUAGES"]}
