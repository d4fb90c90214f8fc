// Cmr-write publishes files into a directory as the kubelet does: for tests, demos and trying
// things by hand. What is not named is removed, as with a ConfigMap that no longer has the key.
//
//	cmr-write DIRECTORY KEY=TEXT KEY=@FILE ...
package main

import (
	"fmt"
	"os"
	"strings"

	"cmreload"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: cmr-write DIRECTORY KEY=TEXT KEY=@FILE ...")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "cmr-write:", err)
		os.Exit(1)
	}
}

func write(directory string, assignments []string) error {
	var files []cmreload.File
	for _, assignment := range assignments {
		key, text, found := strings.Cut(assignment, "=")
		if !found {
			return fmt.Errorf("%s: KEY=TEXT or KEY=@FILE expected", assignment)
		}
		content := []byte(text)
		if path, isFile := strings.CutPrefix(text, "@"); isFile {
			var err error
			if content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		files = append(files, cmreload.File{Key: key, Content: content})
	}
	return cmreload.WriteMount(directory, files...)
}
