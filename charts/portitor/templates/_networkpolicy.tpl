{{/* One role's NetworkPolicy: what is asked of it, and what all roles need, around the role's "ingress" and "egress". */}}
{{- define "portitor.networkPolicy" -}}
{{- $common := .root.Values.networkPolicy -}}
{{- $own := (index .root.Values .role).networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "portitor.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "portitor.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
  # Probes and metrics.
  - ports: [{port: health}]
    {{- with $common.metricsFrom }}
    from:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- with .ingress }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $own.extraIngress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  egress:
  {{- include "portitor.egressOfAll" .root | nindent 2 }}
  {{- with .egress }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $own.extraEgress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* DNS and the API server. */}}
{{- define "portitor.egressOfAll" -}}
{{- $common := .Values.networkPolicy -}}
- ports:
  {{- range $common.dnsPorts }}
  - {port: {{ . }}, protocol: UDP}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
  {{- with $common.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
- ports:
  {{- range $common.apiServerPorts }}
  - port: {{ . }}
  {{- end }}
  {{- with $common.apiServerTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Lets the gateway reach "port". */}}
{{- define "portitor.fromGateway" -}}
- ports: [{port: {{ .port }}}]
  from:
  {{- with .root.Values.networkPolicy.gatewayFrom }}
    {{- toYaml . | nindent 4 }}
  {{- else }}
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .root.Values.gateway.namespace | quote }}
  {{- end }}
{{- end }}

{{/* The ports that the URLs of a list name or mean, wherever they lead. */}}
{{- define "portitor.toPortsOf" -}}
{{- $ports := list -}}
{{- range . -}}
{{- $usual := ternary "443" "80" (hasPrefix "https:" (lower .)) -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" | default $usual) -}}
{{- end -}}
{{- with $ports | uniq | sortAlpha -}}
- ports:
  {{- range . }}
  - port: {{ int64 . }}
  {{- end }}
{{- end -}}
{{- end }}

{{/* What the values' chains have as nodes. As JSON. */}}
{{- define "portitor.nodeURLs" -}}
{{- $urls := list -}}
{{- range .Values.chains -}}
{{- $urls = concat $urls (list .rpcURL | compact) (.rpcURLs | default list) -}}
{{- end -}}
{{- toJson $urls -}}
{{- end }}

{{/* The URLs of all facilitators. As JSON. */}}
{{- define "portitor.facilitatorURLs" -}}
{{- $urls := list -}}
{{- range .Values.facilitators }}{{- $urls = append $urls .url }}{{- end -}}
{{- if contains "://" .Values.defaultFacilitator }}{{- $urls = append $urls .Values.defaultFacilitator }}{{- end -}}
{{- toJson $urls -}}
{{- end }}
