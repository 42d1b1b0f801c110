// Records what expr-lang/expr v1.17.8 answers, the version in Argo CD 3.6: compiled without an environment and run with one, as
// the notifications engine does. Run: `go run . ../application.json < ../asked.txt > ../answers.jsonl`. In a question `⏎` stands for a line end.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/chainguard-dev/git-urls"
	"github.com/expr-lang/expr"
)

func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

var suffix = regexp.MustCompile(`\.git$`)

func parsed(raw string) *url.URL {
	u, err := giturls.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

func environment(path string) map[string]any {
	raw, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var app any
	if err := decoder.Decode(&app); err != nil {
		panic(err)
	}
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	return map[string]any{
		"app":     integers(app),
		"context": map[string]string{"argocdUrl": "https://argocd.example"},
		"time": map[string]any{
			"Parse": func(s string) time.Time {
				t, err := time.Parse(time.RFC3339, s)
				if err != nil {
					panic(err)
				}
				return t
			},
			"Now":        func() time.Time { return now },
			"Nanosecond": time.Nanosecond, "Microsecond": time.Microsecond, "Millisecond": time.Millisecond,
			"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
			"Layout": time.Layout, "ANSIC": time.ANSIC, "UnixDate": time.UnixDate, "RubyDate": time.RubyDate,
			"RFC822": time.RFC822, "RFC822Z": time.RFC822Z, "RFC850": time.RFC850, "RFC1123": time.RFC1123, "RFC1123Z": time.RFC1123Z,
			"RFC3339": time.RFC3339, "RFC3339Nano": time.RFC3339Nano, "Kitchen": time.Kitchen, "Stamp": time.Stamp,
			"StampMilli": time.StampMilli, "StampMicro": time.StampMicro, "StampNano": time.StampNano,
		},
		"strings": map[string]any{
			"ReplaceAll": func(s, o, n string) string { return strings.ReplaceAll(s, o, n) },
			"ToUpper":    func(s string) string { return strings.ToUpper(s) },
			"ToLower":    func(s string) string { return strings.ToLower(s) },
		},
		"repo": map[string]any{
			"RepoURLToHTTPS": func(raw string) string {
				u := parsed(raw)
				u.Scheme, u.User = "https", nil
				return u.String()
			},
			"FullNameByRepoURL": func(raw string) string {
				path := suffix.ReplaceAllString(parsed(raw).Path, "")
				parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
				if len(parts) >= 2 {
					return strings.Join(parts[:2], "/")
				}
				return path
			},
			"QueryEscape": url.QueryEscape,
		},
	}
}

type answer struct {
	Asked   string  `json:"asked"`
	Compile string  `json:"compile,omitempty"`
	Run     string  `json:"run,omitempty"`
	Type    string  `json:"type,omitempty"`
	Value   *string `json:"value,omitempty"`
}

func ask(question string, env map[string]any) (a answer) {
	a.Asked = question
	defer func() {
		if r := recover(); r != nil {
			a = answer{Asked: question, Compile: fmt.Sprintf("panic: %v", r)}
		}
	}()
	program, err := expr.Compile(strings.ReplaceAll(question, "⏎", "\n"))
	if err != nil {
		a.Compile = err.Error()
		return a
	}
	value, err := expr.Run(program, env)
	if err != nil {
		a.Run = err.Error()
		return a
	}
	text := fmt.Sprintf("%v", value)
	a.Type, a.Value = fmt.Sprintf("%T", value), &text
	return a
}

func main() {
	env := environment(os.Args[1])
	version := "?"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/expr-lang/expr" {
				version = dep.Version
			}
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	_ = out.Encode(map[string]string{"recorder": "github.com/expr-lang/expr " + version})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "//! ") {
			_ = out.Encode(ask(line, env))
		}
	}
}
