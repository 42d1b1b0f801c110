package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	gescheme "github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube/scheme"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "types" {
		types()
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<26), 1<<26)
	for in.Scan() {
		var c struct{ Config, Live map[string]any }
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		var config, live *unstructured.Unstructured
		if c.Config != nil {
			config = &unstructured.Unstructured{Object: c.Config}
		}
		if c.Live != nil {
			live = &unstructured.Unstructured{Object: c.Live}
		}
		out := map[string]any{}
		r, err := diff.Diff(config, live, diff.WithNormalizer(diff.GetNoopNormalizer()))
		if err != nil {
			out["error"] = err.Error()
		} else {
			out["modified"] = r.Modified
			out["normalizedLive"] = json.RawMessage(r.NormalizedLive)
			out["predictedLive"] = json.RawMessage(r.PredictedLive)
		}
		b, _ := json.Marshal(out)
		fmt.Println(string(b))
	}
}

var seen = map[string]string{}

func name(t reflect.Type) string {
	p := strings.TrimPrefix(t.PkgPath(), "k8s.io/")
	p = strings.ReplaceAll(p, "apimachinery/pkg/apis/meta/v1", "meta")
	p = strings.TrimPrefix(p, "api/")
	return p + "." + t.Name()
}

func ref(t reflect.Type) string {
	switch name(t) {
	case "meta.Time", "meta.MicroTime", "apimachinery/pkg/api/resource.Quantity", "apimachinery/pkg/util/intstr.IntOrString", "meta.Duration", "apimachinery/pkg/runtime.RawExtension", "meta.FieldsV1":
		return "@" + t.Name()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + ref(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "@bytes"
		}
		return "[]" + ref(t.Elem())
	case reflect.Map:
		return "{}" + ref(t.Elem())
	case reflect.Struct:
		walk(t)
		return name(t)
	case reflect.Interface:
		return "@any"
	default:
		return t.Kind().String()
	}
}

func walk(t reflect.Type) {
	n := name(t)
	if _, ok := seen[n]; ok {
		return
	}
	seen[n] = ""
	var b strings.Builder
	if reflect.PointerTo(t).Implements(reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()) {
		b.WriteString("!custom\n")
	}
	fields(t, &b)
	seen[n] = b.String()
}

func fields(t reflect.Type, b *strings.Builder) {
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		parts := strings.Split(tag, ",")
		if tag == "-" || f.PkgPath != "" {
			continue
		}
		if parts[0] == "" && (f.Anonymous || strings.Contains(tag, "inline")) {
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			fields(ft, b)
			continue
		}
		nm := parts[0]
		if nm == "" {
			nm = f.Name
		}
		fmt.Fprintf(b, "\t%s\t%s", nm, ref(f.Type))
		flags := []string{}
		if strings.Contains(tag, "omitempty") {
			flags = append(flags, "e")
		}
		if strings.Contains(tag, "omitzero") {
			flags = append(flags, "z")
		}
		if s := f.Tag.Get("patchStrategy"); s != "" {
			flags = append(flags, "s="+s)
		}
		if s := f.Tag.Get("patchMergeKey"); s != "" {
			flags = append(flags, "k="+s)
		}
		fmt.Fprintf(b, "\t%s\n", strings.Join(flags, ";"))
	}
}

func types() {
	var kinds []string
	for gvk, t := range scheme.Scheme.AllKnownTypes() {
		if strings.HasSuffix(gvk.Kind, "List") || strings.HasSuffix(gvk.Kind, "Options") || gvk.Version == "__internal" || gvk.Kind == "WatchEvent" {
			continue
		}
		_, err := gescheme.Scheme.New(gvk)
		d := ""
		if err == nil {
			d = "\td"
		}
		kinds = append(kinds, fmt.Sprintf("kind\t%s\t%s\t%s\t%s%s", gvk.Group, gvk.Version, gvk.Kind, ref(t), d))
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		fmt.Println(k)
	}
	var names []string
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Printf("type\t%s\n%s", n, seen[n])
	}
}
