{{- define "portitor.controller.pod" -}}
ports:
- name: discovery
  containerPort: 8080
{{- end }}
