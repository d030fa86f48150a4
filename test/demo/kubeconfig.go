package main

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes what a person has in ~/.kube/config: where the cluster is, and that the plugin knows who they
// are.
func (s *stage) writeKubeconfig() error {
	config := api.NewConfig()
	config.Clusters["demo"] = &api.Cluster{
		Server:                   s.api.url,
		CertificateAuthorityData: s.api.caCertificate,
	}
	config.AuthInfos["me"] = &api.AuthInfo{Exec: &api.ExecConfig{
		APIVersion:         "client.authentication.k8s.io/v1",
		Command:            s.plugin.path,
		Args:               s.plugin.arguments,
		Env:                []api.ExecEnvVar{{Name: roleVariable, Value: s.plugin.browser}},
		InteractiveMode:    api.IfAvailableExecInteractiveMode,
		ProvideClusterInfo: true, // so that the browser's last page can name the cluster
	}}
	config.Contexts["demo"] = &api.Context{Cluster: "demo", AuthInfo: "me"}
	config.CurrentContext = "demo"
	if err := clientcmd.WriteToFile(*config, s.path("kubeconfig")); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}
