package supervise

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func (p *controlPlane) client() (kubernetes.Interface, error) {
	config := clientConfig(p.server, p.made.authority, p.made.administrator, "controlplane")
	// JSON spares us nothing here and protobuf costs nothing: both are linked in anyway.
	config.ContentType = "application/vnd.kubernetes.protobuf"
	return kubernetes.NewForConfig(config)
}

func apiServerReady(client kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		return client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}
}

// controllersReady says whether a pod could be created and run now: its service account, the
// authority it trusts, and a node to run on all come from controllers.
func controllersReady(client kubernetes.Interface) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return fmt.Errorf("service account of the default namespace: %w", err)
		}
		if _, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kube-root-ca.crt", metav1.GetOptions{}); err != nil {
			return fmt.Errorf("root authority in the default namespace: %w", err)
		}
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("nodes: %w", err)
		}
		if len(nodes.Items) == 0 {
			return errors.New("no node yet")
		}
		return nil
	}
}
