package kubelet

import (
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// status is the pod's status as it should be now. Fields that others write are kept.
func (w *worker) status(now time.Time) v1.PodStatus {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	status := *w.pod.Status.DeepCopy()
	status.ObservedGeneration = w.pod.Generation
	status.StartTime = &w.began
	status.HostIP = hostAddress
	status.HostIPs = []v1.HostIP{{IP: hostAddress}}
	status.InitContainerStatuses, status.ContainerStatuses = nil, nil
	for _, each := range w.containers {
		shown := w.containerStatus(each, now)
		if each.initial {
			status.InitContainerStatuses = append(status.InitContainerStatuses, shown)
		} else {
			status.ContainerStatuses = append(status.ContainerStatuses, shown)
		}
	}
	if w.anyStarted() {
		status.PodIP = w.address
		status.PodIPs = []v1.PodIP{{IP: w.address}}
	}
	status.Phase = w.phase()
	if w.doomed != "" {
		status.Phase = v1.PodFailed
		status.Reason = w.doomed
		status.Message = "Pod was active on the node longer than the specified deadline"
	}
	w.conditions(&status)
	return status
}

func (w *worker) containerStatus(c *container, now time.Time) v1.ContainerStatus {
	ready := c.running() && steering(w.pod) != steerNeverReady &&
		!c.state.Running.StartedAt.Add(readyDelay(w.pod)).After(now)
	if c.initial && !c.sidecar() {
		ready = c.succeeded()
	}
	shown := v1.ContainerStatus{
		Name:                 c.spec.Name,
		State:                c.state,
		LastTerminationState: c.last,
		Ready:                ready,
		RestartCount:         c.restarts,
		Image:                c.spec.Image,
		Started:              ptr.To(c.running()),
	}
	if c.startedOnce {
		shown.ImageID = imageID(c.spec.Image)
		shown.ContainerID = w.containerID(c)
	}
	return shown
}

// phase follows the rules of a real kubelet (getPhase).
func (w *worker) phase() v1.PodPhase {
	policy := w.pod.Spec.RestartPolicy
	var running, waiting, failed, succeeded int
	for _, each := range w.containers {
		if each.initial {
			switch {
			case each.sidecar() && each.startedOnce, each.succeeded():
				continue
			case each.state.Terminated != nil && !each.restartable(policy):
				return v1.PodFailed
			default:
				return v1.PodPending
			}
		}
		switch {
		case each.running():
			running++
		case each.succeeded():
			succeeded++
		case each.state.Terminated != nil:
			failed++
		case each.startedOnce:
			running++ // between two runs
		default:
			waiting++
		}
	}
	deleted := w.pod.DeletionTimestamp != nil
	switch {
	case waiting > 0 && deleted:
		return v1.PodFailed
	case waiting > 0:
		return v1.PodPending
	case running > 0 && !(deleted && w.stopped()):
		return v1.PodRunning
	case policy == v1.RestartPolicyAlways && !deleted:
		return v1.PodRunning
	case failed > 0 || running > 0:
		return v1.PodFailed
	case succeeded > 0:
		return v1.PodSucceeded
	default:
		return v1.PodRunning
	}
}

func (w *worker) conditions(status *v1.PodStatus) {
	var uninitialised, unready []string
	for _, each := range status.InitContainerStatuses {
		started := each.Ready || (each.Started != nil && *each.Started && w.isSidecar(each.Name))
		if !started {
			uninitialised = append(uninitialised, each.Name)
		}
	}
	for _, each := range status.ContainerStatuses {
		if !each.Ready {
			unready = append(unready, each.Name)
		}
	}
	sandbox := v1.ConditionFalse
	if status.PodIP != "" && !w.stopped() {
		sandbox = v1.ConditionTrue
	}
	w.condition(status, v1.PodReadyToStartContainers, sandbox, "", "")
	completed := status.Phase == v1.PodSucceeded
	switch {
	case len(uninitialised) == 0 && completed:
		w.condition(status, v1.PodInitialized, v1.ConditionTrue, "PodCompleted", "")
	case len(uninitialised) == 0:
		w.condition(status, v1.PodInitialized, v1.ConditionTrue, "", "")
	default:
		w.condition(status, v1.PodInitialized, v1.ConditionFalse, "ContainersNotInitialized",
			"containers with incomplete status: ["+strings.Join(uninitialised, " ")+"]")
	}
	ready, reason, message := v1.ConditionTrue, "", ""
	switch {
	case completed:
		ready, reason = v1.ConditionFalse, "PodCompleted"
	case status.Phase == v1.PodFailed:
		ready, reason = v1.ConditionFalse, "PodFailed"
	case len(unready) > 0:
		ready, reason = v1.ConditionFalse, "ContainersNotReady"
		message = "containers with unready status: [" + strings.Join(unready, " ") + "]"
	}
	w.condition(status, v1.ContainersReady, ready, reason, message)
	if missing := closedGates(w.pod, status); ready == v1.ConditionTrue && len(missing) > 0 {
		ready, reason = v1.ConditionFalse, "ReadinessGatesNotReady"
		message = "corresponding condition of pod readiness gate " + missing[0] + " is not true"
	}
	w.condition(status, v1.PodReady, ready, reason, message)
}

func (w *worker) isSidecar(name string) bool {
	return slices.ContainsFunc(w.containers, func(c *container) bool { return c.spec.Name == name && c.sidecar() })
}

func closedGates(pod *v1.Pod, status *v1.PodStatus) []string {
	var closed []string
	for _, gate := range pod.Spec.ReadinessGates {
		open := slices.ContainsFunc(status.Conditions, func(each v1.PodCondition) bool {
			return each.Type == gate.ConditionType && each.Status == v1.ConditionTrue
		})
		if !open {
			closed = append(closed, string(gate.ConditionType))
		}
	}
	return closed
}

// condition sets one condition; its transition time moves only when its status does.
func (w *worker) condition(status *v1.PodStatus, kind v1.PodConditionType, value v1.ConditionStatus, reason, message string) {
	wanted := v1.PodCondition{
		Type: kind, Status: value, Reason: reason, Message: message,
		ObservedGeneration: w.pod.Generation,
		LastTransitionTime: metav1.Now().Rfc3339Copy(),
	}
	for index := range status.Conditions {
		known := &status.Conditions[index]
		if known.Type == kind {
			if known.Status == value {
				wanted.LastTransitionTime = known.LastTransitionTime
			}
			*known = wanted
			return
		}
	}
	status.Conditions = append(status.Conditions, wanted)
}
