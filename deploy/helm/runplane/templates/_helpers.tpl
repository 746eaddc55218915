{{- define "runplane.name" -}}
{{- ternary .Release.Name (printf "%s-runplane" .Release.Name) (contains "runplane" .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "runplane.selector" -}}
app.kubernetes.io/name: runplane
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "runplane.labels" -}}
{{ include "runplane.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "runplane.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}
