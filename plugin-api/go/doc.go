// Package pivotplugin is what the author of a kubectl-pivot plugin in Go depends on.
//
// A plugin is a program named kubectl-pivot-plugin-NAME that describes an infrastructure provider or
// a network between pods. It is pure: data in, data out. The host does all I/O.
//
//	func main() { pivotplugin.Serve(potato{}) }
//
// The host writes one line of JSON to standard input and reads one line from standard output. Serve
// does that, checks the variables against their declarations, fills in their defaults, and turns
// panics into errors. Standard output belongs to it: os.Stdout is standard error as soon as it runs,
// which the host shows as log.
package pivotplugin

//go:generate go run ./internal/generate ../schemas types.go
