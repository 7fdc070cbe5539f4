module gopher.example/guangzhou

go 1.23
