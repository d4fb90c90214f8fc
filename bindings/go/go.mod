module cmreload

go 1.23
