package components

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startLimit bounds the wait for a fresh one-member etcd, which takes well under a second.
const startLimit = 60 * time.Second

// EtcdSocket is where StartEtcd listens inside its directory. A socket file needs no free port and
// is closed to other users by the mode of the directory.
func EtcdSocket(directory string) string { return filepath.Join(directory, "client.sock") }

// StartEtcd starts a throw-away member: nothing is synced to disk, since nothing outlives a test.
func StartEtcd(directory string, logFile string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = filepath.Join(directory, "data")
	config.ListenClientUrls = []url.URL{{Scheme: "unix", Path: EtcdSocket(directory)}}
	config.ListenPeerUrls = []url.URL{{Scheme: "unix", Path: filepath.Join(directory, "peer.sock")}}
	config.LogLevel = "warn"
	config.LogOutputs = []string{logFile}
	config.UnsafeNoFsync = true
	config.EnableGRPCGateway = false
	// One member elects itself; the usual second of waiting for others is for nothing.
	config.TickMs = 20
	config.ElectionMs = 100
	config.SnapshotCount = 5000
	config.SnapshotCatchUpEntries = 500
	config.MaxRequestBytes = 8 << 20
	config.QuotaBackendBytes = 2 << 30
	// Unset, every request is logged as slow.
	config.WarningUnaryRequestDuration = time.Second
	// The apiserver compacts every five minutes by itself.
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", directory, err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		etcd.Close()
		return nil, fmt.Errorf("start etcd in %s: %w", directory, err)
	case <-time.After(startLimit):
		etcd.Close()
		return nil, fmt.Errorf("start etcd in %s: not ready after %s", directory, startLimit)
	}
}

// Etcd runs one member until it is told to stop.
func Etcd(arguments []string) int {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	directory := flags.String("directory", "", "folder for the data and the socket (required)")
	flags.Parse(arguments)
	if *directory == "" {
		fmt.Fprintln(os.Stderr, "etcd: -directory is required")
		return 2
	}
	if err := os.MkdirAll(*directory, 0o700); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	etcd, err := StartEtcd(*directory, "stderr")
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	defer etcd.Close()
	fmt.Println("unix://" + EtcdSocket(*directory))
	select {
	case <-stop:
		return 0
	case err := <-etcd.Err():
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
}
