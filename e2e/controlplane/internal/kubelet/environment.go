package kubelet

import (
	"context"
	"fmt"
	"os"
	"sort"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

const readLimit = 10 * time.Second

// environment is what a container's process sees, in the order it was declared.
type environment struct {
	names  []string
	values map[string]string
}

func (e *environment) set(name, value string) {
	if _, known := e.values[name]; !known {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

func (e *environment) expand(text string) string {
	return expansion.Expand(text, expansion.MappingFuncFor(e.values))
}

// command is the command line with `$(NAME)` put in.
func (e *environment) command(spec v1.Container) []string {
	var line []string
	for _, argument := range append(append([]string(nil), spec.Command...), spec.Args...) {
		line = append(line, e.expand(argument))
	}
	return line
}

func (e *environment) list(home, host string) []string {
	list := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "HOSTNAME=" + host}
	for _, name := range e.names {
		list = append(list, name+"="+e.values[name])
	}
	return list
}

// environment reads everything a container's environment refers to. An error is the user's to
// mend, as with a real kubelet: a reference to something that is not there.
func (w *worker) environment(c *container) (*environment, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	made := &environment{values: map[string]string{}}
	for _, source := range c.spec.EnvFrom {
		values, err := w.everyKey(ctx, source)
		if err != nil {
			return nil, err
		}
		keys := make([]string, 0, len(values))
		for key := range values {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			made.set(source.Prefix+key, values[key])
		}
	}
	for _, variable := range c.spec.Env {
		if variable.ValueFrom == nil {
			made.set(variable.Name, made.expand(variable.Value))
			continue
		}
		value, found, err := w.valueFrom(ctx, variable.ValueFrom)
		if err != nil {
			return nil, err
		}
		if found {
			made.set(variable.Name, value)
		}
	}
	return made, nil
}

func (w *worker) everyKey(ctx context.Context, source v1.EnvFromSource) (map[string]string, error) {
	switch {
	case source.ConfigMapRef != nil:
		return w.configMap(ctx, source.ConfigMapRef.Name, optional(source.ConfigMapRef.Optional))
	case source.SecretRef != nil:
		return w.secret(ctx, source.SecretRef.Name, optional(source.SecretRef.Optional))
	default:
		return nil, nil
	}
}

func (w *worker) valueFrom(ctx context.Context, source *v1.EnvVarSource) (string, bool, error) {
	switch {
	case source.FieldRef != nil:
		value, err := w.field(source.FieldRef.FieldPath)
		return value, err == nil, err
	case source.ConfigMapKeyRef != nil:
		reference := source.ConfigMapKeyRef
		values, err := w.configMap(ctx, reference.Name, optional(reference.Optional))
		return pick(values, err, reference.Key, optional(reference.Optional), "ConfigMap", reference.Name)
	case source.SecretKeyRef != nil:
		reference := source.SecretKeyRef
		values, err := w.secret(ctx, reference.Name, optional(reference.Optional))
		return pick(values, err, reference.Key, optional(reference.Optional), "Secret", reference.Name)
	default:
		// Resource fields describe a machine there is not.
		return "0", source.ResourceFieldRef != nil, nil
	}
}

func pick(values map[string]string, err error, key string, optional bool, kind, name string) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	value, found := values[key]
	if !found && !optional {
		return "", false, fmt.Errorf("couldn't find key %s in %s %s", key, kind, name)
	}
	return value, found, nil
}

func (w *worker) field(path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return w.pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return w.pod.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return hostAddress, nil
	case "status.podIP", "status.podIPs":
		return w.address, nil
	default:
		return fieldpath.ExtractFieldPathAsString(w.pod, path)
	}
}

func (w *worker) configMap(ctx context.Context, name string, optional bool) (map[string]string, error) {
	found, err := w.kubelet.client.CoreV1().ConfigMaps(w.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && optional {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found.Data, nil
}

func (w *worker) secret(ctx context.Context, name string, optional bool) (map[string]string, error) {
	found, err := w.kubelet.client.CoreV1().Secrets(w.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && optional {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for key, value := range found.Data {
		values[key] = string(value)
	}
	return values, nil
}

// missingVolume names the first volume whose content is not there yet, or is empty. A pod waits in
// ContainerCreating for it.
func (w *worker) missingVolume() string {
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	for _, volume := range w.pod.Spec.Volumes {
		var err error
		switch {
		case volume.ConfigMap != nil:
			_, err = w.configMap(ctx, volume.ConfigMap.Name, optional(volume.ConfigMap.Optional))
		case volume.Secret != nil:
			_, err = w.secret(ctx, volume.Secret.SecretName, optional(volume.Secret.Optional))
		}
		if err != nil {
			return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", volume.Name, err)
		}
	}
	return ""
}

func optional(value *bool) bool { return value != nil && *value }
