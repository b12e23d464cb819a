{{- define "portitor.verifier.pod" -}}
{{- $tls := .Values.verifier.tls.existingSecret -}}
{{- $credentials := .Values.credentials -}}
# The delay, then up to 25 s for the payments under way.
terminationGracePeriodSeconds: {{ add .Values.verifier.shutdownDelaySeconds 35 }}
ports:
- name: gate
  containerPort: {{ include "portitor.gatePort" . }}
{{- if $tls }}
args:
- --listen=:{{ include "portitor.gatePort" . }}
{{- end }}
{{- if not (hasKey .Values.settings "threads") }}
env:
# One thread for each CPU that it may use, not for each that the node has.
- name: PORTITOR_THREADS
  valueFrom: {resourceFieldRef: {containerName: verifier, resource: limits.cpu}}
{{- end }}
{{- if or $tls $credentials }}
volumeMounts:
{{- if $tls }}
- name: tls
  mountPath: /etc/portitor/tls
  readOnly: true
{{- end }}
{{- if $credentials }}
- name: credentials
  mountPath: /etc/portitor/credentials
  readOnly: true
{{ include "portitor.gateKeyMount" . }}
{{- end }}
volumes:
{{- with $tls }}
- name: tls
  secret:
    secretName: {{ . | quote }}
    defaultMode: 0440
{{- end }}
{{- with $credentials }}
- name: credentials
  projected:
    defaultMode: 0440
    sources:
    {{- range . }}
    - secret:
        name: {{ .existingSecret | quote }}
        items: [{key: {{ .key | quote }}, path: {{ .name | quote }}}]
    {{- end }}
{{ include "portitor.gateKeyVolume" $ }}
{{- end }}
{{- end }}
{{- end }}
