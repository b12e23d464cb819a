{{/*
What the pods of all roles share. A role's own part is the YAML of "portitor.<role>.pod", any of: args, env, ports,
volumes, volumeMounts, terminationGracePeriodSeconds.
*/}}
{{- define "portitor.pod" -}}
{{- $root := .root -}}
{{- $values := index $root.Values .role -}}
{{- $own := include (printf "portitor.%s.pod" .role) $root | fromYaml -}}
{{- $inner := mergeOverwrite (deepCopy $root.Values.containerSecurityContext) $values.containerSecurityContext -}}
metadata:
  labels:
    {{- include "portitor.selectorLabels" . | nindent 4 }}
    {{- with mergeOverwrite (deepCopy $root.Values.commonLabels) $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # The file is read at the start only.
    checksum/config: {{ include "portitor.config" $root | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "portitor.serviceAccountName" . | quote }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $own.terminationGracePeriodSeconds }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  securityContext:
    {{- toYaml (mergeOverwrite (deepCopy $root.Values.securityContext) $values.securityContext) | nindent 4 }}
  containers:
  - name: {{ .role }}
    image: {{ include "portitor.image" . | quote }}
    imagePullPolicy: {{ (include "portitor.imageValues" . | fromYaml).pullPolicy }}
    args:
    - --role={{ .role }}
    - --config=/etc/portitor/config/portitor.yaml
    {{- with concat ($own.args | default list) $values.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    env:
    # Who holds a Lease: a container that is restarted in its pod goes on at once.
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: POD_UID
      valueFrom: {fieldRef: {fieldPath: metadata.uid}}
    {{- with concat ($own.env | default list) $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    ports:
    {{- with $own.ports }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    - name: health
      containerPort: 8081
    livenessProbe:
      httpGet: {path: /healthz, port: health}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: /readyz, port: health}
      periodSeconds: 2
      timeoutSeconds: 2
    resources:
      {{- toYaml $values.resources | nindent 6 }}
    securityContext:
      {{- toYaml $inner | nindent 6 }}
    volumeMounts:
    - name: config
      mountPath: /etc/portitor/config
      readOnly: true
    {{- with concat ($own.volumeMounts | default list) $values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
  - name: config
    {{- include "portitor.configVolume" $root | nindent 4 }}
  {{- with concat ($own.volumes | default list) $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- with $values.topologySpreadConstraints }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "portitor.selectorLabels" . | nindent 10 }}
    {{- end }}
{{- end }}

{{/* What comes before a Deployment's pod template. No role ever has fewer pods ready than it should, but a verifier whose
record is on a volume. */}}
{{- define "portitor.deploymentSpec" -}}
replicas: {{ int64 (index .root.Values .role).replicas }}
revisionHistoryLimit: 3
strategy:
{{- if and (eq .role "verifier") .root.Values.ledger.persistence.enabled }}
  # A file is one process's: the old pod ends before the new one begins.
  type: Recreate
{{- else }}
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
{{- end }}
selector:
  matchLabels:
    {{- include "portitor.selectorLabels" . | nindent 4 }}
{{- end }}

{{/* Where the operator's file is from: the chart's ConfigMap, or a Secret of his own. */}}
{{- define "portitor.configVolume" -}}
{{- with .Values.existingConfigSecret -}}
{{- if .name -}}
secret:
  secretName: {{ .name | quote }}
  defaultMode: 0440
  items: [{key: {{ .key | quote }}, path: portitor.yaml}]
{{- else -}}
configMap:
  name: {{ include "portitor.roleName" (dict "root" $ "role" "config") }}
{{- end }}
{{- end }}
{{- end }}
