package cmreload_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"cmreload"
)

// Each figure beside its floor; Benchmarks/go compares them.

// benchmarkKeys are as many as a ConfigMap has that is neither small nor large.
func benchmarkData() map[string]string {
	data := map[string]string{"LOG_LEVEL": "info", "LIMIT": "1"}
	for i := range 18 {
		data[fmt.Sprint("SOME_OTHER_SETTING_", i)] = fmt.Sprint("value ", i)
	}
	return data
}

var sink int

func BenchmarkString(b *testing.B) {
	config, _ := open(b, benchmarkData())
	b.ReportAllocs()
	for range b.N {
		text, _ := config.Current().String("LOG_LEVEL")
		sink += len(text)
	}
}

func BenchmarkStringFloor(b *testing.B) {
	var current atomic.Pointer[map[string]string]
	data := benchmarkData()
	current.Store(&data)
	b.ReportAllocs()
	for range b.N {
		text := (*current.Load())["LOG_LEVEL"]
		sink += len(text)
	}
}

func BenchmarkLoad(b *testing.B) {
	config, _ := open(b, benchmarkData())
	settings, err := cmreload.Bind[limits](config)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for range b.N {
		sink += settings.Load().Limit
	}
}

func BenchmarkLoadFloor(b *testing.B) {
	var current atomic.Pointer[limits]
	current.Store(&limits{Limit: 1})
	b.ReportAllocs()
	for range b.N {
		sink += current.Load().Limit
	}
}
