{{- /* What no schema can say of several values together. */ -}}
{{- define "oxidized-exporter.checkValues" -}}
{{- $config := .Values.config -}}
{{- $given := list -}}
{{- range $name := list "data" "existingConfigMap" "existingSecret" -}}
{{- if get $config $name -}}{{- $given = append $given $name -}}{{- end -}}
{{- end -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "config.%s: one configuration file is enough" (join " and config." $given)) -}}
{{- end -}}
{{- if and $config.inSecret (not $config.data) -}}
{{- fail "config.inSecret: without config.data there is nothing to keep in a Secret" -}}
{{- end -}}
{{- if and $config.files (not $given) -}}
{{- fail "config.files: without a configuration file nothing names these files" -}}
{{- end -}}
{{- if and (eq $config.onChange "reload") (not $given) -}}
{{- fail "config.onChange: without a configuration file there is nothing to reload" -}}
{{- end -}}
{{- include "oxidized-exporter.checkFiles" (list "config.files" "config.yml" $config.files) -}}
{{- $web := .Values.webConfig -}}
{{- include "oxidized-exporter.checkFiles" (list "webConfig.files" "web.yml" $web.files) -}}
{{- if not $web.existingSecret -}}
{{- range $name := list "files" "tls" "clientCertificates" -}}
{{- if get $web $name -}}{{- fail (printf "webConfig.%s: without webConfig.existingSecret there is no web configuration" $name) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $web.clientCertificates (not $web.tls) -}}
{{- fail "webConfig.clientCertificates: without webConfig.tls there are none" -}}
{{- end -}}
{{- if and $web.scrape.tlsConfig (not $web.tls) -}}
{{- fail "webConfig.scrape.tlsConfig: without webConfig.tls Prometheus asks by http" -}}
{{- end -}}
{{- if and $web.scrape.basicAuth (not $web.existingSecret) -}}
{{- fail "webConfig.scrape.basicAuth: without webConfig.existingSecret there are no users" -}}
{{- end -}}
{{- if and $web.existingSecret (eq $config.onChange "reload") -}}
{{- fail "config.onChange: the sidecar of reload is no user and has no certificate, which webConfig may ask for; write restart or none" -}}
{{- end -}}
{{- if not $config.inSecret -}}
{{- range $number, $connection := $config.data.connections -}}
{{- $found := list -}}
{{- if ($connection.basic_auth).password -}}{{- $found = append $found "basic_auth.password" -}}{{- end -}}
{{- if ($connection.authorization).credentials -}}{{- $found = append $found "authorization.credentials" -}}{{- end -}}
{{- range $name, $header := $connection.http_headers -}}
{{- if $header.secrets -}}{{- $found = append $found (printf "http_headers.%s.secrets" $name) -}}{{- end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "config.data.connections[%d].%s: a secret does not belong in a ConfigMap; name a file of config.files, or set config.inSecret" $number (join " and " $found)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) -}}
{{- fail "networkPolicy.egress: name where the Oxidized instances are; without it none can be reached" -}}
{{- end -}}
{{- $none := list "0" "0%" -}}
{{- if and (has (toString .Values.rollingUpdate.maxSurge) $none) (has (toString .Values.rollingUpdate.maxUnavailable) $none) -}}
{{- fail "rollingUpdate: with both at 0 no pod can ever be replaced" -}}
{{- end -}}
{{- $probes := .Values.probes -}}
{{- if and $probes.discovery.enabled (not $given) -}}
{{- fail "probes.discovery: without a configuration file the exporter has no targets to tell of" -}}
{{- end -}}
{{- if and $probes.discovery.enabled $config.data (not $config.data.targets) -}}
{{- fail "probes.discovery: config.data.targets is empty, so the exporter has none to tell of" -}}
{{- end -}}
{{- $names := list -}}
{{- $series := list -}}
{{- range $probes.targets -}}
{{- if and $probes.discovery.enabled (eq .name "discovery") -}}
{{- fail "probes.targets: \"discovery\" is the name of the object of probes.discovery" -}}
{{- end -}}
{{- if has .name $names -}}{{- fail (printf "probes.targets: two are named %q" .name) -}}{{- end -}}
{{- $names = append $names .name -}}
{{- range $label := keys (default (dict) .labels) | sortAlpha -}}
{{- if regexMatch "^(__.*|job|instance|target|full_name|name|group|model|ip|status|check|reason|collector|oxidized_version|web_version)$" $label -}}
{{- fail (printf "probes.targets: the label %q is not yours to set: Prometheus or the series have one of that name" $label) -}}
{{- end -}}
{{- end -}}
{{- $labels := default (dict) .labels | toJson -}}
{{- range .targets -}}
{{- $one := print . " " $labels -}}
{{- if has $one $series -}}
{{- fail (printf "probes.targets: %q stands in two entries with the same labels: its series would be the same" .) -}}
{{- end -}}
{{- $series = append $series $one -}}
{{- end -}}
{{- $times := list (default $probes.scrapeTimeout .scrapeTimeout) (default $probes.interval .interval) -}}
{{- include "oxidized-exporter.checkTimes" (prepend $times (printf "probes.targets: %s" .name)) -}}
{{- end -}}
{{- with .Values.serviceMonitor -}}
{{- include "oxidized-exporter.checkTimes" (list "serviceMonitor" .scrapeTimeout .interval) -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (lt (int .maxReplicas) (int .minReplicas)) -}}
{{- fail "autoscaling: maxReplicas is less than minReplicas" -}}
{{- end -}}
{{- $sidecar := ternary $config.reloader.resources $.Values.resources (eq $config.onChange "reload") -}}
{{- range $resources := list $.Values.resources $sidecar -}}
{{- /* Where none is requested, Kubernetes takes the limit. */ -}}
{{- if and $.Values.autoscaling.enabled (not (or ($resources.requests).cpu ($resources.limits).cpu)) -}}
{{- fail "autoscaling: without a requested CPU of each container there is nothing to take a percentage of" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The Prometheus Operator leaves out, and only logs, what has a time-out longer than its interval. */ -}}
{{- define "oxidized-exporter.checkTimes" -}}
{{- $where := index . 0 -}}
{{- $timeout := index . 1 -}}
{{- $interval := index . 2 -}}
{{- if and $timeout $interval -}}
{{- if gt (include "oxidized-exporter.milliseconds" $timeout | int64) (include "oxidized-exporter.milliseconds" $interval | int64) -}}
{{- fail (printf "%s: scrapeTimeout %s is longer than the interval %s" $where $timeout $interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "oxidized-exporter.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 "y" 31536000000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|[smhdwy])" . -1 -}}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" . | int64) (get $units (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{- /* Of files in one folder, none is at the place of another one. */ -}}
{{- define "oxidized-exporter.checkFiles" -}}
{{- $where := index . 0 -}}
{{- $paths := list (index . 1) -}}
{{- range index . 2 -}}
{{- range $path := values .items | sortAlpha -}}
{{- range $other := $paths -}}
{{- if eq $path $other -}}{{- fail (printf "%s: two files at %q" $where $path) -}}{{- end -}}
{{- if or (hasPrefix (print $path "/") $other) (hasPrefix (print $other "/") $path) -}}
{{- fail (printf "%s: of %q and %q one is a folder of the other" $where $other $path) -}}
{{- end -}}
{{- end -}}
{{- $paths = append $paths $path -}}
{{- end -}}
{{- end -}}
{{- end -}}
