package cmreload_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cmreload"
)

// Each figure beside its floor; Benchmarks/go compares them.

// benchmarkData has as many keys as a ConfigMap that is neither small nor large.
func benchmarkData() map[string]string {
	data := map[string]string{"LOG_LEVEL": "info", "LIMIT": "1"}
	for i := range 18 {
		data[fmt.Sprint("SOME_OTHER_SETTING_", i)] = fmt.Sprint("value ", i)
	}
	return data
}

// benchmarkKeys are all of them, in turn: what one key costs in one map is a matter of luck with its
// hash. They are no map's own strings, which compare equal by their address.
func benchmarkKeys() []string {
	keys := slices.Sorted(maps.Keys(benchmarkData()))
	for i, key := range keys {
		keys[i] = strings.Clone(key)
	}
	return keys
}

var sink int

func BenchmarkString(b *testing.B) {
	config, _ := open(b, benchmarkData())
	keys := benchmarkKeys()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(keys) {
		for _, key := range keys {
			text, _ := config.Current().String(key)
			sink += len(text)
		}
	}
}

func BenchmarkStringFloor(b *testing.B) {
	var current atomic.Pointer[map[string]string]
	data := benchmarkData()
	current.Store(&data)
	keys := benchmarkKeys()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(keys) {
		for _, key := range keys {
			text := (*current.Load())[key]
			sink += len(text)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	config, _ := open(b, benchmarkData())
	settings, err := cmreload.Bind[limits](config)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var total int
	b.ResetTimer()
	for range b.N {
		total += settings.Load().Limit
	}
	sink += total
}

func BenchmarkLoadFloor(b *testing.B) {
	var current atomic.Pointer[limits]
	current.Store(&limits{Limit: 1})
	b.ReportAllocs()
	var total int
	b.ResetTimer()
	for range b.N {
		total += current.Load().Limit
	}
	sink += total
}

// Those below read on all processors at once, as many times in one turn as there are keys.

func BenchmarkStringShared(b *testing.B) {
	config, _ := open(b, benchmarkData())
	keys := benchmarkKeys()
	share(b, func() (total int) {
		for _, key := range keys {
			text, _ := config.Current().String(key)
			total += len(text)
		}
		return total
	})
}

func BenchmarkStringFloorShared(b *testing.B) {
	var current atomic.Pointer[map[string]string]
	data := benchmarkData()
	current.Store(&data)
	keys := benchmarkKeys()
	share(b, func() (total int) {
		for _, key := range keys {
			text := (*current.Load())[key]
			total += len(text)
		}
		return total
	})
}

func BenchmarkLoadShared(b *testing.B) {
	config, _ := open(b, benchmarkData())
	settings, err := cmreload.Bind[limits](config)
	if err != nil {
		b.Fatal(err)
	}
	turns := len(benchmarkData())
	share(b, func() (total int) {
		for range turns {
			total += settings.Load().Limit
		}
		return total
	})
}

func BenchmarkLoadFloorShared(b *testing.B) {
	var current atomic.Pointer[limits]
	current.Store(&limits{Limit: 1})
	turns := len(benchmarkData())
	share(b, func() (total int) {
		for range turns {
			total += current.Load().Limit
		}
		return total
	})
}

// share has every processor take turns; what they found is kept, so that it is looked for.
func share(b *testing.B, turn func() int) {
	var kept atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		total := 0
		for pb.Next() {
			total += turn()
		}
		kept.Add(int64(total))
	})
}
