//go:build tools

// Package kind pins kind; its module also has the files of the node image.
package kind

import _ "sigs.k8s.io/kind"
