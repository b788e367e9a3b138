{{- define "oxidized-exporter.configDirectory" -}}/etc/oxidized_exporter{{- end -}}

{{- /* Whether there is a configuration file at all: not empty, or empty. */ -}}
{{- define "oxidized-exporter.hasConfig" -}}
{{- with .Values.config -}}
{{- if or .data .existingConfigMap .existingSecret }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{- define "oxidized-exporter.webConfigDirectory" -}}/etc/oxidized_exporter_web{{- end -}}

{{- define "oxidized-exporter.webConfigFlag" -}}
--web.config.file={{ include "oxidized-exporter.webConfigDirectory" . }}/web.yml
{{- end -}}

{{- /* The volume's sources: the configuration file, and what it names, in one directory. */ -}}
{{- define "oxidized-exporter.configSources" -}}
{{- $config := .Values.config -}}
{{- $kind := ternary "secret" "configMap" (or $config.inSecret (ne $config.existingSecret "")) -}}
{{- $name := coalesce $config.existingSecret $config.existingConfigMap (include "oxidized-exporter.fullname" .) -}}
- {{ $kind }}:
    name: {{ $name | quote }}
    items:
      - {key: {{ ternary "config.yml" $config.key (not (empty $config.data)) | quote }}, path: config.yml}
{{- include "oxidized-exporter.fileSources" $config.files -}}
{{- end -}}

{{- /* The same of the web configuration. */ -}}
{{- define "oxidized-exporter.webConfigSources" -}}
- secret:
    name: {{ .existingSecret | quote }}
    items:
      - {key: {{ .key | quote }}, path: web.yml}
{{- include "oxidized-exporter.fileSources" .files -}}
{{- end -}}

{{- define "oxidized-exporter.fileSources" -}}
{{- range . }}
- {{ ternary "secret" "configMap" (hasKey . "secret") }}:
    name: {{ default .configMap .secret | quote }}
    items:
      {{- range $key, $path := .items }}
      - {key: {{ $key | quote }}, path: {{ $path | quote }}}
      {{- end }}
{{- end }}
{{- end -}}

{{- /* What a probe of the pod asks. Where certificates of clients are required the kubelet could only see whether the port is
open, so the pod asks itself; whether it is ready, the port says well enough: it closes when the pod ends. */ -}}
{{- define "oxidized-exporter.probe" -}}
{{- $web := .root.Values.webConfig -}}
{{- if not $web.clientCertificates -}}
httpGet: {path: {{ include "oxidized-exporter.routePrefix" .root }}{{ .path }}, port: http{{ if $web.tls }}, scheme: HTTPS{{ end }}}
{{- else if eq .path "/-/ready" -}}
tcpSocket: {port: http}
{{- else -}}
exec:
  command:
    - oxidized-exporter
    - healthcheck
    - --web.listen-address=:10888
    - {{ include "oxidized-exporter.webConfigFlag" .root }}
    {{- with include "oxidized-exporter.routePrefix" .root }}
    - {{ print "--web.route-prefix=" . | quote }}
    {{- end }}
{{- end -}}
{{- end -}}

{{- /* How Prometheus shows who it is. */ -}}
{{- define "oxidized-exporter.scrape" -}}
{{- with .tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .basicAuth }}
basicAuth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
