//go:build tools

// Package parts pins the etcd that the sandbox runs.
package parts

import _ "go.etcd.io/etcd/server/v3"
