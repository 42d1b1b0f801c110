package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// reads JSON lines {"decode": "..."} or {"encode": <value>} ; writes cases
func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<24), 1<<24)
	for in.Scan() {
		var c map[string]json.RawMessage
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		out := map[string]any{}
		if raw, ok := c["decode"]; ok {
			var text string
			_ = json.Unmarshal(raw, &text)
			out["decode"] = text
			j, err := yaml.YAMLToJSON([]byte(text))
			if err != nil {
				out["error"] = err.Error()
			} else {
				out["json"] = string(j)
			}
		} else {
			var v any
			_ = json.Unmarshal(c["encode"], &v)
			out["encode"] = c["encode"]
			y, err := yaml.JSONToYAML(c["encode"])
			if err != nil {
				out["error"] = err.Error()
			} else {
				out["yaml"] = string(y)
			}
		}
		b, _ := json.Marshal(out)
		fmt.Println(string(b))
	}
}
