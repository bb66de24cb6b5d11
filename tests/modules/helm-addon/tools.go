//go:build tools

// Package modules pins the Helm add-on provider of Cluster API, whose CRDs the tests install.
package modules

import _ "sigs.k8s.io/cluster-api-addon-provider-helm"
