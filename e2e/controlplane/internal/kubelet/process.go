package kubelet

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// processes starts every real process of the kubelet from one thread that lives as long as we do:
// the kernel sends the parent-death signal when the *thread* that started the child ends.
type processes struct {
	groups   string
	lifetime time.Duration
	requests chan func()
	mutex    sync.Mutex
	running  map[*process]struct{}
	stopped  bool
}

var errStopped = errors.New("the kubelet is stopping")

func newProcesses(groups string, lifetime time.Duration) *processes {
	p := &processes{
		groups:   groups,
		lifetime: lifetime,
		requests: make(chan func()),
		running:  map[*process]struct{}{},
	}
	go func() {
		runtime.LockOSThread()
		for request := range p.requests {
			request()
		}
	}()
	return p
}

// process is one real process with the process group it leads.
type process struct {
	command *exec.Cmd
	started time.Time
	done    chan struct{}
	// exitCode and ended may be read once done is closed.
	exitCode int32
	ended    time.Time
}

// outcome of starting: what a shell would say when there is no such program, or no right to run it.
const (
	exitNotFound      = 127
	exitNotExecutable = 126
)

// start runs a command in a session of its own. `begin` starts it; nil is the ordinary way.
// When the process is over, its whole group is killed, then `after` runs, then done is closed.
func (p *processes) start(command *exec.Cmd, begin func() error, after func()) (*process, error) {
	if begin == nil {
		begin = command.Start
	}
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setsid = true
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	// A child left in the background may hold the pipes open; do not wait for it.
	command.WaitDelay = time.Second
	started := &process{command: command, done: make(chan struct{})}
	failed := make(chan error, 1)
	p.requests <- func() { failed <- p.begin(started, begin) }
	if err := <-failed; err != nil {
		return nil, err
	}
	limit := time.AfterFunc(p.lifetime, func() { started.signal(syscall.SIGKILL) })
	go func() {
		err := command.Wait()
		limit.Stop()
		started.signal(syscall.SIGKILL)
		started.exitCode = exitCode(command, err)
		started.ended = time.Now()
		if after != nil {
			after()
		}
		os.Remove(p.entry(started))
		p.mutex.Lock()
		delete(p.running, started)
		p.mutex.Unlock()
		close(started.done)
	}()
	return started, nil
}

func (p *processes) begin(started *process, begin func() error) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.stopped {
		return errStopped
	}
	if err := begin(); err != nil {
		return err
	}
	started.started = time.Now()
	p.running[started] = struct{}{}
	return os.WriteFile(p.entry(started), nil, 0o600)
}

func (p *processes) entry(of *process) string {
	return filepath.Join(p.groups, strconv.Itoa(of.command.Process.Pid))
}

// stop kills every process and starts no more.
func (p *processes) stop() {
	p.mutex.Lock()
	p.stopped = true
	var left []*process
	for each := range p.running {
		left = append(left, each)
	}
	p.mutex.Unlock()
	for _, each := range left {
		each.signal(syscall.SIGKILL)
	}
	for _, each := range left {
		<-each.done
	}
}

// signal reaches the whole group; a group that is gone is no error.
func (p *process) signal(signal syscall.Signal) {
	_ = syscall.Kill(-p.command.Process.Pid, signal)
}

func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// exitCode is the number a container runtime would report.
func exitCode(command *exec.Cmd, err error) int32 {
	state := command.ProcessState
	if state == nil {
		if errors.Is(err, os.ErrPermission) {
			return exitNotExecutable
		}
		return exitNotFound
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(state.ExitCode())
}
