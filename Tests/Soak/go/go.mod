module soak

go 1.23

require cmreload v1.0.0

replace cmreload => ../../../bindings/go
