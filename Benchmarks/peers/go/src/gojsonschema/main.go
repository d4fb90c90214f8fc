// Validates with gojsonschema, which is what services in Go do most: once for each line that it
// reads, and prints the nanoseconds of CPU time that it took, the collector's included.
//
//	gojsonschema SCHEMA DOCUMENT
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"syscall"
	"unsafe"

	"github.com/xeipuuv/gojsonschema"
)

func main() {
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(read(os.Args[1])))
	if err != nil {
		log.Fatal(err)
	}
	// Parsed before, as for all validators, in the form that it takes as it is.
	var value any
	decoder := json.NewDecoder(bytes.NewReader(read(os.Args[2])))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		log.Fatal(err)
	}
	document := gojsonschema.NewRawLoader(value)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		start := cpuTime()
		result, err := schema.Validate(document)
		took := cpuTime() - start
		if err != nil || !result.Valid() {
			log.Fatal("the document is not valid for gojsonschema: ", err)
		}
		fmt.Println(took)
	}
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return content
}

func cpuTime() int64 {
	const processCPUTime = 2
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, processCPUTime, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}
