{{/* Names, labels and other small things. Most take a dict of "root" (the chart's context) and "role". */}}

{{- define "portitor.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "portitor.roleName" -}}
{{ include "portitor.fullname" .root }}-{{ .role }}
{{- end }}

{{/* What selects a role's pods. It can never be changed, so nothing that changes belongs here. */}}
{{- define "portitor.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "portitor.labels" -}}
{{ include "portitor.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: portitor
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The metadata of <fullname>-<role>; without a namespace where "cluster" is set. */}}
{{- define "portitor.metadata" -}}
name: {{ include "portitor.roleName" . }}
{{- if not .cluster }}
namespace: {{ .root.Release.Namespace }}
{{- end }}
labels:
  {{- include "portitor.labels" . | nindent 2 }}
{{- end }}

{{- define "portitor.serviceAccountName" -}}
{{- (index .root.Values .role).serviceAccount.name | default (include "portitor.roleName" .) -}}
{{- end }}

{{/* The role's account, as the API server calls it. */}}
{{- define "portitor.userName" -}}
system:serviceaccount:{{ .root.Release.Namespace }}:{{ include "portitor.serviceAccountName" . }}
{{- end }}

{{/* Binds "kind" (Role or ClusterRole) <fullname>-<role> to the role's account. */}}
{{- define "portitor.binding" -}}
{{- $cluster := eq .kind "ClusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  {{- include "portitor.metadata" (merge (dict "cluster" $cluster) .) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ include "portitor.roleName" . }}
subjects:
- kind: ServiceAccount
  name: {{ include "portitor.serviceAccountName" . }}
  namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/* Takes an image's values. */}}
{{- define "portitor.image" -}}
{{- $image := .image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* The verifier's port, whose name is "gate" everywhere. */}}
{{- define "portitor.gatePort" -}}
{{ ternary 8443 8080 (ne .Values.verifier.tls.existingSecret "") }}
{{- end }}
