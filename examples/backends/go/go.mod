module example.invalid/go-loop

go 1.21
