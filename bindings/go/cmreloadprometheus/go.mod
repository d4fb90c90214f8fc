module cmreload/cmreloadprometheus

go 1.23

require (
	cmreload v1.0.0
	github.com/prometheus/client_golang v1.14.0
	github.com/prometheus/client_model v0.3.0
	github.com/prometheus/common v0.39.0
)

replace cmreload => ../
