// Command controlplane is a real Kubernetes control plane in one binary, for tests on one machine.
//
// `up` starts everything and lives until its standard input ends; the other subcommands are the
// components as the project ships them and are what `up` starts.
package main

import (
	"fmt"
	"os"

	_ "time/tzdata" // CronJobs name time zones, and the host may have none

	"argocd-rs.dev/e2e/controlplane/internal/components"
	"argocd-rs.dev/e2e/controlplane/internal/supervise"
)

const usage = `usage: controlplane <up | etcd | kube-apiserver | kube-controller-manager | kube-scheduler> [flags]
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	name := os.Args[1]
	// The components read their flags from the command line themselves.
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "up":
		os.Exit(supervise.Main(os.Args[1:]))
	case "etcd":
		os.Exit(components.Etcd(os.Args[1:]))
	case "kube-apiserver":
		os.Exit(components.APIServer())
	case "kube-controller-manager":
		os.Exit(components.ControllerManager())
	case "kube-scheduler":
		os.Exit(components.Scheduler())
	default:
		fmt.Fprintf(os.Stderr, "unknown subcommand %q\n%s", name, usage)
		os.Exit(2)
	}
}
