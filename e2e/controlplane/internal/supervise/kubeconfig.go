package supervise

import (
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"argocd-rs.dev/e2e/controlplane/internal/certificates"
)

const contextName = "controlplane"

// writeKubeconfig embeds the certificates, so that the file may be copied elsewhere.
func writeKubeconfig(path, server string, authority *certificates.Authority, user certificates.Pair) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[contextName] = &clientcmdapi.Cluster{
		Server:                   server,
		CertificateAuthorityData: authority.PEM(),
	}
	config.AuthInfos[contextName] = &clientcmdapi.AuthInfo{
		ClientCertificateData: user.CertificatePEM,
		ClientKeyData:         user.KeyPEM,
	}
	config.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: contextName}
	config.CurrentContext = contextName
	return clientcmd.WriteToFile(*config, path)
}

func clientConfig(server string, authority *certificates.Authority, user certificates.Pair, agent string) *rest.Config {
	return &rest.Config{
		Host: server,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   authority.PEM(),
			CertData: user.CertificatePEM,
			KeyData:  user.KeyPEM,
		},
		UserAgent: agent,
		QPS:       -1,
	}
}
