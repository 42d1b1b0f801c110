// Records what Helm's engine (v3.20.2) makes of templates. Reads lines {"template", "values"?, "partials"?} and writes
// them back with "expected" or "error"; without values, those of ../values.json. Chart x 1.2.3, release rel in ns,
// Kubernetes 1.31.0.
//
//	cd cases/recorder && go run . < ../answers.jsonl > ../new.jsonl && mv ../new.jsonl ../answers.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

type line struct {
	Template string            `json:"template"`
	Values   json.RawMessage   `json:"values,omitempty"`
	Partials map[string]string `json:"partials,omitempty"`
	Files    map[string]string `json:"files,omitempty"`
	Expected *string           `json:"expected,omitempty"`
	Error    *string           `json:"error,omitempty"`
}

var shared []byte

func render(l *line) (out string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	values := map[string]interface{}{}
	text := []byte(l.Values)
	if text == nil {
		text = shared
	}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return "", err
	}
	c := &chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: "v2", Name: "x", Version: "1.2.3", AppVersion: "4.5", Description: "d"},
		Templates: []*chart.File{{Name: "templates/case.yaml", Data: []byte(l.Template)}},
		Values:    values,
	}
	for name, text := range l.Partials {
		c.Templates = append(c.Templates, &chart.File{Name: "templates/" + name, Data: []byte(text)})
	}
	for name, text := range l.Files {
		c.Files = append(c.Files, &chart.File{Name: name, Data: []byte(text)})
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = chartutil.KubeVersion{Version: "v1.31.0", Major: "1", Minor: "31"}
	vals, err := chartutil.ToRenderValues(c, nil, chartutil.ReleaseOptions{Name: "rel", Namespace: "ns", Revision: 1, IsInstall: true}, caps)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, vals)
	return files["x/templates/case.yaml"], err
}

func main() {
	shared, _ = os.ReadFile("../values.json")
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			panic(err)
		}
		out, err := render(&l)
		l.Expected, l.Error = nil, nil
		if err != nil {
			text := err.Error()
			l.Error = &text
		} else {
			l.Expected = &out
		}
		enc.Encode(l)
	}
}
