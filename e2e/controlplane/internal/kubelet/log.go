package kubelet

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// logLimit bounds what is kept of one container's output; the oldest lines go first, as when a real
// kubelet rotates.
const (
	logLimit  = 4 << 20
	lineLimit = 16 << 10
)

type line struct {
	number int64
	time   time.Time
	stream string
	text   []byte
}

// containerLog is the output of one run of a container.
type containerLog struct {
	mutex   sync.Mutex
	lines   []line
	size    int
	next    int64
	ended   bool
	changed chan struct{}
}

func newContainerLog() *containerLog { return &containerLog{changed: make(chan struct{})} }

func (l *containerLog) append(stream string, text []byte) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lines = append(l.lines, line{number: l.next, time: time.Now(), stream: stream, text: bytes.Clone(text)})
	l.next++
	l.size += len(text)
	for l.size > logLimit {
		l.size -= len(l.lines[0].text)
		l.lines = l.lines[1:]
	}
	l.wake()
}

func (l *containerLog) end() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.ended = true
	l.wake()
}

func (l *containerLog) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// view is the log from some line on.
type view struct {
	lines   []line
	next    int64           // the number the next line will have
	ended   bool            // no more lines will come
	changed <-chan struct{} // closed when there is more to see
}

func (l *containerLog) from(number int64) view {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	start := len(l.lines)
	for start > 0 && l.lines[start-1].number >= number {
		start--
	}
	return view{lines: append([]line(nil), l.lines[start:]...), next: l.next, ended: l.ended, changed: l.changed}
}

// writer splits a stream into lines.
func (l *containerLog) writer(stream string) *lineWriter { return &lineWriter{log: l, stream: stream} }

type lineWriter struct {
	log    *containerLog
	stream string
	rest   []byte
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.rest = append(w.rest, text...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 && len(w.rest) < lineLimit {
			return len(text), nil
		}
		if end < 0 {
			end = lineLimit - 1
		}
		w.log.append(w.stream, w.rest[:end+1])
		w.rest = w.rest[end+1:]
	}
}

// flush keeps a last line that was not ended.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.log.append(w.stream, w.rest)
		w.rest = nil
	}
}

// logQuery is what may be asked of a log: the fields of PodLogOptions that concern a kubelet.
type logQuery struct {
	follow, timestamps bool
	tail               int64 // negative: all
	limit              int64 // negative: all
	since              time.Time
	stream             string // "" is all
}

// copyTo writes the log as asked. A follower is served until the container ends.
func (l *containerLog) copyTo(ctx context.Context, out io.Writer, flush func(), query logQuery) error {
	left := query.limit
	seen := l.from(0)
	lines := selectLines(seen.lines, query)
	if query.tail >= 0 && int64(len(lines)) > query.tail {
		lines = lines[int64(len(lines))-query.tail:]
	}
	for {
		for _, each := range lines {
			text := each.text
			if query.timestamps {
				text = append([]byte(each.time.UTC().Format(time.RFC3339Nano)+" "), text...)
			}
			if left >= 0 && int64(len(text)) > left {
				text = text[:left]
			}
			if _, err := out.Write(text); err != nil {
				return err
			}
			if left >= 0 {
				if left -= int64(len(text)); left == 0 {
					return nil
				}
			}
		}
		flush()
		if !query.follow || seen.ended {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-seen.changed:
		}
		seen = l.from(seen.next)
		lines = selectLines(seen.lines, query)
	}
}

func selectLines(lines []line, query logQuery) []line {
	kept := lines[:0]
	for _, each := range lines {
		if each.time.Before(query.since) || (query.stream != "" && each.stream != query.stream) {
			continue
		}
		kept = append(kept, each)
	}
	return kept
}
