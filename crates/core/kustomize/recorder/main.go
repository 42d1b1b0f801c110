// Writes down what the original knows and answers: the built-in schema, and the builds of the cases.
//
//	go run . schema > ../src/schema/builtin.txt
//	go run . cases ../cases/build
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "schema":
		schema()
	case len(os.Args) == 3 && os.Args[1] == "cases":
		cases(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: recorder schema | recorder cases FOLDER")
		os.Exit(2)
	}
}

// One line per definition, in the order of their numbers: its name, the kinds it is, and its fields that are more than scalars.
type table struct {
	root        *spec.Schema
	numbers     map[string]int
	names       []string
	definitions []*spec.Schema
}

func schema() {
	t := table{root: openapi.Schema(), numbers: map[string]int{}}
	var names []string
	for name, definition := range t.root.Definitions {
		if _, found := definition.Extensions["x-kubernetes-group-version-kind"]; found {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		t.number(name)
	}
	for number := 0; number < len(t.definitions); number++ {
		definition := t.definitions[number]
		line := t.names[number]
		if kinds, found := definition.Extensions["x-kubernetes-group-version-kind"]; found {
			for _, kind := range kinds.([]interface{}) {
				kind := kind.(map[string]interface{})
				group, _ := kind["group"].(string)
				if group != "" {
					group += "/"
				}
				line += fmt.Sprintf(" %s%s,%s", group, kind["version"], kind["kind"])
			}
		}
		line += ":"
		var fields []string
		for field := range definition.Properties {
			fields = append(fields, field)
		}
		sort.Strings(fields)
		for _, field := range fields {
			property := definition.Properties[field]
			if text := t.field(&property); text != "" {
				line += " " + field + "=" + text
			}
		}
		if definition.AdditionalProperties != nil && definition.AdditionalProperties.Schema != nil {
			if text := t.field(definition.AdditionalProperties.Schema); text != "" {
				line += " *=" + text
			}
		}
		fmt.Println(line)
	}
}

func (t *table) number(name string) int {
	if number, found := t.numbers[name]; found {
		return number
	}
	definition := t.root.Definitions[name]
	t.numbers[name] = len(t.definitions)
	t.definitions = append(t.definitions, &definition)
	t.names = append(t.names, name)
	return t.numbers[name]
}

func (t *table) inline(definition *spec.Schema) int {
	t.definitions = append(t.definitions, definition)
	t.names = append(t.names, "-")
	return len(t.definitions) - 1
}

// Objects are `oN`, lists of them `aN`, lists of scalars `l`; a merge strategy follows with its keys.
func (t *table) field(property *spec.Schema) string {
	resource := openapi.ResourceSchema{Schema: property}
	if ref := property.Ref.String(); ref != "" {
		number := t.number(strings.TrimPrefix(ref, "#/definitions/"))
		return fmt.Sprintf("o%d", number)
	}
	if len(property.Type) == 1 && property.Type[0] == "array" && property.Items != nil {
		text := "l"
		items := property.Items.Schema
		if ref := items.Ref.String(); ref != "" {
			text = fmt.Sprintf("a%d", t.number(strings.TrimPrefix(ref, "#/definitions/")))
		} else if len(items.Properties) > 0 || items.AdditionalProperties != nil || items.Items != nil {
			text = fmt.Sprintf("a%d", t.inline(items))
		}
		strategy, keys := resource.PatchStrategyAndKeyList()
		for _, one := range strings.Split(strategy, ",") {
			if one == "merge" {
				return text + "!" + strings.Join(keys, ",")
			}
		}
		return text
	}
	if len(property.Properties) > 0 || property.AdditionalProperties != nil || (len(property.Type) == 1 && property.Type[0] == "object") {
		return fmt.Sprintf("o%d", t.inline(property))
	}
	return ""
}

var _ yaml.TypeMeta

// Builds the folder `input` of every case, or the one `target` names; writes `expected.yaml` or `expected-error.txt`.
func cases(folder string) {
	folders, err := filepath.Glob(filepath.Join(folder, "*", "input"))
	if err != nil {
		panic(err)
	}
	for _, input := range folders {
		home := filepath.Dir(input)
		target := input
		if text, err := os.ReadFile(filepath.Join(home, "target")); err == nil {
			target = filepath.Join(home, strings.TrimSpace(string(text)))
		}
		os.Remove(filepath.Join(home, "expected.yaml"))
		os.Remove(filepath.Join(home, "expected-error.txt"))
		openapi.ResetOpenAPI()
		options := krusty.MakeDefaultOptions()
		options.Reorder = krusty.ReorderOptionUnspecified
		text, err := build(options, target)
		if err != nil {
			message := bytes.ReplaceAll([]byte(err.Error()), []byte(home+"/"), nil)
			if absolute, failed := filepath.Abs(home); failed == nil {
				message = bytes.ReplaceAll(message, []byte(absolute+"/"), nil)
			}
			os.WriteFile(filepath.Join(home, "expected-error.txt"), append(message, '\n'), 0o644)
			continue
		}
		os.WriteFile(filepath.Join(home, "expected.yaml"), text, 0o644)
	}
}

func build(options *krusty.Options, target string) ([]byte, error) {
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), target)
	if err != nil {
		return nil, err
	}
	return resources.AsYaml()
}
