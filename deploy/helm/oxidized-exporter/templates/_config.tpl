{{- define "oxidized-exporter.configDirectory" -}}/etc/oxidized_exporter{{- end -}}

{{- /* Whether there is a configuration file at all: not empty, or empty. */ -}}
{{- define "oxidized-exporter.hasConfig" -}}
{{- with .Values.config -}}
{{- if or .data .existingConfigMap .existingSecret }}yes{{ end -}}
{{- end -}}
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
{{- range $config.files }}
- {{ ternary "secret" "configMap" (hasKey . "secret") }}:
    name: {{ default .configMap .secret | quote }}
    items:
      {{- range $key, $path := .items }}
      - {key: {{ $key | quote }}, path: {{ $path | quote }}}
      {{- end }}
{{- end }}
{{- end -}}
