// Package cmreloadprometheus registers the metrics of package cmreload with client_golang, for
// programs that have other metrics there:
//
//	registry.MustRegister(cmreloadprometheus.NewCollector())
//
// Those that have none are served by cmreload.MetricsHandler.
package cmreloadprometheus

import (
	"bytes"

	"cmreload"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// NewCollector gives the metrics of all Configs of the process, those that are opened later too.
func NewCollector() prometheus.Collector { return collector{} }

type collector struct{}

// Describe says nothing: which series there are depends on the Configs that are open.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads what cmreload.Metrics writes.
func (collector) Collect(metrics chan<- prometheus.Metric) {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(cmreload.Metrics()))
	if err != nil {
		metrics <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		return
	}
	for _, family := range families {
		for _, read := range family.Metric {
			var names []string
			for _, label := range read.Label {
				names = append(names, label.GetName())
			}
			desc := prometheus.NewDesc(family.GetName(), family.GetHelp(), names, nil)
			metrics <- metric{desc, read}
		}
	}
}

// A metric is one that was read.
type metric struct {
	desc *prometheus.Desc
	read *dto.Metric
}

func (m metric) Desc() *prometheus.Desc { return m.desc }

func (m metric) Write(out *dto.Metric) error {
	out.Label, out.Counter, out.Gauge = m.read.Label, m.read.Counter, m.read.Gauge
	out.Histogram, out.Untyped = m.read.Histogram, m.read.Untyped
	return nil
}
