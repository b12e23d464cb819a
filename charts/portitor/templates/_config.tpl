{{/* The operator's file. All roles read the same one. */}}
{{- define "portitor.config" -}}
{{- $here := .Release.Namespace -}}
{{- $verifier := include "portitor.roleName" (dict "root" . "role" "verifier") -}}
{{- $tls := .Values.verifier.tls.existingSecret -}}
namespace: {{ $here | quote }}
log-level: {{ .Values.logging.level }}
log-format: {{ .Values.logging.format }}
gateway: {{ .Values.gateway.namespace }}/{{ .Values.gateway.name }}
{{- with .Values.gateway.section }}
gateway-section: {{ . | quote }}
{{- end }}
gateway-controller: {{ .Values.gateway.controller | quote }}
{{- with .Values.gateway.url }}
gateway-url: {{ . | quote }}
{{- end }}
verifier-url: {{ ternary "https" "http" (ne $tls "") }}://{{ $verifier }}.{{ $here }}.svc:{{ include "portitor.gatePort" . }}
verifier-service: {{ $here }}/{{ $verifier }}
{{- if .Values.discovery.enabled }}
discovery-service: {{ $here }}/{{ include "portitor.roleName" (dict "root" . "role" "controller") }}
{{- end }}
{{- with .Values.publicURL }}
public-url: {{ . | quote }}
{{- end }}
default-facilitator: {{ .Values.defaultFacilitator | quote }}
{{- if .Values.allowInsecureFacilitator }}
allow-insecure-facilitator: true
{{- end }}
{{- with .Values.limits.offersPerNamespace }}
offers-per-namespace: {{ int64 . }}
{{- end }}
shutdown-delay: {{ .Values.verifier.shutdownDelaySeconds }}s
{{- if $tls }}
tls-cert-file: /etc/portitor/tls/tls.crt
tls-key-file: /etc/portitor/tls/tls.key
{{- end }}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ kindIs "float64" $value | ternary (toString (int64 $value)) (toString $value) | quote }}
{{- end }}
{{- with .Values.publicHosts }}
publicHosts:
{{ toYaml . }}
{{- end }}
{{- with .Values.hosts }}
hosts:
{{ toYaml . }}
{{- end }}
{{- with .Values.facilitators }}
facilitators:
{{ toYaml . }}
{{- end }}
{{- with .Values.credentials }}
gate-key-file: /etc/portitor/gate-key/key
credentials:
{{- range . }}
- name: {{ .name | quote }}
  file: /etc/portitor/credentials/{{ .name }}
  namespaces: {{ toJson .namespaces }}
{{- end }}
{{- end }}
{{- with .Values.networks }}
networks:
{{ toYaml . }}
{{- end }}
{{- with .Values.chains }}
chains:
{{ toYaml . }}
{{- end }}
{{- with .Values.signers }}
signers:
{{ toYaml . }}
{{- end }}
{{- with .Values.identities }}
identities:
{{ toYaml . }}
{{- end }}
{{- end }}
