{{/* Names, labels and other small things. Most take a dict of "root" (the chart's context) and "role". */}}

{{/* A release may have dots in its name, a Service may not. */}}
{{- define "portitor.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "portitor.roleName" -}}
{{ include "portitor.fullname" .root }}-{{ .role }}
{{- end }}

{{/* What selects a role's pods. It can never be changed, so nothing that changes belongs here. */}}
{{- define "portitor.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
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
namespace: {{ .root.Release.Namespace | quote }}
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
  name: {{ include "portitor.serviceAccountName" . | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
{{- end }}

{{/*
A role's image, as YAML of the values. What names another image than that of all roles has no use for their digest.
*/}}
{{- define "portitor.imageValues" -}}
{{- $image := deepCopy .root.Values.image -}}
{{- $own := (index .root.Values .role).image -}}
{{- if or $own.registry $own.repository $own.tag -}}
{{- $_ := set $image "digest" "" -}}
{{- end -}}
{{- toYaml (mergeOverwrite $image $own) -}}
{{- end }}

{{- define "portitor.image" -}}
{{- $image := include "portitor.imageValues" . | fromYaml -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* The verifier's port, whose name is "gate" everywhere. */}}
{{- define "portitor.gatePort" -}}
{{ ternary 8443 8080 (ne .Values.verifier.tls.existingSecret "") }}
{{- end }}

{{/* The secret by which the verifier knows the gateway, in the pods of those who share it. */}}
{{- define "portitor.gateKeyMount" -}}
- name: gate-key
  mountPath: /etc/portitor/gate-key
  readOnly: true
{{- end }}

{{- define "portitor.gateKeyVolume" -}}
- name: gate-key
  secret:
    secretName: {{ .Values.gateKey.existingSecret | default (include "portitor.roleName" (dict "root" . "role" "gate-key")) | quote }}
    defaultMode: 0440
    items: [{key: {{ ternary .Values.gateKey.key "key" (ne .Values.gateKey.existingSecret "") | quote }}, path: key}]
{{- end }}
