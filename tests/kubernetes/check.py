"""Checks folders of Kubernetes manifests: check.py FOLDER TABLE [FOLDER TABLE ...].

FOLDER is a Kustomize base. TABLE is a file with the output of `brigade check` for the
configuration in it. Prints every breach in a line of its own, behind the number of the folder from
0 and a tab, and exits with 1 if there is any.

Schemas: the official ones of Kubernetes, as the package kubernetes-validate brings them, strictly,
for the oldest version that the base is for and for the newest one that is known.
"""

import pathlib
import re
import sys

import kubernetes_validate
import yaml

# PreStop's `sleep` is on by default since 1.30.
VERSIONS = ["1.30.0", kubernetes_validate.latest_version()]
KUSTOMIZATION = {"apiVersion", "kind", "resources", "labels", "configMapGenerator", "images"}
# What a stop needs beyond what is configured, in seconds.
MARGIN = 3
# How long, in seconds, proxies may go on to send connections to a pod that is being ended.
PROPAGATION = 5

breaches = []


def demand(holds, words):
    if not holds:
        breaches.append(words)


class Unique(yaml.SafeLoader):
    """A key that is there twice is a slip: the first would silently be lost."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in set(keys):
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key!r} stands there twice, near line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def load(folder):
    """The kustomization and its resources by kind, each held against the schemas."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            documents = list(yaml.load_all(path.read_text(), Loader=Unique))
        except yaml.YAMLError as error:
            demand(False, f"{path.name}: {error}")
            continue
        demand(len(documents) == 1, f"{path.name}: one object a file")
        for document in documents:
            if path.name != "kustomization.yaml":
                against_schemas(path.name, document)
            found[path.name] = document
    return found


def against_schemas(name, document):
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(str(part) for part in error.path)
            demand(False, f"{name}: Kubernetes {version}: {place}: {error.message}")
        except Exception as error:  # no such kind or version: as good as a breach
            demand(False, f"{name}: Kubernetes {version}: {error!r}")


def check_kustomization(folder, found):
    base = found.get("kustomization.yaml", {})
    demand(base.get("kind") == "Kustomization", "kustomization.yaml: kind")
    demand(base.get("apiVersion") == "kustomize.config.k8s.io/v1beta1", "kustomization.yaml: apiVersion")
    demand(not set(base) - KUSTOMIZATION, f"kustomization.yaml: unknown {set(base) - KUSTOMIZATION}")
    there = set(found) - {"kustomization.yaml"}
    demand(set(base.get("resources", [])) == there, f"kustomization.yaml: resources are not {sorted(there)}")
    for generator in base.get("configMapGenerator", []):
        for file in generator.get("files", []):
            demand((folder / file).is_file(), f"kustomization.yaml: there is no {file}")
    return {generator["name"] for generator in base.get("configMapGenerator", [])}


def by_kind(found, kind):
    objects = [thing for thing in found.values() if thing.get("kind") == kind]
    demand(len(objects) == 1, f"one {kind}, not {len(objects)}")
    return objects[0] if objects else {}


def seconds(text):
    """`1m 30s`, `500ms` ... as `brigade check` shows it."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    parts = re.findall(r"(\d+(?:\.\d+)?) ?(ms|s|m|h)", text)
    return sum(float(number) * units[unit] for number, unit in parts)


def configuration(path):
    rows = (re.split(r"  +", line, maxsplit=2) for line in path.read_text().splitlines())
    return {row[0]: row[1] for row in rows if len(row) >= 2}


def check_stop(pod, container, values):
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain, kill = seconds(values["timeout-graceful-shutdown"]), seconds(values["timeout-kill"])
    grace = pod["terminationGracePeriodSeconds"]
    needed = sleep + drain + kill + MARGIN
    demand(grace >= needed, f"terminationGracePeriodSeconds is {grace}, and a stop may take {needed}: preStop {sleep}, drain {drain}, kill {kill}, {MARGIN} more")
    demand(sleep >= PROPAGATION, f"preStop lasts {sleep} s: proxies need {PROPAGATION} s to hear that a pod leaves")


def check_probes(container, values):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    demand(ports.get("http") == int(values["port"]), f"port http is {ports.get('http')}, the configuration says {values['port']}")
    admin = values["admin"].rsplit(":", 1)
    demand(ports.get("admin") == int(admin[-1]), f"port admin is {ports.get('admin')}, the configuration says {admin[-1]}")
    demand(admin[0] in ("0.0.0.0", "[::]"), f"the kubelet can't reach {values['admin']}")
    demand(values["host"] in ("0.0.0.0", "::"), f"nobody can reach {values['host']}")
    for name, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        probe = container[name]
        demand(probe["httpGet"]["path"] == path, f"{name} asks {probe['httpGet']['path']}, not {path}")
        demand(probe["httpGet"]["port"] == "admin", f"{name} asks at port {probe['httpGet']['port']}")
        # /livez waits a second for the supervisor.
        demand(probe["timeoutSeconds"] >= 2, f"{name} waits {probe['timeoutSeconds']} s")
    startup = container["startupProbe"]
    given, start = startup["periodSeconds"] * startup["failureThreshold"], seconds(values["timeout-start"])
    demand(given >= start, f"the startup probe gives {given} s, a start may take {start}")
    liveness = container["livenessProbe"]
    given, stuck = liveness["periodSeconds"] * liveness["failureThreshold"], seconds(values["timeout-worker"])
    demand(given > stuck, f"the liveness probe ends a pod after {given} s, before Brigade ends a stuck worker after {stuck}")


def check_security(pod, container):
    secure = {**pod["securityContext"], **container["securityContext"]}
    demand(secure.get("runAsNonRoot") is True, "runAsNonRoot")
    demand(isinstance(secure.get("runAsUser"), int) and secure["runAsUser"] > 0, "runAsUser is a number")
    demand(secure.get("readOnlyRootFilesystem") is True, "readOnlyRootFilesystem")
    demand(secure.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation")
    demand(secure.get("capabilities", {}).get("drop") == ["ALL"], "capabilities are dropped")
    demand(secure.get("seccompProfile", {}).get("type") == "RuntimeDefault", "seccompProfile")
    demand(pod.get("automountServiceAccountToken") is False, "no token is mounted")
    demand(pod.get("enableServiceLinks") is False, "no variables of Services")


def check_together(found, maps):
    deployment, service = by_kind(found, "Deployment"), by_kind(found, "Service")
    budget, scaler = by_kind(found, "PodDisruptionBudget"), by_kind(found, "HorizontalPodAutoscaler")
    template = deployment["spec"]["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    container = pod["containers"][0]
    for name, selector in (
        ("Deployment", deployment["spec"]["selector"]["matchLabels"]),
        ("Service", service["spec"]["selector"]),
        ("PodDisruptionBudget", budget["spec"]["selector"]["matchLabels"]),
    ):
        demand(selector.items() <= labels.items(), f"the {name} selects other pods: {selector}")
    names = {port["name"] for port in container["ports"]}
    for port in service["spec"]["ports"]:
        demand(port["targetPort"] in names, f"the Service leads to {port['targetPort']}, which is no port")
        demand(port["targetPort"] != "admin", "the Service leads to the admin port")
    target = scaler["spec"]["scaleTargetRef"]
    demand(target["name"] == deployment["metadata"]["name"] and target["kind"] == "Deployment", f"the autoscaler scales {target}")
    demand(scaler["spec"]["minReplicas"] >= 2, "one pod alone can't leave")
    demand("replicas" not in deployment["spec"], "the autoscaler decides how many")
    demand(budget["spec"].get("maxUnavailable", 0) >= 1, "the budget forbids to drain a node")
    demand("cpu" in container["resources"]["requests"], "the autoscaler needs a request for cpu")
    volumes = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        demand(volumes.get(mount["name"]) in maps, f"{mount['name']} is no generated ConfigMap")
    annotations = template["metadata"]["annotations"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    demand(annotations["prometheus.io/port"] == ports.get("admin"), "the scrape asks another port")
    return pod, container


def check(folder, table):
    found = load(folder)
    maps = check_kustomization(folder, found)
    try:
        pod, container = check_together(found, maps)
        values = configuration(table)
        check_stop(pod, container, values)
        check_probes(container, values)
        check_security(pod, container)
    except (KeyError, IndexError, TypeError) as error:
        demand(False, f"not as expected: {error!r}")


def main():
    paths = [pathlib.Path(word) for word in sys.argv[1:]]
    is_clean = True
    for number, (folder, table) in enumerate(zip(paths[::2], paths[1::2])):
        breaches.clear()
        check(folder, table)
        for breach in breaches:
            print(f"{number}\t{breach}".replace("\n", " "))
            is_clean = False
    sys.exit(0 if is_clean else 1)


main()
