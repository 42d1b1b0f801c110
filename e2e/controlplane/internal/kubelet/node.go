package kubelet

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

const (
	leasePeriod  = 10 * time.Second
	statusPeriod = 5 * time.Minute
	hostAddress  = "127.0.0.1"
)

func nodeName(index int) string { return fmt.Sprintf("node-%d", index+1) }

func (k *Kubelet) registerNodes(ctx context.Context) error {
	for index := range k.options.Nodes {
		node := k.node(nodeName(index))
		status := node.Status
		made, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("register %s: %w", node.Name, err)
		}
		// A new node is tainted "not ready" by admission. Nobody manages the lives of our nodes, so
		// the taint is ours to take away.
		made.Spec.Taints = nil
		if made, err = k.client.CoreV1().Nodes().Update(ctx, made, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("register %s: %w", node.Name, err)
		}
		made.Status = status
		if _, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("register %s: %w", node.Name, err)
		}
	}
	return nil
}

func (k *Kubelet) node(name string) *v1.Node {
	capacity := v1.ResourceList{
		v1.ResourceCPU:              resource.MustParse("64"),
		v1.ResourceMemory:           resource.MustParse("256Gi"),
		v1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		v1.ResourcePods:             resource.MustParse("2000"),
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				v1.LabelArchStable:     "amd64",
				v1.LabelOSStable:       "linux",
				v1.LabelHostname:       name,
				"kubernetes.io/role":   "agent",
				v1.LabelTopologyZone:   "zone-1",
				v1.LabelTopologyRegion: "region-1",
			},
		},
		Spec: v1.NodeSpec{PodCIDR: "10.244.0.0/16", PodCIDRs: []string{"10.244.0.0/16"}},
		Status: v1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Conditions:  nodeConditions(metav1.Now(), metav1.Now()),
			Addresses: []v1.NodeAddress{
				{Type: v1.NodeInternalIP, Address: hostAddress},
				{Type: v1.NodeHostName, Address: name},
			},
			DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: k.port}},
			NodeInfo: v1.NodeSystemInfo{
				Architecture:            "amd64",
				OperatingSystem:         "linux",
				OSImage:                 "pretend",
				KernelVersion:           "pretend",
				ContainerRuntimeVersion: "pretend://1",
				KubeletVersion:          "v1.36.0-pretend",
			},
		},
	}
}

func nodeConditions(since, now metav1.Time) []v1.NodeCondition {
	condition := func(kind v1.NodeConditionType, status v1.ConditionStatus, reason, message string) v1.NodeCondition {
		return v1.NodeCondition{
			Type: kind, Status: status, Reason: reason, Message: message,
			LastHeartbeatTime: now, LastTransitionTime: since,
		}
	}
	return []v1.NodeCondition{
		condition(v1.NodeMemoryPressure, v1.ConditionFalse, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		condition(v1.NodeDiskPressure, v1.ConditionFalse, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		condition(v1.NodePIDPressure, v1.ConditionFalse, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		condition(v1.NodeReady, v1.ConditionTrue, "KubeletReady", "kubelet is posting ready status"),
	}
}

// heartbeats keeps leases and node statuses fresh, for those who look at them.
func (k *Kubelet) heartbeats(ctx context.Context) {
	since := metav1.Now()
	tick := time.NewTicker(leasePeriod)
	defer tick.Stop()
	reported := time.Now()
	for {
		report := time.Since(reported) >= statusPeriod
		if report {
			reported = time.Now()
		}
		for index := range k.options.Nodes {
			name := nodeName(index)
			err := k.renewLease(ctx, name)
			if err == nil && report {
				err = k.reportStatus(ctx, name, since)
			}
			if err != nil && ctx.Err() == nil {
				klog.ErrorS(err, "heartbeat", "node", name)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (k *Kubelet) renewLease(ctx context.Context, name string) error {
	leases := k.client.CoordinationV1().Leases(v1.NamespaceNodeLease)
	now := metav1.NowMicro()
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: coordinationv1.LeaseSpec{
				HolderIdentity:       &name,
				LeaseDurationSeconds: ptr.To[int32](40),
				RenewTime:            &now,
			},
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec.RenewTime = &now
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

func (k *Kubelet) reportStatus(ctx context.Context, name string, since metav1.Time) error {
	node, err := k.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.Status.Conditions = nodeConditions(since, metav1.Now())
	_, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}
