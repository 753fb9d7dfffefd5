{{- define "preamble.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "preamble.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 56 | trimSuffix "-" }}
{{- else if contains (include "preamble.name" .) .Release.Name }}
{{- .Release.Name | trunc 56 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "preamble.name" .) | trunc 56 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "preamble.selector" -}}
app.kubernetes.io/name: {{ include "preamble.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "preamble.labels" -}}
{{ include "preamble.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "preamble.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "preamble.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "preamble.fullname" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* preamble.yaml: the values' config, with listeners that the probes and Services of this chart find. */}}
{{- define "preamble.config" -}}
{{- $listen := dict "host" .Values.listenHost "port" 8080 -}}
{{- $admin := dict "host" .Values.listenHost "port" 8081 -}}
{{- if .Values.adminService.passwordSecret -}}
{{- $_ := set $admin "password" (dict "file" "/run/secrets/preamble-admin/password") -}}
{{- end -}}
{{- $config := merge (dict "listen" $listen "admin" $admin) (deepCopy .Values.config) -}}
{{- if .Values.prompts.volume -}}
{{- $_ := set $config "promptDirectories" (append (default (list) $config.promptDirectories) "/var/lib/preamble/prompts") -}}
{{- end -}}
{{- if eq (include "preamble.keepsRollouts" .) "true" -}}
{{- $config = merge $config (dict "rollouts" (dict "stateFile" "/var/cache/preamble/rollouts.json")) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Without Redis one gateway can keep rollouts in its cache, if that is a claim: were they gone with the pod, an aborted version could come back. */}}
{{- define "preamble.keepsRollouts" -}}
{{- $single := and (not .Values.autoscaling.enabled) (eq (int .Values.replicas) 1) -}}
{{- and (not .Values.config.redis) $single (not (empty .Values.cache.volume.persistentVolumeClaim)) -}}
{{- end }}

{{/* The pause, the half second in which requests are turned away in words, the drain, and a margin before SIGKILL. */}}
{{- define "preamble.gracePeriod" -}}
{{- $limits := default (dict) .Values.config.limits -}}
{{- add .Values.preStopSeconds (default 25 $limits.drainSeconds) 5 -}}
{{- end }}

{{- define "preamble.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "preamble.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}
