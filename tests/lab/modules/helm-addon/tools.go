//go:build tools

// Package helmaddon pins the Cluster API add-on provider for Helm; its module also has the provider's manifests.
package helmaddon

import _ "sigs.k8s.io/cluster-api-addon-provider-helm"
