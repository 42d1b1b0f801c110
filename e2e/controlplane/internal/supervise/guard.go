package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// marker is the file that tells a data directory of ours from a folder named by mistake.
const marker = ".argocd-rs-controlplane"

// guardScript waits until every writer of its standard input is gone, which is when `up` has ended
// in whatever way, then kills every registered process group and removes the data directory.
const guardScript = `
trap '' HUP INT TERM
while read -r _; do :; done
[ -f "$1/` + marker + `" ] || exit 0
tries=0
while [ -e "$1" ] && [ $tries -lt 50 ]; do
  for entry in "$1"/groups/*; do
    group=${entry##*/}
    case $group in ''|*[!0-9]*) continue ;; esac
    kill -s KILL -- "-$group" 2>/dev/null
  done
  rm -rf -- "$1" 2>/dev/null
  tries=$((tries + 1))
  [ -e "$1" ] && sleep 0.1
done
`

// guard cleans up after `up`, also when `up` is killed. It is a shell and not a goroutine or this
// binary, because it must outlive us and cost next to nothing while it waits.
type guard struct {
	command *exec.Cmd
	alive   *os.File
}

func startGuard(directory string) (*guard, error) {
	if err := os.WriteFile(filepath.Join(directory, marker), nil, 0o600); err != nil {
		return nil, err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command := exec.Command("/bin/sh", "-c", guardScript, "controlplane-guard", directory)
	command.Stdin = reader
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = command.Start()
	reader.Close()
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &guard{command: command, alive: writer}, nil
}

// finish has the guard do its work now and waits for it.
func (g *guard) finish() {
	g.alive.Close()
	_ = g.command.Wait()
}
