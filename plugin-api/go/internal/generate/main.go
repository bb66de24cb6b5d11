// Command generate writes the types of the messages from their JSON Schemas.
//
//	go run ./internal/generate SCHEMAS FILE
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: generate SCHEMAS FILE")
		os.Exit(2)
	}
	source, err := Types(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], source, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
