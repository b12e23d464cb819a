{{- define "portitor.registrar.pod" -}}
{{- with .Values.registrar.key.existingSecret }}
volumeMounts:
- name: key
  mountPath: /etc/portitor/key
  readOnly: true
volumes:
- name: key
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end }}
