package kubelet

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	utilpod "k8s.io/kubernetes/pkg/util/pod"
)

// worker plays one pod from the moment it is bound to the moment it is gone.
type worker struct {
	kubelet         *Kubelet
	namespace, name string
	uid             types.UID
	address         string

	woken   chan struct{}
	removed chan struct{}

	// inbox holds the pod as last seen, until the worker takes it.
	inboxMutex sync.Mutex
	inbox      *v1.Pod

	// mutex covers what the kubelet API reads of the containers.
	mutex      sync.Mutex
	pod        *v1.Pod
	containers []*container // init containers first, in order
	began      metav1.Time
	complained string
	doomed     string    // why the pod fails as a whole, when it does
	killAt     time.Time // when a pod that is being deleted is killed
	asked      bool      // its processes were asked to stop
}

func newWorker(k *Kubelet, pod *v1.Pod) *worker {
	w := &worker{
		kubelet:   k,
		namespace: pod.Namespace,
		name:      pod.Name,
		uid:       pod.UID,
		address:   k.nextAddress(),
		woken:     make(chan struct{}, 1),
		removed:   make(chan struct{}),
		pod:       pod,
		began:     metav1.Now().Rfc3339Copy(),
	}
	if pod.Spec.HostNetwork {
		w.address = hostAddress
	}
	for _, spec := range pod.Spec.InitContainers {
		w.containers = append(w.containers, newContainer(spec, true))
	}
	for _, spec := range pod.Spec.Containers {
		made := newContainer(spec, false)
		if len(pod.Spec.InitContainers) > 0 {
			made.state.Waiting.Reason = "PodInitializing"
		}
		w.containers = append(w.containers, made)
	}
	return w
}

func (w *worker) update(pod *v1.Pod) {
	w.inboxMutex.Lock()
	w.inbox = pod
	w.inboxMutex.Unlock()
	w.wake()
}

func (w *worker) wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// remove says the pod is gone from the cluster. Called once.
func (w *worker) remove() { close(w.removed) }

func (w *worker) run(ctx context.Context) {
	defer w.cleanUp()
	if over(w.pod) {
		return
	}
	for {
		w.takeInbox()
		now := time.Now()
		next := w.advance(now)
		if w.publish(ctx) != nil && (next.IsZero() || next.After(now.Add(time.Second))) {
			next = now.Add(time.Second)
		}
		if w.stopped() && w.pod.DeletionTimestamp != nil {
			if w.delete(ctx) {
				return
			}
			next = now.Add(time.Second)
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-w.removed:
			return
		case <-w.woken:
		case <-timer:
		}
	}
}

func over(pod *v1.Pod) bool {
	return pod.DeletionTimestamp == nil && (pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed)
}

func (w *worker) takeInbox() {
	w.inboxMutex.Lock()
	defer w.inboxMutex.Unlock()
	if w.inbox != nil {
		w.mutex.Lock()
		w.pod = w.inbox
		w.mutex.Unlock()
		w.inbox = nil
	}
}

// advance moves every container as far as it goes and returns when to look again.
func (w *worker) advance(now time.Time) time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if limit := w.pod.Spec.ActiveDeadlineSeconds; limit != nil && w.doomed == "" {
		if now.After(w.began.Add(time.Duration(*limit) * time.Second)) {
			w.doomed = "DeadlineExceeded"
		}
	}
	if w.pod.DeletionTimestamp != nil || w.doomed != "" {
		return w.wind(now)
	}
	next := time.Time{}
	if limit := w.pod.Spec.ActiveDeadlineSeconds; limit != nil {
		next = w.began.Add(time.Duration(*limit)*time.Second + time.Millisecond)
	}
	if steering(w.pod) == steerPending {
		return next
	}
	if !w.began.IsZero() && !w.anyStarted() {
		if missing := w.missingVolume(); missing != "" {
			if missing != w.complained {
				w.complained = missing
				w.event(v1.EventTypeWarning, "FailedMount", "%s", missing)
			}
			return sooner(next, now.Add(time.Second))
		}
	}
	for _, each := range w.containers {
		next = sooner(next, w.step(each, now))
		if !each.initial {
			continue
		}
		if each.sidecar() && each.running() {
			continue
		}
		if !each.succeeded() {
			return next
		}
	}
	if delay := readyDelay(w.pod); delay > 0 {
		for _, each := range w.containers {
			if each.running() {
				ready := each.state.Running.StartedAt.Add(delay)
				if ready.After(now) {
					next = sooner(next, ready)
				}
			}
		}
	}
	return next
}

// wind stops the containers: asked first, killed when the grace period is over.
func (w *worker) wind(now time.Time) time.Time {
	if !w.asked {
		w.asked = true
		grace := int64(0)
		if w.pod.DeletionGracePeriodSeconds != nil {
			grace = *w.pod.DeletionGracePeriodSeconds
		}
		w.killAt = now.Add(time.Duration(grace) * time.Second)
		for _, each := range w.containers {
			if each.running() {
				w.event(v1.EventTypeNormal, "Killing", "Stopping container %s", each.spec.Name)
			}
			w.end(each, syscall.SIGTERM, now)
		}
	}
	left := false
	for _, each := range w.containers {
		if !each.running() {
			continue
		}
		if each.process != nil && each.process.over() {
			w.terminate(each, each.process.exitCode, each.process.ended)
			continue
		}
		if !now.Before(w.killAt) {
			w.end(each, syscall.SIGKILL, now)
		}
		left = left || each.running()
	}
	if left && now.Before(w.killAt) {
		return w.killAt
	}
	return time.Time{}
}

func (w *worker) stopped() bool {
	for _, each := range w.containers {
		if each.running() {
			return false
		}
	}
	return true
}

func (w *worker) anyStarted() bool {
	for _, each := range w.containers {
		if each.startedOnce {
			return true
		}
	}
	return false
}

// publish writes the status when it differs from the one in the cluster.
func (w *worker) publish(ctx context.Context) error {
	status := w.status(time.Now())
	updated, _, unchanged, err := utilpod.PatchPodStatus(ctx, w.kubelet.client, w.namespace, w.name, w.uid, w.pod.Status, status)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		// Gone, or another pod of that name by now: the watch will say so.
		return nil
	case err != nil:
		if ctx.Err() == nil {
			klog.ErrorS(err, "write pod status", "pod", w.namespace+"/"+w.name)
		}
		return err
	case !unchanged:
		w.mutex.Lock()
		w.pod = updated
		w.mutex.Unlock()
	}
	return nil
}

// delete removes the pod for good. False means to try again.
func (w *worker) delete(ctx context.Context) bool {
	now := int64(0)
	err := w.kubelet.client.CoreV1().Pods(w.namespace).Delete(ctx, w.name, metav1.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &metav1.Preconditions{UID: &w.uid},
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return true
	}
	if ctx.Err() == nil {
		klog.ErrorS(err, "delete pod", "pod", w.namespace+"/"+w.name)
	}
	return false
}

// cleanUp kills what still runs, when the pod was removed by force or we stop.
func (w *worker) cleanUp() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, each := range w.containers {
		if each.process != nil {
			each.process.signal(syscall.SIGKILL)
		}
		if each.log != nil && each.process == nil {
			each.log.end()
		}
	}
	os.RemoveAll(filepath.Join(w.kubelet.options.Directory, string(w.uid)))
}

func (w *worker) event(kind, reason, format string, arguments ...any) {
	w.kubelet.events.Eventf(w.pod, kind, reason, format, arguments...)
}

// sooner is the earlier of two moments, of which zero is never.
func sooner(one, other time.Time) time.Time {
	if one.IsZero() || (!other.IsZero() && other.Before(one)) {
		return other
	}
	return one
}
