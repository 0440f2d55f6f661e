{{/* An image by its values: override wins, else repository[:tag][@digest]. */}}
{{- define "image" -}}
{{- if .override -}}
{{ .override }}
{{- else -}}
{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ if and .useDigest .digest }}@{{ .digest }}{{ end }}
{{- end -}}
{{- end }}

{{/* The operator has one image for each kind of cloud; cluster-pool needs the generic one. */}}
{{- define "operator.image" -}}
{{- $repository := printf "%s-generic%s" .repository (default "" .suffix) -}}
{{- include "image" (merge (dict "repository" $repository "digest" .genericDigest) .) -}}
{{- end }}

{{/* How agents and operator reach the API server and know where they run. */}}
{{- define "cluster.env" -}}
- name: K8S_NODE_NAME
  valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
- name: CILIUM_K8S_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
{{- with .Values.k8sServiceHost }}
- name: KUBERNETES_SERVICE_HOST
  value: {{ . | quote }}
{{- end }}
{{- with .Values.k8sServicePort }}
- name: KUBERNETES_SERVICE_PORT
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Annotations of a pod template: the user's and, when asked for, the checksum of its ConfigMap. */}}
{{- define "pod.annotations" -}}
{{- $annotations := deepCopy (default dict .own) -}}
{{- if .rollOut -}}
{{- $_ := set $annotations .key (include (print .root.Template.BasePath .config) .root | sha256sum) -}}
{{- end -}}
{{- with $annotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end }}

{{/* Where a pod may run. */}}
{{- define "pod.placement" -}}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
