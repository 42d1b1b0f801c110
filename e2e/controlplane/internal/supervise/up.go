// Package supervise starts a whole control plane, keeps it together and leaves nothing behind.
package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"argocd-rs.dev/e2e/controlplane/internal/components"
	"argocd-rs.dev/e2e/controlplane/internal/kubelet"
)

// options are the flags of `up`.
type options struct {
	directory, logs   string
	nodes             int
	limit             time.Duration
	containerLifetime time.Duration
	apiServerExtra    []string
}

// announcement is the one line on standard output that says the control plane is ready.
type announcement struct {
	Kubeconfig           string `json:"kubeconfig"`
	Server               string `json:"server"`
	CertificateAuthority string `json:"certificate_authority"`
	DataDirectory        string `json:"data_directory"`
	Logs                 string `json:"logs"`
	ReadyMs              int64  `json:"ready_ms"`
}

// Main is the subcommand `up`. It returns the exit code.
func Main(arguments []string) int {
	// See launcher: this thread must live as long as the components.
	runtime.LockOSThread()
	chosen := parse(arguments)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, ended := context.WithCancel(ctx)
	go func() {
		// Our parent holds the other end; nothing is read, only the end matters.
		_, _ = io.Copy(io.Discard, os.Stdin)
		ended()
	}()
	if err := run(ctx, chosen); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	return 0
}

func parse(arguments []string) options {
	var chosen options
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	flags.StringVar(&chosen.directory, "data-dir", "", "folder for everything; must not exist yet, is removed at the end (default: a fresh temporary folder)")
	flags.StringVar(&chosen.logs, "log-dir", "", "folder for the components' logs, kept (default: inside the data folder)")
	flags.IntVar(&chosen.nodes, "nodes", 1, "number of pretend nodes")
	flags.DurationVar(&chosen.limit, "start-limit", 2*time.Minute, "give up when not ready after this long")
	flags.DurationVar(&chosen.containerLifetime, "container-lifetime", 2*time.Hour, "kill a container's process after this long")
	flags.Func("apiserver-flag", "one more flag for kube-apiserver, may be repeated", func(value string) error {
		chosen.apiServerExtra = append(chosen.apiServerExtra, value)
		return nil
	})
	_ = flags.Parse(arguments)
	return chosen
}

// controlPlane is what has been started so far.
type controlPlane struct {
	options    options
	files      layout
	made       *identities
	launcher   *launcher
	etcd       *embed.Etcd
	kubelet    *kubelet.Kubelet
	server     string
	kubeconfig string
}

func run(ctx context.Context, chosen options) error {
	started := time.Now()
	root, err := makeRoot(chosen.directory)
	if err != nil {
		return err
	}
	watcher, err := startGuard(root)
	if err != nil {
		os.RemoveAll(root)
		return err
	}
	defer watcher.finish()
	files, err := newLayout(root, chosen.logs)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	plane := &controlPlane{
		options: chosen,
		files:   files,
		launcher: &launcher{
			binary: binary,
			groups: files.groups,
			logs:   files.logs,
			exited: make(chan string, 8),
		},
	}
	defer plane.stop()
	limited, cancel := context.WithTimeout(ctx, chosen.limit)
	defer cancel()
	if err := plane.start(limited); err != nil {
		return err
	}
	line, err := json.Marshal(announcement{
		Kubeconfig:           plane.kubeconfig,
		Server:               plane.server,
		CertificateAuthority: plane.made.authority.Path(),
		DataDirectory:        root,
		Logs:                 files.logs,
		ReadyMs:              time.Since(started).Milliseconds(),
	})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	select {
	case <-ctx.Done():
		return nil
	case name := <-plane.launcher.exited:
		plane.launcher.exited <- name
		return fmt.Errorf("%s ended by itself; its log ends:\n%s", name, plane.launcher.tail(name))
	case err := <-plane.etcd.Err():
		return fmt.Errorf("etcd ended by itself: %w", err)
	}
}

// makeRoot creates the data directory. An existing folder is refused: it is removed at the end, and
// what we did not make is not ours to remove.
func makeRoot(directory string) (string, error) {
	if directory == "" {
		return os.MkdirTemp("", "argocd-rs-controlplane-")
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(absolute), 0o755); err != nil {
		return "", err
	}
	return absolute, os.Mkdir(absolute, 0o700)
}

func (p *controlPlane) start(ctx context.Context) error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen on loopback: %w", err)
	}
	defer listener.Close()
	p.server = "https://" + listener.Addr().String()
	if p.made, err = newIdentities(p.files); err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	p.kubeconfig = filepath.Join(p.files.root, "kubeconfig")
	managerConfig := filepath.Join(p.files.certificates, "controller-manager.kubeconfig")
	schedulerConfig := filepath.Join(p.files.certificates, "scheduler.kubeconfig")
	if err := errors.Join(
		writeKubeconfig(p.kubeconfig, p.server, p.made.authority, p.made.administrator),
		writeKubeconfig(managerConfig, p.server, p.made.authority, p.made.controllerManager),
		writeKubeconfig(schedulerConfig, p.server, p.made.authority, p.made.scheduler),
	); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	if p.etcd, err = components.StartEtcd(p.files.etcd, filepath.Join(p.files.logs, "etcd.log")); err != nil {
		return err
	}
	if err := p.startAPIServer(listener.(*net.TCPListener)); err != nil {
		return err
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	if err := p.await(ctx, "the apiserver", apiServerReady(client)); err != nil {
		return err
	}
	if err := p.launcher.start("kube-controller-manager", controllerManagerArguments(p.files, p.made, managerConfig), []string{collectorPercent(50)}, nil); err != nil {
		return err
	}
	if err := p.launcher.start("kube-scheduler", schedulerArguments(schedulerConfig), []string{collectorPercent(50)}, nil); err != nil {
		return err
	}
	if err := p.startKubelet(ctx); err != nil {
		return err
	}
	return p.await(ctx, "the controllers", controllersReady(client))
}

func (p *controlPlane) startAPIServer(listener *net.TCPListener) error {
	socket, err := listener.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	environment := []string{components.ListenerVariable + "=3", collectorPercent(50)}
	return p.launcher.start("kube-apiserver", apiServerArguments(p.files, p.made, p.options.apiServerExtra), environment, socket)
}

func (p *controlPlane) startKubelet(ctx context.Context) error {
	serving, err := p.made.kubelet.TLS()
	if err != nil {
		return err
	}
	p.kubelet, err = kubelet.Start(ctx, kubelet.Options{
		Config:            clientConfig(p.server, p.made.authority, p.made.nodeAgent, "kubelet"),
		Directory:         p.files.pods,
		Groups:            p.files.groups,
		Nodes:             p.options.nodes,
		Serving:           serving,
		Clients:           p.made.authority.Pool(),
		ContainerLifetime: p.options.containerLifetime,
	})
	return err
}

// await polls until a part is ready, or says why it will not be.
func (p *controlPlane) await(ctx context.Context, what string, ready func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		last := ready(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("wait for %s: gave up after %s: %w%s", what, p.options.limit, last, p.tails())
		case name := <-p.launcher.exited:
			p.launcher.exited <- name
			return fmt.Errorf("wait for %s: %s ended; its log ends:\n%s", what, name, p.launcher.tail(name))
		case <-tick.C:
		}
	}
}

func (p *controlPlane) tails() string {
	var text strings.Builder
	for _, process := range p.launcher.processes {
		fmt.Fprintf(&text, "\n--- %s\n%s", process.name, p.launcher.tail(process.name))
	}
	return text.String()
}

func (p *controlPlane) stop() {
	if p.kubelet != nil {
		p.kubelet.Stop()
	}
	p.launcher.stop()
	if p.etcd != nil {
		// Closed without ceremony: the data goes with the directory.
		p.etcd.Server.HardStop()
	}
}
