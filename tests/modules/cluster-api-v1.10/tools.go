//go:build tools

// Package tools pins the Cluster API with v1beta1 only, whose CRDs the tests install in a source.
package tools

import _ "sigs.k8s.io/cluster-api/version"
