{{- define "portitor.registrar.pod" -}}
{{- $key := .Values.registrar.key -}}
{{- $signer := .Values.registrar.signer -}}
args:
{{- if eq .Values.registrar.kind "Job" }}
- --until-done
{{- end }}
- --min-interval={{ .Values.registrar.minInterval }}
- --low-balance={{ .Values.registrar.lowBalance }}
{{- if $key.existingSecret }}
- --key-file=/etc/portitor/key/keystore.json
- --key-password-file=/etc/portitor/key/password
{{- end }}
{{- if $signer.url }}
- {{ printf "--signer-url=%s" $signer.url | quote }}
- --signer-address={{ $signer.address }}
- --signer-api={{ $signer.api }}
{{- if $signer.tokenSecret.name }}
- --signer-token-file=/etc/portitor/signer/token
{{- end }}
{{- end }}
{{- if or $key.existingSecret $signer.tokenSecret.name }}
volumeMounts:
{{- if $key.existingSecret }}
- name: key
  mountPath: /etc/portitor/key
  readOnly: true
{{- end }}
{{- if $signer.tokenSecret.name }}
- name: signer
  mountPath: /etc/portitor/signer
  readOnly: true
{{- end }}
volumes:
{{- if $key.existingSecret }}
- name: key
  secret:
    secretName: {{ $key.existingSecret | quote }}
    defaultMode: 0440
    items:
    - {key: {{ $key.keystoreKey | quote }}, path: keystore.json}
    - {key: {{ $key.passwordKey | quote }}, path: password}
{{- end }}
{{- with $signer.tokenSecret }}
{{- if .name }}
- name: signer
  secret:
    secretName: {{ .name | quote }}
    defaultMode: 0440
    items: [{key: {{ .key | quote }}, path: token}]
{{- end }}
{{- end }}
{{- end }}
{{- end }}
