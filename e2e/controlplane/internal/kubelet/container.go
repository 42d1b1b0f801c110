package kubelet

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The back-off between two runs of a failing container. The first restart is immediate, as with a
// real kubelet; the steps after it are shorter, so that tests do not wait.
const (
	firstBackOff = time.Second
	lastBackOff  = 10 * time.Second
	pullBackOff  = time.Second
)

// container is one container of a pod. Its states, and what leads from one to the next:
//
//	waiting    -> running      when it is its turn, its image can be had and its environment is whole
//	running    -> terminated   when its process is over, or the steering says so
//	terminated -> waiting      when the restart policy asks for another run
type container struct {
	spec        v1.Container
	initial     bool // an init container
	state       v1.ContainerState
	last        v1.ContainerState
	restarts    int32
	process     *process
	log         *containerLog
	previous    *containerLog
	notBefore   time.Time
	pullFailed  bool
	startedOnce bool
}

func newContainer(spec v1.Container, initial bool) *container {
	reason := "ContainerCreating"
	if initial {
		reason = "PodInitializing"
	}
	return &container{
		spec:    spec,
		initial: initial,
		state:   v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason}},
	}
}

// sidecar is an init container that keeps running beside the others.
func (c *container) sidecar() bool {
	return c.initial && c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == v1.ContainerRestartPolicyAlways
}

func (c *container) running() bool { return c.state.Running != nil }

func (c *container) succeeded() bool {
	return c.state.Terminated != nil && c.state.Terminated.ExitCode == 0
}

// restartable says whether an ended container is to run again.
func (c *container) restartable(policy v1.RestartPolicy) bool {
	if c.sidecar() {
		return true
	}
	switch policy {
	case v1.RestartPolicyNever:
		return false
	case v1.RestartPolicyOnFailure:
		return !c.succeeded()
	default:
		// An init container that succeeded is done, whatever the policy.
		return !c.initial || !c.succeeded()
	}
}

// step moves the container as far as it can go now, and returns when to look again (zero: when
// something happens).
func (w *worker) step(c *container, now time.Time) time.Time {
	if c.running() {
		w.stepRunning(c, now)
	}
	if c.state.Terminated != nil && c.restartable(w.pod.Spec.RestartPolicy) {
		w.stepBack(c, now)
	}
	if c.state.Waiting == nil {
		return time.Time{}
	}
	if now.Before(c.notBefore) {
		return c.notBefore
	}
	w.stepWaiting(c, now)
	if c.state.Waiting != nil {
		return c.notBefore
	}
	return time.Time{}
}

func (w *worker) stepRunning(c *container, now time.Time) {
	switch {
	case c.process != nil && c.process.over():
		w.terminate(c, c.process.exitCode, c.process.ended)
	case c.process == nil && steering(w.pod) == steerSucceed:
		w.terminate(c, 0, now)
	case c.process == nil && (steering(w.pod) == steerFail || steering(w.pod) == steerCrashLoop):
		w.terminate(c, 1, now)
	}
}

func (w *worker) terminate(c *container, code int32, ended time.Time) {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	if c.process == nil && c.log != nil {
		c.log.end() // the end of a real process ends its log
	}
	var started metav1.Time
	if c.state.Running != nil {
		started = c.state.Running.StartedAt
	}
	c.state = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{
		ExitCode:    code,
		Reason:      reason,
		StartedAt:   started,
		FinishedAt:  metav1.NewTime(ended).Rfc3339Copy(),
		ContainerID: w.containerID(c),
	}}
	c.process = nil
}

// stepBack sends an ended container to wait for its next run.
func (w *worker) stepBack(c *container, now time.Time) {
	c.last = c.state
	wait := time.Duration(0)
	if c.restarts > 0 {
		wait = min(firstBackOff<<min(c.restarts-1, 10), lastBackOff)
	}
	c.notBefore = now.Add(wait)
	waiting := &v1.ContainerStateWaiting{
		Reason: "CrashLoopBackOff",
		Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)",
			wait, c.spec.Name, w.name, w.namespace, w.pod.UID),
	}
	if wait > 0 {
		w.event(v1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", c.spec.Name, w.name, w.namespace, w.pod.UID)
	}
	c.restarts++
	c.state = v1.ContainerState{Waiting: waiting}
}

func (w *worker) stepWaiting(c *container, now time.Time) {
	if failure := invalidImage(c.spec.Image); failure != "" {
		c.state.Waiting = &v1.ContainerStateWaiting{Reason: "InvalidImageName", Message: failure}
		c.notBefore = now.Add(lastBackOff)
		return
	}
	if pullFails(w.pod, c.spec.Image) {
		w.failPull(c, now)
		return
	}
	environment, err := w.environment(c)
	if err != nil {
		c.state.Waiting = &v1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: err.Error()}
		c.notBefore = now.Add(pullBackOff)
		return
	}
	c.previous = c.log
	c.log = newContainerLog()
	c.state = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: metav1.NewTime(now).Rfc3339Copy()}}
	w.event(v1.EventTypeNormal, "Started", "Container started: %s", c.spec.Name)
	c.startedOnce = true
	command := script(environment.command(c.spec))
	switch steering(w.pod) {
	case steerNeverEnd, steerSucceed, steerFail, steerCrashLoop:
		command = nil
	}
	if command == nil {
		w.stepRunning(c, now)
		return
	}
	if err := w.startProcess(c, command, environment); err != nil {
		c.log.append("stderr", []byte(err.Error()+"\n"))
		w.terminate(c, exitNotFound, now)
	}
}

func (w *worker) failPull(c *container, now time.Time) {
	failure := fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: no such host", c.spec.Image, c.spec.Image)
	if !c.pullFailed {
		c.pullFailed = true
		c.state.Waiting = &v1.ContainerStateWaiting{Reason: "ErrImagePull", Message: failure}
		w.event(v1.EventTypeWarning, "Failed", "Failed to pull image %q: %s", c.spec.Image, failure)
		c.notBefore = now.Add(pullBackOff)
		return
	}
	c.state.Waiting = &v1.ContainerStateWaiting{
		Reason:  "ImagePullBackOff",
		Message: fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", c.spec.Image, failure),
	}
	// Looked at again only for the sake of a changed annotation, which wakes the worker anyway.
	c.notBefore = now.Add(lastBackOff)
}

// startProcess runs the container's script on the host, in a folder of its own.
func (w *worker) startProcess(c *container, arguments []string, environment *environment) error {
	directory, err := w.makeDirectory(c)
	if err != nil {
		return err
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Dir = directory
	command.Env = environment.list(directory, w.name)
	log := c.log
	stdout, stderr := log.writer("stdout"), log.writer("stderr")
	command.Stdout, command.Stderr = stdout, stderr
	started, err := w.kubelet.processes.start(command, nil, func() {
		stdout.flush()
		stderr.flush()
		log.end()
	})
	if err != nil {
		return err
	}
	c.process = started
	go func() {
		<-started.done
		w.wake()
	}()
	return nil
}

func (w *worker) makeDirectory(c *container) (string, error) {
	directory := filepath.Join(w.kubelet.options.Directory, string(w.uid), c.spec.Name)
	return directory, os.MkdirAll(directory, 0o700)
}

// end asks a container to stop; a pretended one does so at once.
func (w *worker) end(c *container, signal syscall.Signal, now time.Time) {
	switch {
	case !c.running():
	case c.process == nil:
		w.terminate(c, 0, now)
	default:
		c.process.signal(signal)
	}
}

func (w *worker) containerID(c *container) string {
	return "pretend://" + digest(string(w.pod.UID), c.spec.Name, strconv.Itoa(int(c.restarts)))
}

func imageID(image string) string { return image + "@sha256:" + digest(image) }

func digest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}
