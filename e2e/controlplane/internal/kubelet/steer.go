package kubelet

import (
	"fmt"
	"path"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// steerAnnotation says how a pod is to behave, against what its specification would make it do.
const steerAnnotation = "e2e.argocd-rs.dev/pod"

// Steering is one of the behaviours a test may ask for.
const (
	steerNeverReady     = "never-ready"      // runs, and is never ready
	steerCrashLoop      = "crash-loop"       // every container ends at once with code 1
	steerImagePullError = "image-pull-error" // no image can be pulled
	steerNeverEnd       = "never-end"        // runs for ever, whatever the command
	steerSucceed        = "succeed"          // every container ends at once with code 0
	steerFail           = "fail"             // every container ends at once with code 1
	steerPending        = "pending"          // stays in ContainerCreating
)

// readyDelayAnnotation holds a duration, such as `3s`, for which a started container is not ready.
const readyDelayAnnotation = "e2e.argocd-rs.dev/ready-after"

func steering(pod *v1.Pod) string { return pod.Annotations[steerAnnotation] }

func readyDelay(pod *v1.Pod) time.Duration {
	delay, err := time.ParseDuration(pod.Annotations[readyDelayAnnotation])
	if err != nil || delay < 0 {
		return 0
	}
	return delay
}

// pullFails: by annotation, or since the registry is in the domain that never resolves (RFC 2606).
func pullFails(pod *v1.Pod, image string) bool {
	host, _, found := strings.Cut(image, "/")
	host, _, _ = strings.Cut(host, ":")
	return steering(pod) == steerImagePullError || (found && strings.HasSuffix(host, ".invalid"))
}

// invalidImage is what is wrong with an image's name, as the kubelet says it.
func invalidImage(image string) string {
	if _, _, _, err := parsers.ParseImageName(image); err != nil {
		return fmt.Sprintf("Failed to apply default image tag %q: %s", image, err)
	}
	return ""
}

// script is the command line to really run, or nil when the container is only pretended: a shell
// with a flag that takes the script from the command line, as in `sh -c`, `/bin/bash -ec`, or one
// of the small programs that every image has, which end by themselves.
func script(command []string) []string {
	if len(command) == 0 {
		return nil
	}
	switch program := path.Base(command[0]); program {
	case "true", "false", "echo", "date", "sleep":
		return append([]string{program}, command[1:]...)
	case "sh", "bash", "ash", "dash":
	default:
		return nil
	}
	if len(command) < 3 {
		return nil
	}
	for _, argument := range command[1 : len(command)-1] {
		if !strings.HasPrefix(argument, "-") {
			return nil
		}
		if !strings.HasPrefix(argument, "--") && strings.HasSuffix(argument, "c") {
			shell := "/bin/sh"
			if path.Base(command[0]) == "bash" {
				shell = "bash"
			}
			return append([]string{shell}, command[1:]...)
		}
	}
	return nil
}
