// Package components runs the programs a control plane is made of, as their authors ship them.
package components

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/cli/globalflag"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// ListenerVariable names the environment variable that holds the number of an inherited, already
// listening file descriptor. A port handed over cannot be taken by somebody else in between.
const ListenerVariable = "CONTROLPLANE_LISTENER_FD"

// ControllerManager runs kube-controller-manager.
func ControllerManager() int {
	return cli.Run(controllermanager.NewControllerManagerCommand())
}

// Scheduler runs kube-scheduler.
func Scheduler() int {
	return cli.Run(scheduler.NewSchedulerCommand())
}

// APIServer runs kube-apiserver, on the inherited listener when there is one.
func APIServer() int {
	if os.Getenv(ListenerVariable) == "" {
		return cli.Run(apiserver.NewAPIServerCommand())
	}
	return cli.Run(apiServerOnListener())
}

// apiServerOnListener is the upstream command with one difference: the listener is inherited.
func apiServerOnListener() *cobra.Command {
	run := apiserveroptions.NewServerRunOptions()
	ctx := genericapiserver.SetupSignalContext()
	command := &cobra.Command{
		Use:          "kube-apiserver",
		SilenceUsage: true,
		Args:         cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			rest.SetDefaultWarningHandler(rest.NoWarnings{})
			return run.GenericServerRunOptions.ComponentGlobalsRegistry.Set()
		},
		RunE: func(*cobra.Command, []string) error { return serve(ctx, run) },
	}
	command.SetContext(ctx)
	sets := run.Flags()
	globalflag.AddGlobalFlags(sets.FlagSet("global"), command.Name(), logs.SkipLoggingConfigurationFlags())
	for _, set := range sets.FlagSets {
		command.Flags().AddFlagSet(set)
	}
	return command
}

func serve(ctx context.Context, run *apiserveroptions.ServerRunOptions) error {
	gates := run.GenericServerRunOptions.ComponentGlobalsRegistry.FeatureGateFor(basecompatibility.DefaultKubeComponent)
	if err := logsapi.ValidateAndApply(run.Logs, gates); err != nil {
		return err
	}
	listener, err := inheritedListener()
	if err != nil {
		return err
	}
	run.SecureServing.Listener = listener
	run.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	completed, err := run.Complete(ctx)
	if err != nil {
		return err
	}
	if errs := completed.Validate(); len(errs) != 0 {
		return utilerrors.NewAggregate(errs)
	}
	return apiserver.Run(ctx, completed)
}

func inheritedListener() (net.Listener, error) {
	number, err := strconv.Atoi(os.Getenv(ListenerVariable))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", ListenerVariable, err)
	}
	file := os.NewFile(uintptr(number), "listener")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("inherit listener %d: %w", number, err)
	}
	if _, tcp := listener.Addr().(*net.TCPAddr); !tcp {
		return nil, fmt.Errorf("inherit listener %d: not a TCP socket", number)
	}
	return listener, nil
}
