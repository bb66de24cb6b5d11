//go:build tools

// Package parts pins the kube-apiserver and the kube-controller-manager that the sandbox runs.
package parts

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
