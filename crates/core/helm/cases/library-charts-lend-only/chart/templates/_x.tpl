a: {{ .Values.x }}
