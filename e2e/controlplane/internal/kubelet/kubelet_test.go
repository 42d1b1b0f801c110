package kubelet

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestScript(t *testing.T) {
	for _, each := range []struct{ command, runs string }{
		{"sh -c exit", "/bin/sh -c exit"},
		{"/bin/sh -ec exit", "/bin/sh -ec exit"},
		{"/usr/bin/sh -e -c exit name", "/bin/sh -e -c exit name"},
		{"/bin/bash -c exit", "bash -c exit"},
		{"sh script.sh -c", ""},
		{"sh --posix exit", ""},
		{"sh -c", ""},
		{"sh", ""},
		{"true", "true"},
		{"/bin/sleep 3", "sleep 3"},
		{"sleepy 3", ""},
		{"nginx -c conf", ""},
		{"/app/server --x -c y", ""},
	} {
		got := strings.Join(script(strings.Fields(each.command)), " ")
		if got != each.runs {
			t.Errorf("%q runs %q, not %q", each.command, got, each.runs)
		}
	}
}

func TestPullFails(t *testing.T) {
	for image, fails := range map[string]bool{
		"nginx":                    false,
		"registry.invalid/x:1":     true,
		"registry.invalid:5000/x":  true,
		"registry.example/invalid": false,
		"x.invalid":                false,
	} {
		if pullFails(&v1.Pod{}, image) != fails {
			t.Errorf("%s: %v", image, !fails)
		}
	}
	steered := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{steerAnnotation: steerImagePullError}}}
	if !pullFails(steered, "nginx") {
		t.Error("the annotation does not count")
	}
}

func TestInvalidImage(t *testing.T) {
	for image, invalid := range map[string]bool{"nginx": false, "registry.example/a/b:1.2": false, "alpine:invalid!": true} {
		if (invalidImage(image) != "") != invalid {
			t.Errorf("%s: %q", image, invalidImage(image))
		}
	}
}

func TestLog(t *testing.T) {
	log := newContainerLog()
	out, errors := log.writer("stdout"), log.writer("stderr")
	out.Write([]byte("one\ntw"))
	errors.Write([]byte("oops\n"))
	out.Write([]byte("o\nrest"))
	out.flush()
	all := logQuery{tail: -1, limit: -1}
	for _, each := range []struct {
		change func(*logQuery)
		want   string
	}{
		{func(*logQuery) {}, "one\noops\ntwo\nrest"},
		{func(q *logQuery) { q.tail = 2 }, "two\nrest"},
		{func(q *logQuery) { q.tail = 0 }, ""},
		{func(q *logQuery) { q.limit = 6 }, "one\noo"},
		{func(q *logQuery) { q.stream = "stderr" }, "oops\n"},
		{func(q *logQuery) { q.since = time.Now().Add(time.Hour) }, ""},
	} {
		query := all
		each.change(&query)
		var got bytes.Buffer
		if err := log.copyTo(context.Background(), &got, func() {}, query); err != nil || got.String() != each.want {
			t.Errorf("%+v: %q, not %q (%v)", query, got.String(), each.want, err)
		}
	}
}

func TestLogIsFollowedToItsEnd(t *testing.T) {
	log := newContainerLog()
	log.append("stdout", []byte("before\n"))
	var got bytes.Buffer
	done := make(chan error)
	first := make(chan struct{}, 8)
	go func() {
		done <- log.copyTo(context.Background(), &got, func() { first <- struct{}{} }, logQuery{follow: true, tail: -1, limit: -1})
	}()
	<-first
	log.append("stdout", []byte("after\n"))
	log.end()
	if err := <-done; err != nil || got.String() != "before\nafter\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

func TestLogKeepsTheEnd(t *testing.T) {
	log := newContainerLog()
	text := append(bytes.Repeat([]byte("x"), 1023), '\n')
	for range 3 * logLimit / len(text) {
		log.append("stdout", text)
	}
	log.append("stdout", []byte("last\n"))
	seen := log.from(0)
	size := 0
	for _, each := range seen.lines {
		size += len(each.text)
	}
	if size > logLimit || size < logLimit-2*len(text) {
		t.Errorf("%d bytes are kept", size)
	}
	if !slices.Equal(seen.lines[len(seen.lines)-1].text, []byte("last\n")) {
		t.Error("the last line is not there")
	}
}
