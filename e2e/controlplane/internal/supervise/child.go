package supervise

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// child is a component running as a process of its own, in a process group of its own.
type child struct {
	name    string
	logPath string
	command *exec.Cmd
}

// launcher starts components. It must be used from one locked thread only: the kernel sends the
// parent-death signal when the *thread* that started the child ends.
type launcher struct {
	binary    string
	groups    string
	logs      string
	exited    chan string
	processes []*child
}

// start runs a subcommand of this binary. `extra` is inherited as descriptor 3, when given.
func (l *launcher) start(name string, arguments, environment []string, extra *os.File) error {
	logPath := filepath.Join(l.logs, name+".log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(l.binary, append([]string{name}, arguments...)...)
	command.Stdout = log
	command.Stderr = log
	command.Dir = "/"
	command.Env = append(os.Environ(), environment...)
	if extra != nil {
		command.ExtraFiles = []*os.File{extra}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	entry := filepath.Join(l.groups, strconv.Itoa(command.Process.Pid))
	if err := os.WriteFile(entry, nil, 0o600); err != nil {
		return err
	}
	started := &child{name: name, logPath: logPath, command: command}
	l.processes = append(l.processes, started)
	go func() {
		_ = command.Wait()
		os.Remove(entry)
		l.exited <- name
	}()
	return nil
}

// stop kills what still runs. Nothing is kept, so nothing needs a graceful end.
func (l *launcher) stop() {
	for _, process := range l.processes {
		_ = syscall.Kill(-process.command.Process.Pid, syscall.SIGKILL)
	}
	for range l.processes {
		<-l.exited
	}
}

// tail is the end of a component's log, for the message when it will not start.
func (l *launcher) tail(name string) string {
	const limit = 3000
	file, err := os.Open(filepath.Join(l.logs, name+".log"))
	if err != nil {
		return ""
	}
	defer file.Close()
	if size, err := file.Seek(0, io.SeekEnd); err == nil && size > limit {
		_, _ = file.Seek(-limit, io.SeekEnd)
	} else {
		_, _ = file.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(file, limit))
	return string(text)
}
