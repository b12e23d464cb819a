{{- define "portitor.verifier.pod" -}}
{{- $tls := .Values.verifier.tls.existingSecret -}}
{{- $credentials := .Values.credentials -}}
# The delay, then up to 25 s for the payments under way, 10 s for the record of them, 2 s for admissions; some to spare.
terminationGracePeriodSeconds: {{ add .Values.verifier.shutdownDelaySeconds 45 }}
ports:
- name: gate
  containerPort: {{ include "portitor.gatePort" . }}
{{- if $tls }}
args:
- --listen=:{{ include "portitor.gatePort" . }}
{{- end }}
env:
# In the environment, where `kubectl exec` finds it too.
- name: PORTITOR_LEDGER
  value: /var/lib/portitor/ledger.db
- name: PORTITOR_LEDGER_RETENTION
  value: {{ .Values.ledger.retention | quote }}
- name: PORTITOR_LEDGER_MAX_SIZE
  value: {{ .Values.ledger.maxSize | quote }}
- name: PORTITOR_CONFIG
  value: /etc/portitor/config/portitor.yaml
{{- if not (hasKey .Values.settings "threads") }}
# One thread for each CPU that it may use, not for each that the node has.
- name: PORTITOR_THREADS
  valueFrom: {resourceFieldRef: {containerName: verifier, resource: limits.cpu}}
{{- end }}
volumeMounts:
- name: ledger
  mountPath: /var/lib/portitor
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
- name: ledger
{{- if .Values.ledger.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "portitor.ledgerClaim" . | quote }}
{{- else }}
  emptyDir: {}
{{- end }}
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

{{/* The claim of the volume that the record of payments is kept on. */}}
{{- define "portitor.ledgerClaim" -}}
{{- .Values.ledger.persistence.existingClaim | default (include "portitor.roleName" (dict "root" . "role" "verifier")) -}}
{{- end }}

{{/* A size such as 4Gi in Mi. */}}
{{- define "portitor.mebibytes" -}}
{{- $factor := index (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (substr (int (sub (len .) 2)) (len .) .) -}}
{{- mul $factor (int (substr 0 (int (sub (len .) 2)) .)) -}}
{{- end }}
