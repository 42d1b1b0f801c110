// Package kubelet pretends to be the machines of a cluster.
//
// It binds no pods (the scheduler does) and starts no containers. A container whose command is a
// shell script (`sh -c …`) is really run, as a child process in a private folder; any other
// container is running and ready for as long as its pod lives. The kubelet's own API is served, so
// logs, exec and port-forward work through the apiserver.
//
// It must not know what the tests are about: how a pod behaves follows from its specification and
// from one annotation (see steer.go).
package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// Options are what a pretend kubelet needs to be told.
type Options struct {
	// Config reaches the apiserver as a user who may do everything.
	Config *rest.Config
	// Directory is a private folder; each container gets a folder inside it.
	Directory string
	// Groups is a folder with one file per process group that must not outlive us.
	Groups string
	// Nodes is how many nodes to pretend.
	Nodes int
	// Serving is the certificate of the kubelet API, Clients the authority its callers must show.
	Serving tls.Certificate
	Clients *x509.CertPool
	// ContainerLifetime bounds the life of a real process.
	ContainerLifetime time.Duration
}

// Kubelet is the running pretence.
type Kubelet struct {
	options   Options
	client    kubernetes.Interface
	processes *processes
	events    record.EventRecorder
	server    *http.Server
	port      int32
	cancel    context.CancelFunc
	addresses atomic.Uint32

	mutex   sync.Mutex
	workers map[types.UID]*worker
	tasks   sync.WaitGroup
}

// Start registers the nodes and begins to play pods.
func Start(ctx context.Context, options Options) (*Kubelet, error) {
	config := rest.CopyConfig(options.Config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the kubelet API: %w", err)
	}
	running, cancel := context.WithCancel(context.Background())
	k := &Kubelet{
		options:   options,
		client:    client,
		processes: newProcesses(options.Groups, options.ContainerLifetime),
		port:      int32(listener.Addr().(*net.TCPAddr).Port),
		cancel:    cancel,
		workers:   map[types.UID]*worker{},
	}
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	k.events = broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: "kubelet", Host: nodeName(0)})
	k.serve(listener)
	if err := k.registerNodes(ctx); err != nil {
		k.Stop()
		return nil, err
	}
	k.spawn(func() { k.heartbeats(running) })
	if err := k.watchPods(running); err != nil {
		k.Stop()
		return nil, err
	}
	if err := k.startVolumes(ctx, running); err != nil {
		k.Stop()
		return nil, err
	}
	return k, nil
}

// Stop ends the pretence and every process it started.
func (k *Kubelet) Stop() {
	k.cancel()
	_ = k.server.Close()
	k.tasks.Wait()
	k.processes.stop()
}

func (k *Kubelet) spawn(task func()) {
	k.tasks.Add(1)
	go func() {
		defer k.tasks.Done()
		task()
	}()
}

// watchPods gives every pod that is bound to a node a worker of its own.
func (k *Kubelet) watchPods(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0, informers.WithTweakListOptions(
		func(list *metav1.ListOptions) {
			list.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
		}))
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { k.seen(ctx, object) },
		UpdateFunc: func(_, object any) { k.seen(ctx, object) },
		DeleteFunc: k.gone,
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	return nil
}

func (k *Kubelet) seen(ctx context.Context, object any) {
	pod, ok := object.(*v1.Pod)
	if !ok {
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	known, ok := k.workers[pod.UID]
	if !ok {
		known = newWorker(k, pod)
		k.workers[pod.UID] = known
		k.spawn(func() { known.run(ctx) })
	}
	known.update(pod)
}

func (k *Kubelet) gone(object any) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	pod, ok := object.(*v1.Pod)
	if !ok {
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if known, ok := k.workers[pod.UID]; ok {
		known.remove()
		delete(k.workers, pod.UID)
	}
}

// worker finds the worker of a pod by its name, as the kubelet API asks.
func (k *Kubelet) worker(namespace, name string) *worker {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for _, known := range k.workers {
		if known.namespace == namespace && known.name == name {
			return known
		}
	}
	return nil
}

// nextAddress hands out pod addresses; a test has fewer pods than there are addresses.
func (k *Kubelet) nextAddress() string {
	number := k.addresses.Add(1)%65000 + 2
	return fmt.Sprintf("10.244.%d.%d", number/254%256, number%254+1)
}
