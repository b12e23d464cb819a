{{- define "portitor.registrar.pod" -}}
{{- if eq .Values.registrar.kind "Job" }}
args:
- --until-done
{{- end }}
{{- with .Values.registrar.key.existingSecret }}
volumeMounts:
- name: key
  mountPath: /etc/portitor/key
  readOnly: true
volumes:
- name: key
  secret:
    secretName: {{ . | quote }}
    defaultMode: 0440
{{- end }}
{{- end }}
