package cmreloadprometheus_test

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"cmreload"
	"cmreload/cmreloadprometheus"
	"cmreload/cmreloadtest"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func TestARegistryGathersWhatTheLibraryWrites(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t, map[string]string{"a": "1"})
	for _, name := range []string{"one", ""} {
		// A rescan between the two expositions would be told in the second one only.
		config, err := cmreload.Open(configMap.Path(), cmreload.WithName(name), cmreload.WithRescan(0))
		if err != nil {
			t.Fatal(err)
		}
		defer config.Close()
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(cmreloadprometheus.NewCollector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var parser expfmt.TextParser
	written, err := parser.TextToMetricFamilies(bytes.NewReader(cmreload.Metrics()))
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := samples(t, slices.Values(families)), samples(t, maps.Values(written))
	if !slices.Equal(got, wanted) {
		t.Errorf("gathered:\n%s\nwritten:\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

// samples gives the lines of an exposition, with their labels sorted, sorted.
func samples(t *testing.T, families iter.Seq[*dto.MetricFamily]) []string {
	t.Helper()
	var text bytes.Buffer
	for family := range families {
		for _, metric := range family.Metric {
			slices.SortFunc(metric.Label, func(a, b *dto.LabelPair) int {
				return strings.Compare(a.GetName(), b.GetName())
			})
		}
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	slices.Sort(lines)
	if len(lines) < 20 {
		t.Errorf("there are %d lines only", len(lines))
	}
	return lines
}
