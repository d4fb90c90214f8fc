package cmreload

import (
	"io/fs"

	"cmreload/internal/abi"
)

// A File is one file of a mount, for [WriteMount].
type File struct {
	Key     string // its name; may name directories: "user/labels"
	Content []byte
	Mode    fs.FileMode // permission bits; 0 means 0644
}

// WriteMount publishes files in a directory exactly as the kubelet does: a new timestamped
// directory, the ..data link replaced by a rename, links for the user added and removed, the old
// directory removed. What is not among the files is gone; content and modes that are there already
// write nothing.
//
// It is for tests, demonstrations and tools. The directory must exist, and have one writer at a
// time.
func WriteMount(path string, files ...File) error {
	copied := make([]abi.File, len(files))
	for i, file := range files {
		copied[i] = abi.File{Key: file.Key, Content: file.Content, Mode: uint32(file.Mode)}
	}
	return errorOf(abi.WriteMount(path, copied))
}
