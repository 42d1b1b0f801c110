package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/klog/v2"
	utilexec "k8s.io/utils/exec"
)

const (
	streamIdle     = 4 * time.Hour
	streamCreation = 30 * time.Second
)

// serve answers the part of the kubelet API that the apiserver forwards to. Exec runs programs on
// this machine, so only callers with a certificate of our own authority are let in.
func (k *Kubelet) serve(listener net.Listener) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, "ok") })
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.serveLogs)
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", k.serveExec)
	routes.HandleFunc("/exec/{namespace}/{pod}/{uid}/{container}", k.serveExec)
	routes.HandleFunc("/portForward/{namespace}/{pod}", k.servePortForward)
	routes.HandleFunc("/portForward/{namespace}/{pod}/{uid}", k.servePortForward)
	k.server = &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: streamCreation,
		TLSConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{k.options.Serving},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    k.options.Clients,
			NextProtos:   []string{"http/1.1"}, // streams are upgraded connections
		},
	}
	k.spawn(func() {
		if err := k.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			klog.ErrorS(err, "serve the kubelet API")
		}
	})
}

func (k *Kubelet) serveLogs(out http.ResponseWriter, request *http.Request) {
	namespace, pod, name := request.PathValue("namespace"), request.PathValue("pod"), request.PathValue("container")
	w := k.worker(namespace, pod)
	if w == nil {
		http.Error(out, fmt.Sprintf("pod %q not found in namespace %q", pod, namespace), http.StatusNotFound)
		return
	}
	values := request.URL.Query()
	previous, _ := strconv.ParseBool(values.Get("previous"))
	log, status, err := w.log(name, previous)
	if err != nil {
		http.Error(out, err.Error(), status)
		return
	}
	query, err := parseLogQuery(request)
	if err != nil {
		http.Error(out, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	flush := func() {
		if flusher, ok := out.(http.Flusher); ok {
			flusher.Flush()
		}
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	// The caller going away in the middle is how following usually ends.
	_ = log.copyTo(request.Context(), out, flush, query)
}

func parseLogQuery(request *http.Request) (logQuery, error) {
	values := request.URL.Query()
	query := logQuery{tail: -1, limit: -1}
	query.follow, _ = strconv.ParseBool(values.Get("follow"))
	query.timestamps, _ = strconv.ParseBool(values.Get("timestamps"))
	for name, into := range map[string]*int64{"tailLines": &query.tail, "limitBytes": &query.limit} {
		if text := values.Get(name); text != "" {
			number, err := strconv.ParseInt(text, 10, 64)
			if err != nil || number < 0 {
				return query, fmt.Errorf("%s: %q is not a count", name, text)
			}
			*into = number
		}
	}
	if text := values.Get("sinceSeconds"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 1 {
			return query, fmt.Errorf("sinceSeconds: %q is not a count", text)
		}
		query.since = time.Now().Add(-time.Duration(seconds) * time.Second)
	}
	if text := values.Get("sinceTime"); text != "" {
		since, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return query, fmt.Errorf("sinceTime: %w", err)
		}
		query.since = since
	}
	switch values.Get("stream") {
	case "Stdout":
		query.stream = "stdout"
	case "Stderr":
		query.stream = "stderr"
	}
	return query, nil
}

// log finds the output of a container's current or previous run, with the words and codes of a
// real kubelet when there is none.
func (w *worker) log(name string, previous bool) (*containerLog, int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, each := range w.containers {
		if each.spec.Name != name {
			continue
		}
		found := each.log
		if previous {
			found = each.previous
			if each.state.Waiting != nil && each.restarts > 0 {
				found = each.log
			}
			if found == nil {
				return nil, http.StatusBadRequest, fmt.Errorf("previous terminated container %q in pod %q not found", name, w.name)
			}
		}
		if found == nil {
			reason := "not started"
			if each.state.Waiting != nil {
				reason = each.state.Waiting.Reason
			}
			return nil, http.StatusBadRequest, fmt.Errorf("container %q in pod %q is waiting to start: %s", name, w.name, reason)
		}
		return found, 0, nil
	}
	return nil, http.StatusBadRequest, fmt.Errorf("container %s is not valid for pod %s", name, w.name)
}

func (k *Kubelet) serveExec(out http.ResponseWriter, request *http.Request) {
	w := k.worker(request.PathValue("namespace"), request.PathValue("pod"))
	if w == nil {
		http.Error(out, "pod does not exist", http.StatusNotFound)
		return
	}
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	command := request.URL.Query()["command"]
	if len(command) == 0 {
		http.Error(out, "you must specify at least 1 command for the container", http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(out, request, w, w.name, string(w.uid), request.PathValue("container"), command,
		options, streamIdle, streamCreation, remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer runs a command in the container's folder, on the host.
func (w *worker) ExecInContainer(ctx context.Context, _, _, name string, arguments []string, in io.Reader, out, errors io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	command, err := w.execCommand(name, arguments)
	if err != nil {
		return err
	}
	if command.Err != nil {
		return utilexec.CodeExitError{Err: command.Err, Code: exitNotFound}
	}
	var started *process
	if tty {
		started, err = w.execTerminal(command, in, out, resize)
	} else {
		started, err = w.execPipes(command, in, out, errors)
	}
	if err != nil {
		return utilexec.CodeExitError{Err: err, Code: exitNotExecutable}
	}
	select {
	case <-started.done:
	case <-ctx.Done():
		started.signal(syscall.SIGKILL)
		<-started.done
	case <-w.removed:
		started.signal(syscall.SIGKILL)
		<-started.done
	}
	if started.exitCode != 0 {
		return utilexec.CodeExitError{
			Err:  fmt.Errorf("command terminated with exit code %d", started.exitCode),
			Code: int(started.exitCode),
		}
	}
	return nil
}

func (w *worker) execCommand(name string, arguments []string) (*exec.Cmd, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, each := range w.containers {
		if each.spec.Name != name {
			continue
		}
		if !each.running() {
			return nil, fmt.Errorf("container %q of pod %q is not running", name, w.name)
		}
		environment, err := w.environment(each)
		if err != nil {
			return nil, err
		}
		directory, err := w.makeDirectory(each)
		if err != nil {
			return nil, err
		}
		command := exec.Command(arguments[0], arguments[1:]...)
		command.Dir = directory
		command.Env = environment.list(directory, w.name)
		return command, nil
	}
	return nil, fmt.Errorf("container %q not found in pod %q", name, w.name)
}

func (w *worker) execPipes(command *exec.Cmd, in io.Reader, out, errors io.Writer) (*process, error) {
	command.Stdout, command.Stderr = out, errors
	if in == nil {
		return w.kubelet.processes.start(command, nil, nil)
	}
	// Not command.Stdin: waiting would then last until the caller closes its end.
	pipe, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	started, err := w.kubelet.processes.start(command, nil, nil)
	if err == nil {
		go func() {
			defer pipe.Close()
			_, _ = io.Copy(pipe, in)
		}()
	}
	return started, err
}

func (w *worker) execTerminal(command *exec.Cmd, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) (*process, error) {
	command.Env = append(command.Env, "TERM=xterm")
	command.SysProcAttr = &syscall.SysProcAttr{Setctty: true}
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	copied := make(chan struct{})
	started, err := w.kubelet.processes.start(command, nil, func() {
		select {
		case <-copied:
		case <-time.After(time.Second):
		}
		master.Close()
	})
	if err != nil {
		master.Close()
		return nil, err
	}
	go func() {
		defer close(copied)
		_, _ = io.Copy(out, master)
	}()
	if in != nil {
		go func() { _, _ = io.Copy(master, in) }()
	}
	go func() {
		for size := range resize {
			_ = pty.Setsize(master, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	return started, nil
}

func (k *Kubelet) servePortForward(out http.ResponseWriter, request *http.Request) {
	w := k.worker(request.PathValue("namespace"), request.PathValue("pod"))
	if w == nil {
		http.Error(out, "pod does not exist", http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(out, request, w, w.name, string(w.uid), options, streamIdle, streamCreation, portforward.SupportedProtocols)
}

// PortForward reaches a port of this machine: that is where a pod's processes listen.
func (w *worker) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(hostAddress, strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("forward to port %d of pod %s: %w", port, w.name, err)
	}
	defer connection.Close()
	done := make(chan error, 2)
	for _, copying := range []func() (int64, error){
		func() (int64, error) { return io.Copy(connection, stream) },
		func() (int64, error) { return io.Copy(stream, connection) },
	} {
		go func() {
			_, err := copying()
			done <- err
		}()
	}
	return <-done
}
