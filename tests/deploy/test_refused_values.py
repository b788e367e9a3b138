"""Values that are wrong are refused, in words that tell where and why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.chart import RefusedError, template

OXIDIZED = {"name": "eu", "targets": ["http://oxidized.example.net:8888"]}
OPEN = {"enabled": True, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}

REFUSED = {
    "typo": ({"replicas": 3}, "at '': additional properties 'replicas' not allowed"),
    "typo-below": ({"image": {"tagg": "1"}}, "at '/image': additional properties 'tagg' not allowed"),
    "typo-in-a-list": (
        {"probes": {"targets": [OXIDIZED | {"modul": "a"}]}},
        "at '/probes/targets/0': additional properties 'modul' not allowed",
    ),
    "tag-is-a-number": ({"image": {"tag": 1.1}}, "at '/image/tag': got number, want string"),
    "annotation-is-a-boolean": ({"podAnnotations": {"a": True}}, "at '/podAnnotations/a': got boolean, want string"),
    "label-of-a-target-is-a-number": (
        {"probes": {"targets": [OXIDIZED | {"labels": {"site": 7}}]}},
        "at '/probes/targets/0/labels/site': got number, want string",
    ),
    "variable-is-a-number": (
        {"extraEnv": [{"name": "A", "value": 1}]},
        "at '/extraEnv/0/value': got number, want string",
    ),
    "replicas-are-text": ({"replicaCount": "2"}, "at '/replicaCount': got string, want integer"),
    "label-too-long": ({"commonLabels": {"a": "b" * 64}}, "at '/commonLabels/a': maxLength: got 64, want 63"),
    "interval-without-unit": ({"probes": {"interval": "60"}}, "at '/probes/interval': '60' does not match pattern"),
    "no-target": (
        {"probes": {"targets": [{"name": "eu", "targets": []}]}},
        "at '/probes/targets/0/targets': minItems: got 0, want 1",
    ),
    "name-of-targets": (
        {"probes": {"targets": [OXIDIZED | {"name": "EU west"}]}},
        "at '/probes/targets/0/name': 'EU west' does not match pattern",
    ),
    "budget-of-none": ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable': minimum: got 0, want 1"),
    "budget-of-no-percent": (
        {"podDisruptionBudget": {"maxUnavailable": "0%"}},
        "at '/podDisruptionBudget/maxUnavailable': '0%' does not match pattern",
    ),
    "budget-that-keeps": (
        {"podDisruptionBudget": {"minAvailable": 1}},
        "at '/podDisruptionBudget': additional properties 'minAvailable' not allowed",
    ),
    "no-suffix": (
        {"resources": {"limits": {"memory": "512K"}}},
        "'512K' does not match",
    ),
    "negative": ({"resources": {"limits": {"cpu": -1}}}, "at '/resources/limits/cpu': minimum: got -1, want 0"),
    "key-of-a-label": ({"commonLabels": {"a b": "c"}}, "'a b' does not match pattern"),
    "key-of-an-annotation": ({"podAnnotations": {"/a": "b"}}, "'/a' does not match pattern"),
    "units-in-disorder": ({"probes": {"interval": "1s1m"}}, "at '/probes/interval': '1s1m' does not match pattern"),
    "surge": (
        {"rollingUpdate": {"maxSurge": "one"}},
        "at '/rollingUpdate/maxSurge': 'one' does not match pattern",
    ),
    "nothing-to-roll": (
        {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}},
        "rollingUpdate: with both at 0 no pod can ever be replaced",
    ),
    "target-twice": (
        {"probes": {"targets": [OXIDIZED, OXIDIZED | {"name": "again"}]}},
        'probes.targets: "http://oxidized.example.net:8888" stands in two entries with the same labels',
    ),
    "target-twice-in-an-entry": (
        {"probes": {"targets": [OXIDIZED | {"targets": ["a.b", "a.b"]}]}},
        "at '/probes/targets/0/targets': items at 0 and 1 are equal",
    ),
    "no-secret": (
        {"config": {"inSecret": True, "existingConfigMap": "a"}},
        "config.inSecret: without config.data there is nothing to keep in a Secret",
    ),
    "file-and-folder": (
        {"config": {"existingSecret": "a", "files": [{"secret": "a", "items": {"b": "tls/ca", "c": "tls"}}]}},
        'config.files: of "tls" and "tls/ca" one is a folder of the other',
    ),
    "quantity": ({"resources": {"limits": {"memory": "1 GB"}}}, "at '/resources/limits/memory': '1 GB' does not match"),
    "flag-of-a-value": ({"extraArgs": ["--web.shutdown-delay=600"]}, "at '/extraArgs/0': 'not' failed"),
    "flag-of-the-log": ({"extraArgs": ["--log.format=json"]}, "at '/extraArgs/0': 'not' failed"),
    "flag-of-debug": ({"extraArgs": ["--web.enable-debug"]}, "at '/extraArgs/0': 'not' failed"),
    "debug-is-text": ({"enableDebug": "yes"}, "at '/enableDebug': got string, want boolean"),
    "log-format": ({"logFormat": "xml"}, "at '/logFormat': value must be one of 'logfmt', 'json'"),
    "flag-with-a-space": ({"extraArgs": ["timeout-offset 1"]}, "at '/extraArgs/0': 'timeout-offset 1' does not match"),
    "file-outside": (
        {"config": {"data": {"modules": {}}, "files": [{"secret": "a", "items": {"b": "../c"}}]}},
        "at '/config/files/0/items/b': '../c' does not match pattern",
    ),
    "file-of-two": (
        {"config": {"data": {"modules": {}}, "files": [{"secret": "a", "configMap": "a", "items": {"b": "c"}}]}},
        "at '/config/files/0': 'oneOf' failed, subschemas 0, 1 matched",
    ),
    "external-url": (
        {"externalUrl": "exporter.example.net"},
        "at '/externalUrl': 'exporter.example.net' does not match pattern",
    ),
    "external-url-with-a-query": (
        {"externalUrl": "https://example.net/a?b"},
        "at '/externalUrl': 'https://example.net/a?b' does not match pattern",
    ),
    "route-prefix": ({"routePrefix": "/a//b"}, "at '/routePrefix': '/a//b' does not match pattern"),
    "prefix-by-a-flag": ({"extraArgs": ["--web.route-prefix=/a"]}, "at '/extraArgs/0': 'not' failed"),
    "nothing-to-discover": (
        {"probes": {"discovery": {"enabled": True}}},
        "probes.discovery: without a configuration file the exporter has no targets",
    ),
    "no-target-to-discover": (
        {"config": {"data": {"modules": {}}}, "probes": {"discovery": {"enabled": True}}},
        "probes.discovery: config.data.targets is empty",
    ),
    "name-of-the-discovery": (
        {
            "config": {"existingSecret": "a"},
            "probes": {"discovery": {"enabled": True}, "targets": [OXIDIZED | {"name": "discovery"}]},
        },
        'probes.targets: "discovery" is the name of the object of probes.discovery',
    ),
    "everybody-may-ask": (
        {"networkPolicy": OPEN | {"ingressFrom": []}},
        "at '/networkPolicy/ingressFrom': minItems: got 0, want 1",
    ),
    "anywhere-may-be-asked": (
        {"networkPolicy": {"enabled": True, "egress": [{"to": []}]}},
        "at '/networkPolicy/egress/0/to': minItems: got 0, want 1",
    ),
    "nowhere-may-be-asked": (
        {"networkPolicy": {"enabled": True}},
        "networkPolicy.egress: name where the Oxidized instances are",
    ),
    "two-configurations": (
        {"config": {"data": {"modules": {}}, "existingSecret": "a"}},
        "config.data and config.existingSecret: one configuration file is enough",
    ),
    "files-for-nobody": (
        {"config": {"files": [{"secret": "a", "items": {"b": "c"}}]}},
        "config.files: without a configuration file nothing names these files",
    ),
    "two-files-at-one-place": (
        {
            "config": {
                "existingSecret": "a",
                "files": [{"secret": "a", "items": {"b": "c"}}, {"configMap": "a", "items": {"b": "c"}}],
            }
        },
        'config.files: two files at "c"',
    ),
    "nothing-to-reload": ({"config": {"onChange": "reload"}}, "config.onChange: without a configuration file"),
    "two-of-one-name": ({"probes": {"targets": [OXIDIZED, OXIDIZED]}}, 'probes.targets: two are named "eu"'),
    "most-is-less-than-least": (
        {"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}},
        "autoscaling: maxReplicas is less than minReplicas",
    ),
    "key-of-the-configuration": (
        {"config": {"data": {"modules": {"default": {"device": "all"}}}}},
        "at '/config/data/modules/default': additional properties 'device' not allowed",
    ),
    "label-that-prometheus-keeps-for-itself": (
        {"config": {"data": {"targets": {"eu": {"url": "http://oxidized.example.net", "labels": {"__a": "b"}}}}}},
        "invalid propertyName '__a'",
    ),
    "label-that-series-have-already": (
        {"config": {"data": {"targets": {"eu": {"url": "http://oxidized.example.net", "labels": {"group": "b"}}}}}},
        "invalid propertyName 'group'",
    ),
    "nothing-to-take-a-percentage-of": (
        {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}},
        "autoscaling: without a requested CPU of each container",
    ),
    "nothing-of-the-sidecar-either": (
        {
            "autoscaling": {"enabled": True},
            "config": {
                "existingSecret": "a",
                "onChange": "reload",
                "reloader": {"resources": {"requests": {"cpu": None}}},
            },
        },
        "autoscaling: without a requested CPU of each container",
    ),
    "longer-than-the-interval": (
        {"probes": {"targets": [OXIDIZED | {"interval": "29s999ms"}]}},
        "probes.targets: eu: scrapeTimeout 30s is longer than the interval 29s999ms",
    ),
    "longer-than-the-monitor-s-interval": (
        {"serviceMonitor": {"interval": "1m", "scrapeTimeout": "1m1s"}},
        "serviceMonitor: scrapeTimeout 1m1s is longer than the interval 1m",
    ),
    "volume-of-the-chart": (
        {"extraVolumes": [{"name": "config", "emptyDir": {}}]},
        "at '/extraVolumes/0/name': 'not' failed",
    ),
    "flag-of-the-web-configuration": ({"extraArgs": ["--web.config.file=/a"]}, "at '/extraArgs/0': 'not' failed"),
    "volume-of-the-web-configuration": (
        {"extraVolumes": [{"name": "web-config", "emptyDir": {}}]},
        "at '/extraVolumes/0/name': 'not' failed",
    ),
    "tls-without-a-web-configuration": (
        {"webConfig": {"tls": True}},
        "webConfig.tls: without webConfig.existingSecret there is no web configuration",
    ),
    "files-without-a-web-configuration": (
        {"webConfig": {"files": [{"secret": "a", "items": {"b": "c"}}]}},
        "webConfig.files: without webConfig.existingSecret there is no web configuration",
    ),
    "two-files-beside-the-web-configuration": (
        {"webConfig": {"existingSecret": "a", "files": [{"secret": "a", "items": {"b": "web.yml"}}]}},
        'webConfig.files: two files at "web.yml"',
    ),
    "certificates-of-clients-without-tls": (
        {"webConfig": {"existingSecret": "a", "clientCertificates": True}},
        "webConfig.clientCertificates: without webConfig.tls there are none",
    ),
    "scraped-by-tls-without-tls": (
        {"webConfig": {"existingSecret": "a", "scrape": {"tlsConfig": {"insecureSkipVerify": True}}}},
        "webConfig.scrape.tlsConfig: without webConfig.tls Prometheus asks by http",
    ),
    "scraped-as-a-user-without-users": (
        {"webConfig": {"scrape": {"basicAuth": {"username": {"name": "a", "key": "b"}}}}},
        "webConfig.scrape.basicAuth: without webConfig.existingSecret there are no users",
    ),
    "password-among-the-values": (
        {"webConfig": {"existingSecret": "a", "scrape": {"basicAuth": {"password": "hunter2"}}}},
        "at '/webConfig/scrape/basicAuth/password': got string, want object",
    ),
    "reloaded-by-nobody": (
        {"config": {"existingSecret": "a", "onChange": "reload"}, "webConfig": {"existingSecret": "a"}},
        "config.onChange: the sidecar of reload is no user and has no certificate",
    ),
    "no-such-alert": (
        {"prometheusRule": {"enabled": True, "disabled": ["OxidisedDown"]}},
        'prometheusRule: no alert is named "OxidisedDown"',
    ),
    "no-such-field-of-an-alert": (
        {"prometheusRule": {"overrides": {"A": {"fro": "5m"}}}},
        "at '/prometheusRule/overrides/A': additional properties 'fro' not allowed",
    ),
}


@pytest.mark.parametrize("values,message", REFUSED.values(), ids=REFUSED)
def test_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        template(values)
    assert message in str(refused.value)


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
@pytest.mark.parametrize(
    "values,key",
    [
        ({"networkPolicy": OPEN | {"ingressFrom": None}}, "ingressFrom"),
        ({"config": {"data": {"modules": {}}, "existingSecret": None}}, "existingSecret"),
        ({"podLabels": None}, "podLabels"),
        ({"probes": None}, "probes"),
    ],
)
def test_a_value_that_is_null_is_missed(values: dict[str, Any], key: str, helm: str) -> None:
    """Helm takes null for a wish to have no such key."""
    with pytest.raises(RefusedError, match=rf"missing property '{key}'|{key} is required"):
        template(values, helm=helm)


@pytest.mark.parametrize(
    "connection,where",
    [
        ({"basic_auth": {"username": "a", "password": "geheim"}}, "basic_auth.password"),
        ({"authorization": {"credentials": "geheim"}}, "authorization.credentials"),
        ({"http_headers": {"X-Token": {"secrets": ["geheim"]}}}, "http_headers.X-Token.secrets"),
    ],
)
def test_a_secret_comes_into_no_config_map(connection: dict[str, Any], where: str) -> None:
    targets = {"targets": ["https://oxidized.example.net"]}
    data = {"connections": [{"targets": ["https://other.example.net"]}, targets | connection]}
    with pytest.raises(RefusedError) as refused:
        template({"config": {"data": data}})
    assert f"config.data.connections[1].{where}: a secret does not belong in a ConfigMap" in str(refused.value)
    assert "geheim" not in str(refused.value)
    kinds = {found["kind"] for found in template({"config": {"data": data, "inSecret": True}})}
    assert "Secret" in kinds
    assert "ConfigMap" not in kinds
