{{- define "portitor.controller.pod" -}}
ports:
- name: discovery
  containerPort: 8080
{{- if .Values.credentials }}
volumeMounts:
{{ include "portitor.gateKeyMount" . }}
volumes:
{{ include "portitor.gateKeyVolume" . }}
{{- end }}
{{- end }}
