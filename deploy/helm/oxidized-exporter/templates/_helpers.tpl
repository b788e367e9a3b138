{{- /* A Service's name is a DNS label that begins with a letter; a release's name may hold dots and begin with a digit. */ -}}
{{- define "oxidized-exporter.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $full = .Values.fullnameOverride -}}
{{- else if not (contains $name .Release.Name) -}}
{{- $full = printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- $full = $full | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- if regexMatch "^[0-9]" $full -}}
{{- fail (printf "the name %q begins with a digit, as no Service's may: set fullnameOverride" $full) -}}
{{- end -}}
{{- $full -}}
{{- end -}}

{{- define "oxidized-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* The chart's own labels come last: nothing of the values may take a selector's place. */ -}}
{{- define "oxidized-exporter.labels" -}}
{{- $own := include "oxidized-exporter.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- mergeOverwrite (deepCopy .Values.commonLabels) $own | toYaml -}}
{{- end -}}

{{- define "oxidized-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "oxidized-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "oxidized-exporter.image" -}}
{{- .Values.image.repository -}}:{{- default .Chart.AppVersion .Values.image.tag -}}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- /* Where Prometheus reaches the Service, from whatever namespace. */ -}}
{{- define "oxidized-exporter.address" -}}
{{- printf "%s.%s.svc:%d" (include "oxidized-exporter.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}

{{- /* In front of all routes: empty, or with a slash in front and none at its end. As the exporter takes its flags. */ -}}
{{- define "oxidized-exporter.routePrefix" -}}
{{- with default (get (urlParse .Values.externalUrl) "path") .Values.routePrefix | trimAll "/" -}}/{{ . }}{{- end -}}
{{- end -}}

{{- /* Name of one of several objects; cut in the middle, so that what tells them apart stays. */ -}}
{{- define "oxidized-exporter.nameOf" -}}
{{- $room := sub 62 (len .name) | int -}}
{{- printf "%s-%s" (include "oxidized-exporter.fullname" .root | trunc $room | trimSuffix "-") .name -}}
{{- end -}}
