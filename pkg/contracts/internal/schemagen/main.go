// Command schemagen writes the JSON Schema of every contract into the directory
// it is given; go generate runs it. It is a program of its own, and internal,
// so that no reader of contracts depends on what generates them.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
)

//go:generate go run . ../../schema

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	files, err := generate(catalog.All())
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
