module example.test/app

go 1.26.0
