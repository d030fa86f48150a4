package cluster

import (
	"path"
	"strings"
)

// KubeadmConfiguration writes the part of a kubeadm configuration that makes API servers read the file at this path of
// each control plane node (https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/).
func KubeadmConfiguration(file string) (string, error) {
	if err := checkFile(file); err != nil {
		return "", err
	}
	return document(clusterConfiguration("kubeadm.k8s.io/v1beta4", argumentList(file), file)), nil
}

// K3sConfiguration writes the part of /etc/rancher/k3s/config.yaml that makes the API server read the file at this path
// of each server (https://docs.k3s.io/installation/configuration#configuration-file).
func K3sConfiguration(file string) (string, error) {
	if err := checkFile(file); err != nil {
		return "", err
	}
	return document(object{{"kube-apiserver-arg", list{"authentication-config=" + file}}}), nil
}

// KindConfiguration writes the configuration of a kind cluster whose API server reads the file at this path of its node.
// Folder is the one on this machine that has the file in it, under the same name
// (https://kind.sigs.k8s.io/docs/user/configuration/).
func KindConfiguration(folder, file string) (string, error) {
	if err := checkFile(file); err != nil {
		return "", err
	}
	if folder == "" || checkText(folder) != nil {
		return "", misused("the folder on this machine that kind is to mount is not given, or has a control character in it")
	}
	// kind makes v1beta3 up to Kubernetes 1.35 and v1beta4 after that. A patch is for the version that it names alone.
	patches := list{
		literal(document(clusterConfiguration("kubeadm.k8s.io/v1beta3", object{{authenticationConfig, file}}, file))),
		literal(document(clusterConfiguration("kubeadm.k8s.io/v1beta4", argumentList(file), file))),
	}
	return document(object{
		{"apiVersion", "kind.x-k8s.io/v1alpha4"},
		{"kind", "Cluster"},
		{"nodes", list{object{
			{"role", "control-plane"},
			{"kubeadmConfigPatches", patches},
			{"extraMounts", list{object{{"hostPath", folder}, {"containerPath", path.Dir(file)}, {"readOnly", true}}}},
		}}},
	}), nil
}

const authenticationConfig = "authentication-config"

func argumentList(file string) list {
	return list{object{{"name", authenticationConfig}, {"value", file}}}
}

// clusterConfiguration mounts the file's folder, not the file: of that the API server would keep seeing the first one
// when another takes its place.
func clusterConfiguration(version string, arguments any, file string) object {
	folder := path.Dir(file)
	return object{
		{"apiVersion", version},
		{"kind", "ClusterConfiguration"},
		{"apiServer", object{
			{"extraArgs", arguments},
			{"extraVolumes", list{object{
				{"name", authenticationConfig},
				{"hostPath", folder},
				{"mountPath", folder},
				{"readOnly", true},
				{"pathType", "Directory"},
			}}},
		}},
	}
}

// checkFile takes a file on a Linux machine, in a folder that can be mounted.
func checkFile(file string) error {
	if !path.IsAbs(file) || path.Clean(file) != file || path.Dir(file) == "/" || strings.Contains(file, ":") || checkText(file) != nil {
		return misused("the file of the authentication configuration needs an absolute path in a folder, such as " +
			"/etc/kubernetes/authentication/config.yaml")
	}
	return nil
}
