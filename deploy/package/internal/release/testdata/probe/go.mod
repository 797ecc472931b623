module example.org/probe

go 1.26.0
