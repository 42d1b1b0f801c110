package supervise

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"argocd-rs.dev/e2e/controlplane/internal/certificates"
	"argocd-rs.dev/e2e/controlplane/internal/components"
)

// controllers are those an application's resources need; the rest would only cost memory.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"cronjob-controller",
	"daemonset-controller",
	"deployment-controller",
	"disruption-controller",
	"endpoints-controller",
	"endpointslice-controller",
	"ephemeral-volume-controller",
	"garbage-collector-controller",
	"horizontal-pod-autoscaler-controller",
	"job-controller",
	"namespace-controller",
	"persistentvolume-binder-controller",
	"persistentvolume-protection-controller",
	"persistentvolumeclaim-protection-controller",
	"pod-garbage-collector-controller",
	"replicaset-controller",
	"replicationcontroller-controller",
	"resourcequota-controller",
	"root-ca-certificate-publisher-controller",
	"service-cidr-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"statefulset-controller",
	"ttl-after-finished-controller",
}

// layout is the data directory: which file is where.
type layout struct {
	root, certificates, etcd, groups, logs, pods string
}

func newLayout(root, logs string) (layout, error) {
	files := layout{
		root:         root,
		certificates: filepath.Join(root, "certificates"),
		etcd:         filepath.Join(root, "etcd"),
		groups:       filepath.Join(root, "groups"),
		logs:         logs,
		pods:         filepath.Join(root, "pods"),
	}
	if files.logs == "" {
		files.logs = filepath.Join(root, "logs")
	}
	for _, directory := range []string{files.certificates, files.etcd, files.groups, files.logs, files.pods} {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return layout{}, err
		}
	}
	return files, nil
}

func (f layout) signingKey() string { return filepath.Join(f.certificates, "service-accounts.key") }

// identities are the certificates of one control plane.
type identities struct {
	authority                        *certificates.Authority
	serving, kubelet                 certificates.Pair
	administrator, kubeletClient     certificates.Pair
	controllerManager, scheduler     certificates.Pair
	nodeAgent                        certificates.Pair
	frontProxyAuthority, frontClient certificates.Pair
}

func newIdentities(files layout) (*identities, error) {
	authority, err := certificates.NewAuthority(files.certificates)
	if err != nil {
		return nil, err
	}
	if err := certificates.SigningKey(files.signingKey()); err != nil {
		return nil, err
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, net.ParseIP(firstServiceAddress)}
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	made := &identities{authority: authority}
	if made.serving, err = authority.Server("kube-apiserver", names, loopback); err != nil {
		return nil, err
	}
	if made.kubelet, err = authority.Server("kubelet", []string{"localhost"}, loopback); err != nil {
		return nil, err
	}
	for _, client := range []struct {
		into *certificates.Pair
		user string
	}{
		{&made.administrator, "kubernetes-admin"},
		{&made.kubeletClient, "kube-apiserver-kubelet-client"},
		{&made.controllerManager, "system:kube-controller-manager"},
		{&made.scheduler, "system:kube-scheduler"},
		{&made.nodeAgent, "system:kubelet"},
	} {
		if *client.into, err = authority.Client(client.user, "system:masters"); err != nil {
			return nil, err
		}
	}
	return made, nil
}

const (
	serviceRange        = "10.96.0.0/16"
	firstServiceAddress = "10.96.0.1"
)

func apiServerArguments(files layout, made *identities, extra []string) []string {
	arguments := []string{
		"--advertise-address=127.0.0.1",
		"--bind-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // an endpoint on loopback is not valid
		"--allow-privileged=true",
		"--authorization-mode=RBAC",
		"--client-ca-file=" + made.authority.Path(),
		"--etcd-servers=unix://" + components.EtcdSocket(files.etcd),
		"--kubelet-certificate-authority=" + made.authority.Path(),
		"--kubelet-client-certificate=" + made.kubeletClient.CertificatePath,
		"--kubelet-client-key=" + made.kubeletClient.KeyPath,
		"--kubelet-preferred-address-types=InternalIP",
		"--profiling=false",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + files.signingKey(),
		"--service-account-signing-key-file=" + files.signingKey(),
		"--service-cluster-ip-range=" + serviceRange,
		"--tls-cert-file=" + made.serving.CertificatePath,
		"--tls-private-key-file=" + made.serving.KeyPath,
		"--v=1",
	}
	return append(arguments, extra...)
}

func controllerManagerArguments(files layout, made *identities, kubeconfig string) []string {
	return []string{
		"--controllers=" + strings.Join(controllers, ","),
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--profiling=false",
		"--root-ca-file=" + made.authority.Path(),
		"--secure-port=0",
		"--service-account-private-key-file=" + files.signingKey(),
		"--service-cluster-ip-range=" + serviceRange,
		"--use-service-account-credentials=false",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--concurrent-gc-syncs=5",
		"--namespace-sync-period=1m",
		"--min-resync-period=12h",
		"--v=1",
	}
}

func schedulerArguments(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--profiling=false",
		"--secure-port=0",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--v=1",
	}
}

// collectorPercent makes a component collect garbage sooner than Go would: memory is what several
// control planes on one machine run short of first.
func collectorPercent(percent int) string { return "GOGC=" + strconv.Itoa(percent) }
