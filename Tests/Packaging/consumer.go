// The smallest Go program that shows that the package and the library belong together.
package main

import (
	"fmt"
	"os"

	"cmreload"
)

func main() {
	config, err := cmreload.Open("", cmreload.WithDefaults(map[string]string{"answer": "42"}))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer config.Close()
	if answer, err := config.Current().Int("answer"); answer != 42 {
		fmt.Println(answer, err)
		os.Exit(1)
	}
	fmt.Println("libcmreload", cmreload.LibraryVersion())
}
